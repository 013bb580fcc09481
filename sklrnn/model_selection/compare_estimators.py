"""Compare regressors or classifiers by a cross-validation on identical splits."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable

from sklrnn._suggestions import did_you_mean
from sklrnn.inputs.user_warnings import warn_user
from sklrnn.model_selection.estimator_comparison import EstimatorComparison

__all__ = ["compare_estimators"]

Split = tuple[Any, Any]
_FIRST_COLUMNS = ("estimator", "fold", "n_train", "n_test")
_LAST_COLUMNS = ("fit_seconds", "predict_seconds", "n_parameters", "n_warnings", "error")
# Addressed to the developers of a library; they are neither counted nor shown.
_FOR_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


def compare_estimators(
    estimators: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any = None,
    *,
    cv: Any = None,
    scoring: str | Callable[..., float] | Sequence[str] | Mapping[str, Any] | None = None,
    groups: Any = None,
    params: Mapping[str, Any] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> EstimatorComparison:
    """Compare regressors or classifiers by a cross-validation on identical splits.

    A clone of each estimator is fitted and scored on each split, as by scikit-learn's ``cross_validate``. The splits
    are drawn once, so a splitter that shuffles gives all estimators the same samples.

    Parameters
    ----------
    estimators : dict or list
        Estimators of scikit-learn, of this package or others, pipelines and searches. A dict gives each its name; in a
        list they are called by their class.

    X : array-like, DataFrame or list
        Samples, as the estimators take them.

    y : array-like or list, default=None
        Targets.

    cv : int, cross-validation splitter or iterable, default=None
        Number of folds, a splitter such as `PurgedTimeSeriesSplit`, or pairs ``(train, test)`` of indices. An int or
        None is what it is in scikit-learn: that many blocks, or 5, which for classifiers are stratified. Blocks train
        on the future of the test samples: series need a splitter in the order of time.

    scoring : str, callable, list, tuple or dict, default=None
        One scorer or several, as in ``cross_validate``; None is the ``score`` of each estimator. The first one ranks.

    groups : array-like, default=None
        Groups of the samples, for splitters of groups.

    params : dict, default=None
        Passed to ``fit``, such as ``{"sample_weight": ...}``, as by ``cross_validate``.

    n_jobs : int, default=None
        Number of parallel processes, as in joblib. The scores do not depend on it, but the seconds do.

    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    EstimatorComparison
        With the scores in ``results``, ``summary()`` and ``plot()``.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        If an estimator failed; the others are compared nevertheless. Its scores are NaN where it failed, and it ranks
        last there.

    Notes
    -----
    Warnings of the estimators are not shown, but counted in ``results``.

    See Also
    --------
    sklrnn.forecasting.compare : Compare forecasters on identical cut-offs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklrnn import GRURegressor, compare_estimators
    >>> X = np.random.default_rng(0).normal(size=(300, 10))
    >>> y = np.abs(X[:, -3:]).sum(axis=1)
    >>> gru = GRURegressor(units=16, max_epochs=30, random_state=0)
    >>> comparison = compare_estimators({"ridge": Ridge(), "GRU": gru}, X, y, cv=TimeSeriesSplit(3), scoring="r2")
    >>> comparison.summary()["rank"].to_dict()
    {'GRU': 1.0, 'ridge': 2.0}
    """
    named = _name_estimators(estimators)
    _check_scoring(scoring)
    X, y, groups = indexable(X, y, groups)
    splits = _draw_splits(cv, X, y, groups, named)
    jobs = [(name, estimator, fold, split) for name, estimator in named.items() for fold, split in enumerate(splits)]
    # Processes, not threads: the filters of warnings belong to all threads.
    done: Iterable[tuple[dict[str, Any], dict[str, float]]] = Parallel(
        n_jobs=n_jobs, prefer="processes", return_as="generator"
    )(delayed(_evaluate)(name, estimator, fold, split, X, y, scoring, params) for name, estimator, fold, split in jobs)
    if verbose:
        from tqdm.auto import tqdm

        done = tqdm(done, total=len(jobs), unit="fit", desc="Comparing")
    evaluated = list(done)
    metrics = next((tuple(scores) for _, scores in evaluated if scores), _asked(scoring))
    rows = [row | dict.fromkeys(metrics, np.nan) | scores for row, scores in evaluated]
    results = pd.DataFrame(rows)[[*_FIRST_COLUMNS, *metrics, *_LAST_COLUMNS]]
    comparison = EstimatorComparison(estimators=named, results=results, metrics=metrics)
    if comparison.failures:
        warn_user(
            "\n".join(["Some estimators failed; the others are compared.", *comparison.failures]), FitFailedWarning
        )
    return comparison


def _evaluate(
    name: str, estimator: Any, fold: int, split: Split, X: Any, y: Any, scoring: Any, params: Any
) -> tuple[dict[str, Any], dict[str, float]]:
    """Fit and score one estimator on one split: a row of the table, and its scores, none where it failed."""
    scores: dict[str, float] = {}
    row: dict[str, Any] = {"estimator": name, "fold": fold, "n_train": len(split[0]), "n_test": len(split[1])}
    row |= {"fit_seconds": np.nan, "predict_seconds": np.nan, "n_parameters": np.nan, "error": ""}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = cross_validate(
                clone(estimator),
                X,
                y,
                cv=[split],
                scoring=scoring,
                params=params,
                error_score="raise",
                return_estimator=True,
            )
        except Exception as error:  # whatever an estimator raises, the others are compared
            # scikit-learn writes its own function into the message about a parameter, and keeps the first as the cause.
            first = error.__cause__ if type(error.__cause__) is type(error) else error
            row["error"] = " ".join(f"{type(first).__name__}: {first}".split())
        else:
            scores = {key.removeprefix("test_"): value[0] for key, value in found.items() if key.startswith("test_")}
            if isinstance(scoring, str):
                scores = {scoring: scores["score"]}
            row |= {"fit_seconds": found["fit_time"][0], "predict_seconds": found["score_time"][0]}
            row["n_parameters"] = _count_parameters(found["estimator"][0])
    row["n_warnings"] = sum(not issubclass(each.category, _FOR_DEVELOPERS) for each in caught)
    return row, scores


def _count_parameters(estimator: Any) -> float:
    """Trained numbers of a network or a linear model; NaN for others."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "regressor_"):  # of a TransformedTargetRegressor
            estimator = estimator.regressor_
        else:
            break
    if hasattr(estimator, "n_parameters_"):
        return float(estimator.n_parameters_)
    found = [getattr(estimator, name, None) for name in ("coef_", "intercept_", "coefs_", "intercepts_")]
    if all(part is None for part in found):
        return np.nan
    arrays = [array for part in found if part is not None for array in (part if isinstance(part, list) else [part])]
    return float(sum(np.size(array) for array in arrays))


