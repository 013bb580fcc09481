"""The checks of forecasters with sktime's interface."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sklrnn.testing.forecast_case import ForecastCase
from sklrnn.testing.forecaster_state import (
    check_containers_of_y_agree,
    check_failed_update_keeps_the_old_forecaster,
    check_forecasting_changes_nothing,
)
from sklrnn.testing.forecasts import (
    check_forecasts_use_no_unknown_X,
    check_forecasts_use_no_y_beyond_the_cutoff,
    check_in_sample_forecasts_use_no_later_y,
    check_intervals_nest,
    check_newest_y_is_felt,
    check_noise_series_is_not_predicted,
    check_update_equals_refit_with_the_same_weights,
    check_updates_in_pieces_equal_one_update,
)
from sklrnn.testing.kit import (
    Callback,
    Check,
    Expected,
    OnFail,
    OnSkip,
    bind,
    check_expected_names,
    refuse_class,
    run_checks,
)
from sklrnn.testing.saving import check_joblib_round_trip, check_pickle_round_trip, check_skops_round_trip
from sklrnn.testing.seeds_and_threads import (
    check_global_generators_are_untouched,
    check_same_seed_gives_the_same_fit,
    check_same_seed_gives_the_same_fit_in_processes,
    check_same_seed_gives_the_same_fit_in_threads,
)


def _always(case: ForecastCase) -> bool:
    return True


# Each check, and for which forecasters it makes sense.
_CHECKS: dict[Callable[..., None], Callable[[ForecastCase], bool]] = {
    check_forecasts_use_no_y_beyond_the_cutoff: _always,
    check_in_sample_forecasts_use_no_later_y: lambda case: case.has_tag("capability:insample"),
    check_forecasts_use_no_unknown_X: lambda case: case.X is not None,
    check_newest_y_is_felt: _always,
    check_intervals_nest: lambda case: case.has_tag("capability:pred_int"),
    check_updates_in_pieces_equal_one_update: _always,
    check_update_equals_refit_with_the_same_weights: lambda case: case.has_tag("capability:pretrain"),
    check_noise_series_is_not_predicted: _always,
    check_same_seed_gives_the_same_fit: _always,
    check_same_seed_gives_the_same_fit_in_threads: _always,
    check_same_seed_gives_the_same_fit_in_processes: _always,
    check_global_generators_are_untouched: _always,
    check_pickle_round_trip: _always,
    check_joblib_round_trip: _always,
    check_skops_round_trip: _always,
    check_forecasting_changes_nothing: _always,
    check_failed_update_keeps_the_old_forecaster: _always,
    check_containers_of_y_agree: _always,
}


def forecaster_checks_generator(
    forecaster: Any, *, y: Any = None, X: Any = None, fh: Any = (1, 2, 3)
) -> Iterator[tuple[Any, Check]]:
    """Give the checks of `check_recurrent_forecaster` one by one.

    Parameters
    ----------
    forecaster : object
        A forecaster with sktime's interface.
    y, X, fh : object, default=None
        Data to check with, see `check_recurrent_forecaster`.

    Yields
    ------
    forecaster : object
        The forecaster.
    check : callable
        To be called with the forecaster; its failure is an ``AssertionError``.

    Examples
    --------
    >>> from sklrnn.forecasting import GRUForecaster
    >>> from sklrnn.testing import forecaster_checks_generator
    >>> model = GRUForecaster(units=2, max_epochs=2, n_networks=1, window_length=8)
    >>> checks = [check for _, check in forecaster_checks_generator(model)]
    >>> checks[0](model)
    """
    refuse_class(forecaster)
    case = ForecastCase.of(forecaster, y, X, fh)
    checks = [check for check, applies in _CHECKS.items() if applies(case)]
    for check in bind(checks, partial(ForecastCase.of, y=y, X=X, fh=fh)):
        yield forecaster, check


def check_recurrent_forecaster(
    forecaster: Any,
    *,
    y: Any = None,
    X: Any = None,
    fh: Any = (1, 2, 3),
    expected_failed_checks: Expected = None,
    on_skip: OnSkip = "warn",
    on_fail: OnFail = "raise",
    callback: Callback = None,
) -> list[dict[str, Any]]:
    """Check that a forecaster uses nothing of the future, and that its updates and intervals are what they say.

    It needs sktime's interface; its tags say what else it can do.

    Parameters
    ----------
    forecaster : object
        An unfitted forecaster. It stays unfitted.
    y : pandas.Series or DataFrame, default=None
        A series to check with, of at least 36 rows; made if not given.
    X : pandas.DataFrame, default=None
        Exogenous variables for the rows of y and for some beyond.
    fh : sequence of int, default=(1, 2, 3)
        Steps ahead.
    expected_failed_checks : dict of {str: str}, default=None
        Names of checks that may fail, and the reason why.
    on_skip : {"warn"} or None, default="warn"
        Whether to warn of a check that could not be run.
    on_fail : {"raise", "warn"} or None, default="raise"
        Whether to raise the error of the first check that fails, to warn of each, or only to report them.
    callback : callable, default=None
        Called with each result, as keywords; not with ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        As those of `check_recurrent_estimator`.

    See Also
    --------
    parametrize_with_recurrent_checks : The same checks as parameters of a test.

    Examples
    --------
    >>> from sklrnn.forecasting import GRUForecaster
    >>> from sklrnn.testing import check_recurrent_forecaster
    >>> model = GRUForecaster(units=2, max_epochs=2, n_networks=1, window_length=8)
    >>> results = check_recurrent_forecaster(model)
    >>> {result["status"] for result in results}
    {'passed'}
    """
    check_expected_names(expected_failed_checks, [check.__name__ for check in _CHECKS])
    return run_checks(
        forecaster,
        [check for _, check in forecaster_checks_generator(forecaster, y=y, X=X, fh=fh)],
        expected_failed_checks=expected_failed_checks,
        on_skip=on_skip,
        on_fail=on_fail,
        callback=callback,
    )
