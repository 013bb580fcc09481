"""Small fits of everything give the predictions that are stored: see ``stored_predictions.py``."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import sklrnn
import sklrnn.datasets
import sklrnn.forecasting
import sklrnn.sktime_adapters

SCRIPT = Path(__file__).parent / "stored_predictions.py"
# Largest difference, relative to the largest number of the same array. The file was stored on a processor with AVX2.
# There the largest of all cases was 4e-7 without the kernels (SKLRNN_KERNELS=0) and with those of an older processor
# (NUMBA_CPU_NAME=generic), 7e-8 with OPENBLAS_CORETYPE=Nehalem, and 4e-6 with torch as without AVX
# (ATEN_CPU_CAPABILITY=default), alone or together with the others. A learning rate that is higher by a thousandth moves
# predictions by 4e-5 to 3e-3.
TOLERANCE = 3e-5

# `compare` makes a Comparison, `compare_estimators` calls scikit-learn's `cross_validate`, a case of `check_no_leakage`
# shows a LeakageError, and `trusted_types` gives names.
# `Checkpoints` holds settings. tests/training/test_data_parallel.py compares `data_parallel` with one process.
# tests/datasets compares what is downloaded or generated with its definition.
WITHOUT_CASE = {
    "Checkpoints",
    "Comparison",
    "EstimatorComparison",
    "compare_estimators",
    "data_parallel",
    "LeakageError",
    "panel_from_long",
    "trusted_types",
    "get_data_home",
    "load_wnut17",
    *(name for name in sklrnn.datasets.__all__ if name.startswith(("fetch_", "make_"))),
}
DATA = {"X", "y", "data", "cv", "models"}
# Hyperparameters that no case varies, and why.
NOT_VARIED = {
    "verbose": "prints only",
    "checkpoint": "tests/training/test_checkpoint.py compares fits with and without",
    "device": "other devices are other processors",
    "precision": "tests/training/test_other_devices.py compares fits in both; bfloat16 differs between processors",
    "random_state": "each case sets it",
    "return_X_y": "the same data in another form",
    "as_frame": "the same data in another form",
}


def load_script():
    spec = importlib.util.spec_from_file_location("stored_predictions", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


stored_predictions = load_script()
CASES = stored_predictions.load_cases()
STORED, _ = stored_predictions.read(stored_predictions.STORED)


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_those_that_are_stored(name):
    now = stored_predictions.run(CASES[name])
    absolute, relative = stored_predictions.largest_difference(now, STORED[name])
    assert relative <= TOLERANCE, f"{name}: {absolute:.3g} absolute, {relative:.3g} relative"


@pytest.mark.parametrize("name", ["Regressor, gru, last step", "Classifier, lstm, ragged", "GRUForecaster, options"])
def test_a_slightly_higher_learning_rate_is_seen(name):
    what, show, options = CASES[name]
    default = inspect.signature(what).parameters["learning_rate"].default
    rate = 1.01 * (0.005 if default == "auto" else default)
    now = stored_predictions.run((what, show, {**options, "learning_rate": rate}))
    _, relative = stored_predictions.largest_difference(now, STORED[name])
    assert relative > 10 * TOLERANCE


def test_every_case_is_stored_and_shows_something():
    assert all(any(part.size for part in parts.values()) for parts in STORED.values())
    assert set(STORED) == set(CASES), "run tests/stored_predictions.py --write, once it is known why cases change"


# -- the cases are complete --------------------------------------------------------------------------------------------


def public_names():
    """Classes and functions that answer something, by name."""
    modules = (sklrnn, sklrnn.forecasting, sklrnn.sktime_adapters, sklrnn.datasets)
    return {name: getattr(module, name) for module in modules for name in module.__all__}


def task_of(name):
    """Classes that differ by their cell only share their hyperparameters, and cases vary these once for all."""
    return re.sub("^(Recurrent|SimpleRNN|GRU|LSTM|CNNLSTM)(?=Regressor|Classifier|Forecaster)", "", name)


def test_every_public_name_has_a_case():
    shown = {what.__name__ for what, _, _ in CASES.values()}
    assert set(public_names()) - shown == WITHOUT_CASE


@pytest.mark.parametrize("name", sorted(set(public_names()) - WITHOUT_CASE))
def test_every_hyperparameter_is_varied(name):
    what = public_names()[name]
    parameters = inspect.signature(what).parameters
    defaults = {key: parameter.default for key, parameter in parameters.items() if key not in DATA}
    varied = {
        option
        for other, _, options in CASES.values()
        if task_of(other.__name__) == task_of(name)
        for option, value in options.items()
        if option in defaults and value is not defaults[option] and repr(value) != repr(defaults[option])
    }
    excused = {key.removeprefix(f"{name}.") for key in NOT_VARIED}
    missing = set(defaults) - varied - excused
    assert not missing, f"no case of tests/stored_cases varies {sorted(missing)} of {name}"
