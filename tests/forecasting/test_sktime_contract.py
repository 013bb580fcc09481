"""sktime's contract over all forecasters."""

import pytest
from sktime.tests.test_all_estimators import TestAllObjects as ChecksOfAnObject
from sktime.utils.estimator_checks import check_estimator, parametrize_with_checks

from sklrnn.forecasting import (
    CNNLSTMForecaster,
    GRUForecaster,
    LSTMForecaster,
    RecurrentForecaster,
    SimpleRNNForecaster,
)

pytestmark = [
    # sktime calls predict_proba, and says what that would give if skpro were there.
    pytest.mark.filterwarnings("ignore:Forecasters' predict_proba requires skpro"),
    # Its series are short.
    pytest.mark.filterwarnings("ignore:.* windows are too few to hold some out"),
    # It joins forecasts in a way that pandas 3 warns of.
    pytest.mark.filterwarnings("ignore:Sorting by default when concatenating all DatetimeIndex"),
]


# They share all of their code with the one that is checked in full, and differ in what their class says of itself and
# in the weights they keep. Everything else that sktime asks of them takes a minute each, so it is marked as slow.
OTHERS = [CNNLSTMForecaster, LSTMForecaster, RecurrentForecaster, SimpleRNNForecaster]
OF_A_CLASS = {name for name in dir(ChecksOfAnObject) if name.startswith("test_")} - {"test_doctest_examples"}
OF_ITS_WEIGHTS = {"test_fit_idempotent", "test_persistence_via_pickle"}


def keep_the_contract(forecaster, test_name):
    results = check_estimator(forecaster, tests_to_run=test_name, raise_exceptions=True, verbose=False)
    assert results
    assert set(results.values()) == {"PASSED"}


@parametrize_with_checks([GRUForecaster])
def test_forecaster_keeps_the_contract_of_sktime(obj, test_name):
    keep_the_contract(obj, test_name)


@pytest.mark.parametrize("test_name", sorted(OF_A_CLASS | OF_ITS_WEIGHTS))
@pytest.mark.parametrize("forecaster", OTHERS)
def test_other_cells_keep_what_concerns_a_cell(forecaster, test_name):
    keep_the_contract(forecaster, test_name)


@pytest.mark.slow
@parametrize_with_checks(OTHERS)
def test_other_cells_keep_the_whole_contract(obj, test_name):
    keep_the_contract(obj, test_name)
