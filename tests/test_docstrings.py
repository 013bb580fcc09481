"""The examples in the docstrings of public classes.

Public classes name their public package in ``__module__``, so pytest's collection of doctests by module passes them by.
"""

import doctest
import inspect
import pkgutil
import re

import pytest
from sklearn.experimental import enable_iterative_imputer  # noqa: F401, a name in See Also

import sklrnn
import sklrnn.cells
import sklrnn.datasets
import sklrnn.distributed
import sklrnn.forecasting
import sklrnn.inspection
import sklrnn.metrics
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


DOCUMENTED = {
    f"{package.__name__}.{name}": getattr(package, name)
    for package in (
        sklrnn,
        sklrnn.cells,
        sklrnn.datasets,
        sklrnn.distributed,
        sklrnn.forecasting,
        sklrnn.inspection,
        sklrnn.metrics,
        sklrnn.sktime_adapters,
    )
    for name in package.__all__
    if callable(getattr(package, name))
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_public_names_lead_to_others(name):
    _, heading, rest = inspect.getdoc(DOCUMENTED[name]).partition("\nSee Also\n--------\n")
    assert heading, "no section See Also"
    section = re.split(r"\n\n\w[\w ]*\n---", rest)[0]
    named = [
        other
        for entry in re.findall(r"^\S.*", section, re.MULTILINE)
        for other in entry.partition(" : ")[0].split(", ")
    ]
    assert named
    for other in named:
        pkgutil.resolve_name(other if "." in other else f"{name.rpartition('.')[0]}.{other}")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_citation_has_its_reference(name):
    doc = inspect.getdoc(DOCUMENTED[name])
    assert set(re.findall(r"\[(\w+\d{4}\w?)\]_", doc)) == set(re.findall(r"^\.\. \[(\w+)\]", doc, re.MULTILINE))
