"""The SlidingWindow in what a user passes, and the names of the features in its windows."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklrnn.preprocessing.sliding_window import SlidingWindow


def find_window(est: Any, X: Any = None) -> tuple[SlidingWindow | None, Any]:
    """The first fitted SlidingWindow of an estimator, and X as it is passed to it; None where there is none."""
    if isinstance(est, BaseEstimator):
        check_is_fitted(est)
    if isinstance(est, SlidingWindow):
        return est, X
    if hasattr(est, "best_estimator_"):
        return find_window(est.best_estimator_, X)
    for number, (_, step) in enumerate(est.steps if isinstance(est, Pipeline) else []):
        if isinstance(step, SlidingWindow | Pipeline):
            before = est[:number]
            window, passed = find_window(step, before.transform(X) if number and X is not None else X)
            if window is not None:
                return window, passed
    return None, X


def window_features(window: SlidingWindow) -> list[Any]:
    """The features of each step of a window: names, or positions in X where it had none; then those of the calendar."""
    names = getattr(window, "feature_names_in_", None)
    features = [number if names is None else names[number] for number in window._feature_columns]
    return [*features, *([] if window._calendar is None else window._calendar.names)]
