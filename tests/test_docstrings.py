"""The examples in the docstrings of public classes.

Public classes name their public package in ``__module__``, so pytest's collection of doctests by module passes them by.
"""

import doctest
import inspect

import pytest

import sklrnn
import sklrnn.cells
import sklrnn.forecasting
import sklrnn.inspection
import sklrnn.sktime_adapters

PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in (sklrnn, sklrnn.forecasting, sklrnn.cells, sklrnn.inspection)
    for name in package.__all__
    if inspect.isclass(getattr(package, name))
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_classes_name_their_public_package(name):
    assert PUBLIC[name].__module__ == name.rpartition(".")[0]


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.filterwarnings("ignore:The default of config:FutureWarning")
def test_examples_run(name):
    examples = doctest.DocTestFinder(recurse=True).find(PUBLIC[name], name, module=False)
    assert any(example.examples for example in examples) or PUBLIC[name] in (sklrnn.LeakageError,), "no example"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=options, verbose=False)
    report = []
    for example in examples:
        runner.run(example, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
