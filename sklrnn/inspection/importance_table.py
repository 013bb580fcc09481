"""How much each step and feature of sequences matters to the score of an estimator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state

from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.inputs.feature_names import feature_names
from sklrnn.inputs.ragged import Sequences, lengths_of
from sklrnn.inputs.user_warnings import each_warning_once
from sklrnn.inputs.validation import check_int
from sklrnn.inspection.fitted_network import last_estimator
from sklrnn.inspection.fitted_window import find_window, window_features
from sklrnn.inspection.recorded_table import check_choice
from sklrnn.inspection.sequence_permutation import exchange_steps, in_given_form


def sequence_importance(
    est: Any,
    X: Any,
    y: Any,
    *,
    scoring: Any = None,
    n_repeats: int = 5,
    random_state: Any = None,
    steps_per_block: int = 1,
    features: Sequence[Any] | None = None,
    sample_weight: Any = None,
) -> Bunch:
    """Permutation importance of each step and feature: how much the score falls when their values are exchanged.

    The values of one feature at one time step, or in a block of steps, are exchanged between the samples, at random.
    What a sample gets comes from the same distance to the newest step: no value moves to another step, so nothing of
    a sample's future enters it. The score falls by as much as the estimator relied on these values. Use data that the
    estimator was not fitted on, as `sklearn.inspection.permutation_importance` does for tables.

    Neighbouring steps of a series resemble each other, so that an estimator may get from one what it lost in another:
    then each of them seems to matter little. Exchange several steps together with ``steps_per_block``.

    Parameters
    ----------
    est : estimator
        A fitted regressor or classifier of this package, or another estimator that reads X of shape (sample, time,
        feature); a pipeline that ends with one, such as ``make_pipeline(SlidingWindow(), GRURegressor())``, or a search
        over them.
    X : array-like of shape (sample, time) or (sample, time, feature), or list of (time_i, feature) arrays
        Sequences, or what the pipeline takes, for instance the rows in front of a SlidingWindow. A pipeline transforms
        them first; what is exchanged are the sequences that its last step reads.
    y : array-like
        Targets of the samples, as for ``est.score``.
    scoring : str or callable, default=None
        A scorer of scikit-learn; None is ``est.score``: R² of a regressor, accuracy of a classifier.
    n_repeats : int, default=5
        How often the values of each block and feature are exchanged.
    random_state : int, RandomState instance or None, default=None
        Draws the exchanges; pass an int for the same result in every call.
    steps_per_block : int, default=1
        The number of steps that are exchanged together, counted from the newest. The block that holds the oldest
        step may be shorter. With the length of the sequences it is the importance of a feature as a whole.
    features : sequence of str or int, default=None
        The features to exchange, as the columns of the result name them; None means all.
    sample_weight : array-like of shape (sample,), default=None
        Weights of the samples in the score.

    Returns
    -------
    result : Bunch
        ``importances_mean`` and ``importances_std``: DataFrames of the mean and the standard deviation over the
        repeats, with a row for each block, named by the steps back of its newest step, the oldest first, and a column
        for each feature. ``importances``: an array of shape (block, feature, repeat). ``baseline``: the score of X as
        it is. ``n_steps``: the length of the longest sequence.

    See Also
    --------
    SequenceImportanceDisplay : A plot of the importances.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import sequence_importance
    >>> X = np.random.default_rng(0).normal(size=(300, 6, 2))
    >>> y = X[:, -1, 0] + X[:, -3, 1]
    >>> model = GRURegressor(units=8, max_epochs=50, random_state=0).fit(X[:200], y[:200])
    >>> result = sequence_importance(model, X[200:], y[200:], random_state=0)
    >>> result.importances_mean.shape  # (step, feature)
    (6, 2)
    >>> result.importances_mean.stack().nlargest(2).index.tolist()
    [(0, 0), (2, 1)]
    """
    check_int("n_repeats", n_repeats, 1)
    check_int("steps_per_block", steps_per_block, 1)
    last, given = last_estimator(est, X)
    sequences, is_table = _read(last, given)
    names = _feature_names(est, last, sequences.shape[2])
    chosen = names if features is None else list(features)
    for name in chosen:
        check_choice("features", name, names)
    n_steps = int(lengths_of(sequences).max())
    blocks = [range(first, min(first + steps_per_block, n_steps)) for first in range(0, n_steps, steps_per_block)][::-1]
    scorer = check_scoring(last, scoring=scoring)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    random = check_random_state(random_state)

    def score_exchanged(block: range, name: Any) -> float:
        order = random.permutation(len(sequences))
        flat = exchange_steps(sequences, block, names.index(name), order)
        return float(scorer(last, in_given_form(given, sequences, flat, is_table=is_table), y, **weights))

    with each_warning_once():
        baseline = float(scorer(last, given, y, **weights))
        scores = [[[score_exchanged(b, name) for _ in range(n_repeats)] for name in chosen] for b in blocks]
    importances = baseline - np.array(scores)
    table = {
        "index": pd.Index([block[0] for block in blocks], name="steps_back"),
        "columns": pd.Index(chosen, name="feature"),
    }
    return Bunch(
        importances_mean=pd.DataFrame(importances.mean(axis=2), **table),
        importances_std=pd.DataFrame(importances.std(axis=2), **table),
        importances=importances,
        baseline=baseline,
        n_steps=n_steps,
    )


def _read(last: Any, given: Any) -> tuple[Sequences, bool]:
    """The sequences that the last estimator reads, and whether they were given as a table."""
    sequences: Sequences
    if isinstance(last, RecurrentEstimator):
        sequences = last._check_X(given, reset=False)
        is_table = getattr(given, "ndim", 0) == 2 or getattr(last, "_rank_in", 3) == 2
    else:
        shape = getattr(given, "shape", ())
        if len(shape) != 3:
            raise ValueError(
                f"{type(last).__name__} reads no sequences: they have the shape (sample, time, feature), got "
                f"{shape or type(given).__name__}. Set flatten=False in a SlidingWindow in front of it and take an "
                "estimator that reads sequences, or use sklearn.inspection.permutation_importance for a table."
            )
        sequences, is_table = np.asarray(given), False
    if len(sequences) < 2:
        raise ValueError(f"Values are exchanged between samples, so X needs at least two, got {len(sequences)}.")
    return sequences, is_table


def _feature_names(est: Any, last: Any, n_features: int) -> list[Any]:
    """The names of the features of a step, or their positions."""
    names = feature_names(last, n_features) if isinstance(last, RecurrentEstimator) else None
    if names is not None:
        return list(names)
    window, _ = find_window(est)
    of_window = [] if window is None else window_features(window)
    return of_window if len(of_window) == n_features else list(range(n_features))
