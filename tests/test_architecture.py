"""The house rules of docs/design.md that a machine can check."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sklrnn"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")

# A file may import files of lower layers only.
LAYER = {
    "_hyperparameters": 0,
    "_ragged": 0,
    "_running_average": 0,
    "_validation": 0.5,
    "_dates": 0,
    "_epoch_hooks": 0,
    "_flat_weights": 0,
    "_gaps": 0,
    "_intervals": 0,
    "_tables": 0,
    "_threads": 0,
    "_time_index": 0,
    "_timeline": 0,
    "_window_layout": 0,
    "_stepwise": 1,
    "_tokens_or_numbers": 1,
    "_aligned": 1,
    "_gap_lessons": 1,
    "_given_series": 1,
    "_rows": 1,
    "kernels": 1,
    "scaling": 1,
    "splits": 1,
    "supervised": 1,
    "tokens": 1,
    "windows": 1,
    "cells": 2,
    "_batches": 2,
    "_standing_network": 2,
    "layers": 2,
    "leakage": 2,
    "losses": 3,
    "network": 3,
    "streaming": 4,
    "training": 4,
    "_language_network": 4,
    "_translation_network": 4,
    "_network_parameters": 4.5,
    "_sampling": 4.5,
    "_text_batches": 4.5,
    "_beam": 4.5,
    "_pairs": 4.5,
    "_strands": 4.5,
    "_progress": 4.5,
    "_held_network": 4.55,
    "_fitted": 4.6,
    "_text_model": 5,
    "_translation_model": 5,
    "base": 5,
    "_gap_network": 5.5,
    "classifier": 6,
    "generator": 6,
    "imputer": 6,
    "regressor": 6,
    "translator": 6,
    "datasets": 7,
    "export": 7,
    "forecasting": 7,
    "inspection": 7,
    "plotting": 7,
    "sktime_adapters": 7,
    "testing": 7,
}
# The bar looks for a notebook when it is imported: only those who ask for one should pay for that.
LAZY = {"_progress": {"tqdm.auto"}}
MOST_LINES = 350  # the aim is 300
WITH_TORCH = {"_flat_weights", "_running_average", "_stepwise", "_threads", "kernels"}
WITHOUT_TORCH = {name for name, layer in LAYER.items() if layer < 2} - WITH_TORCH | {"datasets", "leakage"}


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
def test_imports_go_down(path):
    here = part_of(path)
    assert here in LAYER, f"{here} has no layer: give it one here and in docs/design.md"
    for name in internal_imports(path):
        assert name == here or LAYER[name] < LAYER[here], f"{here} may not import {name}"


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


@every_file
def test_optional_libraries_are_imported_at_the_top_of_the_house_only(path):
    outside = {module.split(".")[0] for module, _ in imports(path)}
    allowed = {"sktime", "matplotlib"} if LAYER[part_of(path)] >= 7 else set()
    assert not outside & {"sktime", "matplotlib"} - allowed


@pytest.mark.parametrize("path", [path for path in FILES if LAYER.get(part_of(path), 0) < 7], ids=name_of)
def test_imports_stand_at_the_top_of_a_file(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            hidden = {module for module, _ in imports(path, node)} - LAZY.get(path.stem, set())
            assert not hidden, f"{node.name} hides an import"


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in WITHOUT_TORCH], ids=name_of)
def test_windows_and_checks_need_no_torch(path):
    assert not {"torch", "skorch"} & {module.split(".")[0] for module, _ in imports(path)}


def test_the_training_loop_knows_no_cell():
    assert not {"cells", "network"} & set(internal_imports(PACKAGE / "training.py"))


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
    loaded, waiting = set(), ["recurrence"]
    while waiting:
        name = waiting.pop()
        loaded.add(name)
        found = {module for module, _ in imports(PACKAGE / "kernels" / f"{name}.py")}
        assert not found & (needs_numba | {"numba", "llvmlite"}), name
        waiting += {module.split(".")[2] for module in found if module.startswith("sklrnn.kernels.")} - loaded
    assert loaded > {"_loading", "_layer", "_reading", "_going_back"}


def test_there_is_no_drawer_for_odds_and_ends():
    assert not [path for path in FILES if path.stem in {"utils", "_utils", "helpers", "common", "misc"}]
