"""All checks as parameters of a test of pytest."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sklrnn.testing.estimators import recurrent_checks_generator
from sklrnn.testing.forecasters import forecaster_checks_generator
from sklrnn.testing.gap_case import is_imputer
from sklrnn.testing.kit import Check, Expected, parametrize
from sklrnn.testing.window_transformers import window_checks_generator


def parametrize_with_recurrent_checks(
    estimators: Iterable[Any],
    *,
    expected_failed_checks: Callable[[Any], Expected] | None = None,
    data: Callable[[Any], dict[str, Any]] | None = None,
    xfail_strict: bool | None = None,
) -> Any:
    """Decorate a test, which is then run with each check of each estimator, as by scikit-learn's decorator.

    Forecasters get the checks of `check_recurrent_forecaster`, transformers those of `check_window_transformer`, and
    all others, imputers among them, those of `check_recurrent_estimator`. Needs pytest.

    Parameters
    ----------
    estimators : list of objects
        Estimators, forecasters or window transformers.
    expected_failed_checks : callable, default=None
        Is given an estimator, and returns a dict of the names of checks that may fail and the reasons; these are marked
        as expected failures.
    data : callable, default=None
        Is given an estimator, and returns the data to check it with as a dict: ``X`` and ``y`` of the functions above,
        and ``fh`` of a forecaster.
    xfail_strict : bool, default=None
        Whether a check that passes although it is expected to fail is a failure; None leaves it to pytest's settings.

    Returns
    -------
    decorator : pytest.MarkDecorator
        For a test with the arguments ``estimator`` and ``check``.

    Examples
    --------
    >>> from sklrnn import GRURegressor, SlidingWindow
    >>> from sklrnn.testing import parametrize_with_recurrent_checks
    >>> @parametrize_with_recurrent_checks([GRURegressor(max_epochs=2), SlidingWindow(window_length=5)])
    ... def test_invariants(estimator, check):
    ...     check(estimator)
    """

    def pairs() -> Iterator[tuple[Any, Check]]:
        for estimator in estimators:
            yield from _generator_for(estimator)(estimator, **({} if data is None else data(estimator)))

    return parametrize(pairs(), expected_failed_checks, xfail_strict=xfail_strict)


def _generator_for(estimator: Any) -> Callable[..., Iterator[tuple[Any, Check]]]:
    # By name, as sktime need not be loaded.
    if any(kind.__name__ == "BaseForecaster" for kind in type(estimator).__mro__):
        return forecaster_checks_generator
    if hasattr(estimator, "transform") and not hasattr(estimator, "predict") and not is_imputer(estimator):
        return window_checks_generator
    return recurrent_checks_generator
