"""Importing the package must cost next to nothing: heavy libraries load when they are first needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sklrnn

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "skorch", "sktime", "matplotlib", "pandas", "onnx", "numba"}
WITHOUT_NETWORKS = {
    "PurgedKFold",
    "PurgedTimeSeriesSplit",
    "SequenceScaler",
    "SlidingWindow",
    "TokenEncoder",
    "check_no_leakage",
    "compare_estimators",
    "make_windows",
    "supervise",
}


def loaded_after(code):
    """Which of the heavy libraries a fresh interpreter has loaded once it has run the code."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted({HEAVY!r} & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("code", ["import sklrnn", "import sklrnn; dir(sklrnn); sklrnn.__version__"])
def test_import_loads_nothing_heavy(code):
    assert loaded_after(code) == set()


def test_import_of_the_datasets_loads_nothing_heavy():
    assert loaded_after("import sklrnn.datasets") == set()


def test_metrics_need_no_network_library():
    assert not loaded_after("import sklrnn.metrics") & {"torch", "skorch", "sktime", "matplotlib"}


def test_loading_a_data_set_needs_pandas_only():
    assert loaded_after("from sklrnn.datasets import load_co2; load_co2()") == {"pandas"}


def test_estimators_load_neither_sktime_nor_matplotlib():
    loaded = loaded_after("from sklrnn import GRURegressor, GRUClassifier")
    assert "torch" in loaded
    assert not loaded & {"sktime", "matplotlib", "onnx", "numba"}


def test_only_an_export_loads_onnx():
    assert "onnx" not in loaded_after("import sklrnn.export")


def test_windows_and_splits_need_no_network_library():
    names = sorted(WITHOUT_NETWORKS & {*sklrnn.__all__})
    code = f"import sklrnn\nfor name in {names}: getattr(sklrnn, name)"
    assert not loaded_after(code) & {"torch", "skorch", "sktime", "matplotlib"}


def test_every_public_name_can_be_had():
    assert {*sklrnn.__all__} <= {*dir(sklrnn)}
    for name in sklrnn.__all__:
        assert getattr(sklrnn, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'GRURegresor'"):
        sklrnn.GRURegresor  # noqa: B018


def test_inspection_loads_matplotlib_only_to_draw():
    assert not loaded_after("import sklrnn.inspection") & {"sktime", "matplotlib", "onnx", "numba"}
