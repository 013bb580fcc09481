"""The regressors by the name of their cell, and the one that takes the cell as a parameter."""

from typing import ClassVar

from sklrnn._hyperparameters import hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.cell_notes import with_cell_notes
from sklrnn.estimators.cell_options import GRUOptions, LSTMOptions, OptionalCellOptions, SimpleRNNOptions
from sklrnn.estimators.regressor import RegressorTask
from sklrnn.nn.cells import CellName


@with_cell_notes
@hyperparameters
class RecurrentRegressor(RegressorTask, OptionalCellOptions, RecurrentEstimator):
    """Regress on sequences with a recurrent network.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import RecurrentRegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 8))
    >>> y = 1000 + 50 * X[:, -3:].sum(axis=1)
    >>> model = RecurrentRegressor(cell="lstm", units=16, max_epochs=60, random_state=0).fit(X, y)
    >>> model.predict(X).shape
    (200,)
    >>> bool(model.score(X, y) > 0.9)
    True
    """

    __module__ = "sklrnn"


@with_cell_notes
@hyperparameters
class SimpleRNNRegressor(RegressorTask, SimpleRNNOptions, RecurrentEstimator):
    """Regress on sequences with a simple recurrent network: h_t = activation(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> SimpleRNNRegressor(units=8, max_epochs=5, random_state=0).fit(X, X.sum(axis=1)).predict(X).shape
    (100,)
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "simple_rnn"


@with_cell_notes
@hyperparameters
class GRURegressor(RegressorTask, GRUOptions, RecurrentEstimator):
    """Regress on sequences with gated recurrent units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> series = 500 + 100 * np.sin(np.arange(300) / 5)
    >>> windows = np.lib.stride_tricks.sliding_window_view(series, 12)
    >>> X, y = windows[:-1], series[12:]
    >>> model = GRURegressor(units=16, max_epochs=30, random_state=0).fit(X[:200], y[:200])
    >>> bool(model.score(X[200:], y[200:]) > 0.95)
    True
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "gru"


@with_cell_notes
@hyperparameters
class LSTMRegressor(RegressorTask, LSTMOptions, RecurrentEstimator):
    """Regress on sequences with a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import LSTMRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 6, 2))
    >>> y = np.stack([X[:, -1, 0], X[:, 0, 1]], axis=1)
    >>> LSTMRegressor(units=(8, 8), max_epochs=5, random_state=0).fit(X, y).predict(X).shape
    (100, 2)
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "lstm"


@with_cell_notes
@hyperparameters
class CNNLSTMRegressor(RegressorTask, LSTMOptions, RecurrentEstimator):
    """Regress on sequences with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 12))
    >>> model = CNNLSTMRegressor(filters=8, kernel_size=3, pool_size=2, max_epochs=5, random_state=0)
    >>> model.fit(X, X[:, -1]).hidden_states(X).shape
    (100, 6, 32)
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "lstm"
    filters = 32
