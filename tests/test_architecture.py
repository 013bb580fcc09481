"""The house rules of docs/design.md that a machine can check."""

import ast
import importlib
import inspect
import pkgutil
from functools import cache
from pathlib import Path

import pytest

import sklrnn
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.network_holder import NetworkHolder

PACKAGE = Path(__file__).parents[1] / "sklrnn"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

MOST_LINES = 300
MOST_HOOKS = 5  # of the estimator that a task mixes in
MOST_CLASSES = 3  # from a class to the last of our own that it inherits from
WITHOUT_TORCH = {"timeline", "inputs", "preprocessing", "model_selection", "metrics", "datasets"}


def name_of(path):
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def part_of(path):
    """The file, or the folder that stands for the files in it."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path, tree=None):
    """The modules that a file imports, as ``(module, names)``, wherever in the file."""
    for node in ast.walk(tree or ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []


def internal_imports(path):
    for module, names in imports(path):
        if module == "sklrnn":
            yield from names
        elif module.startswith("sklrnn."):
            yield module.split(".")[1]


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)


@every_file
def test_only_the_parameter_table_imports_private_names_of_sklearn(path):
    private = [
        f"{module}: {name}"
        for module, names in imports(path)
        if module.split(".")[0] == "sklearn"
        for name in [*module.split("."), *names]
        if name.startswith("_")
    ]
    assert not private or path.stem == "_hyperparameters", private


@every_file
def test_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, "split it where its topics part"


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in WITHOUT_TORCH], ids=name_of)
def test_windows_and_checks_need_no_torch(path):
    assert not {"torch", "skorch"} & {module.split(".")[0] for module, _ in imports(path)}


def test_a_kernel_knows_nothing_of_the_package():
    kernels = list((PACKAGE / "kernels").glob("*.py"))
    assert {name for path in kernels for name in internal_imports(path)} == {"kernels"}


def test_numba_may_be_missing():
    """What is loaded before a layer first runs imports neither numba nor a file that does."""
    needs_numba = {
        f"sklrnn.kernels.{path.stem}"
        for path in (PACKAGE / "kernels").glob("*.py")
        if {"numba", "llvmlite"} & {module.split(".")[0] for module, _ in imports(path)}
    }
    assert needs_numba
    loaded, waiting = set(), ["autograd"]
    while waiting:
        name = waiting.pop()
        loaded.add(name)
        found = {module for module, _ in imports(PACKAGE / "kernels" / f"{name}.py")}
        assert not found & (needs_numba | {"numba", "llvmlite"}), name
        waiting += {module.split(".")[2] for module in found if module.startswith("sklrnn.kernels.")} - loaded
    assert loaded > {"_registry", "_runtime", "_forward_call", "_backward_call"}


def test_there_is_no_drawer_for_odds_and_ends():
    assert not [path for path in FILES if path.stem in {"utils", "_utils", "helpers", "common", "misc"}]


# -- classes -----------------------------------------------------------------------------------------------------------


@cache
def all_classes():
    """Every class of the package, public or private."""
    for name in ("matplotlib", "numba", "sktime", "statsmodels"):
        pytest.importorskip(name)
    modules = [importlib.import_module(module.name) for module in pkgutil.walk_packages(sklrnn.__path__, "sklrnn.")]
    kinds = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
    return {parent for kind in kinds for parent in kind.__mro__ if str(parent.__module__).split(".")[0] == "sklrnn"}


def chain(kind):
    """The longest path from a class up to the last of our own."""
    above = (chain(parent) for parent in kind.__bases__ if parent in all_classes())
    return [kind.__name__, *max(above, key=len, default=[])]


def test_chains_of_classes_are_short():
    assert len(all_classes()) > 150
    too_long = [chain(kind) for kind in all_classes() if len(chain(kind)) > MOST_CLASSES]
    assert not too_long


def hooks_of(base):
    """What subclasses of ours, or the mixins in front of the base, define anew: methods, properties and bare names."""
    methods = (property, staticmethod, classmethod)
    own = {name for name, value in vars(base).items() if inspect.isfunction(value) or isinstance(value, methods)}
    own |= {name for name in inspect.get_annotations(base) if name not in getattr(base, "_parameter_constraints", ())}
    kinds = [kind for kind in all_classes() if issubclass(kind, base) and kind is not base]
    assert kinds
    defined = {
        name
        for kind in kinds
        for parent in kind.__mro__[: kind.__mro__.index(base)]
        for name in vars(parent)
        if parent in all_classes()
    }
    return {name for name in own & defined if not name.startswith("__")}


def test_a_task_defines_few_hooks():
    hooks = {"_encode", "_make_loss", "_decode", "_scale_targets", "_calibrate"}
    assert len(hooks) <= MOST_HOOKS
    assert hooks_of(RecurrentEstimator) == {*hooks, "_loss_parameter_names"}
    assert hooks_of(NetworkHolder) == {"_criterion", "_architecture_kind"}
