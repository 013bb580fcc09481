"""The checks of window transformers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from sklrnn.testing.formats import (
    check_byte_orders_agree,
    check_lists_agree,
    check_masked_arrays_agree,
    check_pandas_agrees,
    check_polars_agrees,
    check_read_only_arrays_agree,
    check_strided_arrays_agree,
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
from sklrnn.testing.seeds_and_threads import check_global_generators_are_untouched
from sklrnn.testing.windows import (
    WindowCase,
    check_blocks_agree_with_the_whole,
    check_rows_are_kept,
    check_series_of_a_panel_do_not_mix,
    check_transform_changes_nothing,
    check_windows_do_not_predict_white_noise,
    check_windows_hold_no_later_row,
    check_windows_hold_their_own_row,
)


def _always(case: WindowCase) -> bool:
    return True


def _reads_arrays(case: WindowCase) -> bool:
    return not hasattr(case.X, "iloc")


# Each check, and for which transformers it makes sense.
_CHECKS: dict[Callable[..., None], Callable[[WindowCase], bool]] = {
    check_rows_are_kept: _always,
    check_windows_hold_no_later_row: _always,
    check_windows_hold_their_own_row: _always,
    check_blocks_agree_with_the_whole: _always,
    check_series_of_a_panel_do_not_mix: _reads_arrays,
    check_transform_changes_nothing: _always,
    check_windows_do_not_predict_white_noise: _always,
    check_global_generators_are_untouched: _always,
    check_pickle_round_trip: _always,
    check_joblib_round_trip: _always,
    check_skops_round_trip: _always,
    check_lists_agree: _reads_arrays,
    check_pandas_agrees: _reads_arrays,
    check_polars_agrees: _reads_arrays,
    check_masked_arrays_agree: _reads_arrays,
    check_read_only_arrays_agree: _reads_arrays,
    check_strided_arrays_agree: _reads_arrays,
    check_byte_orders_agree: _reads_arrays,
}


def window_checks_generator(transformer: Any, *, X: Any = None) -> Iterator[tuple[Any, Check]]:
    """Give the checks of `check_window_transformer` one by one.

    Parameters
    ----------
    transformer : object
        A transformer that gives each row a window.
    X : array-like of shape (row, feature), default=None
        Rows to check with, see `check_window_transformer`.

    Yields
    ------
    transformer : object
        The transformer.
    check : callable
        To be called with the transformer; its failure is an ``AssertionError``.

    Examples
    --------
    >>> from sklrnn import SlidingWindow
    >>> from sklrnn.testing import window_checks_generator
    >>> for transformer, check in window_checks_generator(SlidingWindow(window_length=4)):
    ...     check(transformer)
    """
    refuse_class(transformer)
    case = WindowCase.of(transformer, X)
    checks = [check for check, applies in _CHECKS.items() if applies(case)]
    for check in bind(checks, partial(WindowCase.of, X=X)):
        yield transformer, check


def check_window_transformer(
    transformer: Any,
    *,
    X: Any = None,
    expected_failed_checks: Expected = None,
    on_skip: OnSkip = "warn",
    on_fail: OnFail = "raise",
    callback: Callback = None,
) -> list[dict[str, Any]]:
    """Check that a transformer gives each row a window that ends there, and nothing of later rows.

    Parameters
    ----------
    transformer : object
        An unfitted transformer, with ``fit`` and ``transform``. It stays unfitted.
    X : array-like of shape (row, feature), default=None
        Rows to check with, at least 16; made if not given.
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
    sklrnn.check_no_leakage : Checks the splits of a splitter.

    Examples
    --------
    >>> from sklrnn import SlidingWindow
    >>> from sklrnn.testing import check_window_transformer
    >>> results = check_window_transformer(SlidingWindow(window_length=4))
    >>> {result["status"] for result in results}
    {'passed'}
    """
    check_expected_names(expected_failed_checks, [check.__name__ for check in _CHECKS])
    return run_checks(
        transformer,
        [check for _, check in window_checks_generator(transformer, X=X)],
        expected_failed_checks=expected_failed_checks,
        on_skip=on_skip,
        on_fail=on_fail,
        callback=callback,
    )