def _draw_splits(cv: Any, X: Any, y: Any, groups: Any, named: Mapping[str, Any]) -> list[Split]:
    classifies = {name: is_classifier(estimator) for name, estimator in named.items()}
    if len({*classifies.values()}) > 1:
        names = {kind: [name for name in named if classifies[name] is kind] for kind in (True, False)}
        raise ValueError(
            f"{names[True]} are classifiers, {names[False]} are not; scores of both can't be compared. Compare each "
            "kind by itself."
        )
    checked = check_cv(cv, y, classifier=any(classifies.values()))
    splits = list(checked.split(X, y, groups))
    if not splits:
        raise ValueError(f"There are no splits to compare on: cv={cv!r} is empty.")
    return splits


def _check_scoring(scoring: Any) -> None:
    """Refuse an unknown name at once: every fit would fail by it."""
    named = scoring.values() if isinstance(scoring, dict) else [scoring] if isinstance(scoring, str) else scoring
    known = get_scorer_names()
    for name in named if isinstance(named, Iterable) else []:
        if isinstance(name, str) and name not in known:
            raise ValueError(
                f"scoring={name!r} is not the name of a score.{did_you_mean(name, known)} "
                "sklearn.metrics.get_scorer_names() lists all."
            )


def _asked(scoring: Any) -> tuple[str, ...]:
    """The names of the scores where no estimator has one."""
    if isinstance(scoring, str):
        return (scoring,)
    return tuple(scoring) if isinstance(scoring, list | tuple | set | dict) else ("score",)


def _name_estimators(estimators: Any) -> dict[str, Any]:
    """Check the estimators, and give each its name."""
    if isinstance(estimators, BaseEstimator) or not isinstance(estimators, Iterable):
        estimators = [estimators]
    pairs = estimators.items() if isinstance(estimators, Mapping) else [(type(one).__name__, one) for one in estimators]
    names = [str(name) for name, _ in pairs]
    if not names:
        raise ValueError("There are no estimators to compare: estimators is empty.")
    for _, estimator in pairs:
        if isinstance(estimator, type):
            raise TypeError(
                f"{estimator.__name__} is a class, and estimators need settings: pass {estimator.__name__}()."
            )
        if not hasattr(estimator, "fit"):
            raise TypeError(f"Estimators need a method fit, got {estimator!r}.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(
            f"Each estimator needs a name of its own, but {', '.join(map(repr, repeated))} is there more than once. "
            "Pass a dict, such as compare_estimators({'small': ..., 'large': ...}, ...)."
        )
    return dict(zip(names, (estimator for _, estimator in pairs), strict=True))
