"""The classifiers by the name of their cell, and the one that takes the cell as a parameter."""

from typing import ClassVar

from sklrnn._hyperparameters import hyperparameters
from sklrnn.estimators.base import RecurrentEstimator
from sklrnn.estimators.cell_notes import with_cell_notes
from sklrnn.estimators.cell_options import GRUOptions, LSTMOptions, OptionalCellOptions, SimpleRNNOptions
from sklrnn.estimators.classifier import ClassifierTask
from sklrnn.nn.cells import CellName


@with_cell_notes
@hyperparameters
class RecurrentClassifier(ClassifierTask, OptionalCellOptions, RecurrentEstimator):
    """Assign a label to each sequence with a recurrent network.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import RecurrentClassifier
    >>> X = np.random.default_rng(0).normal(size=(200, 8))
    >>> y = np.where(X.sum(axis=1) > 0, "rise", "fall")
    >>> model = RecurrentClassifier(cell="gru", units=16, max_epochs=30, random_state=0).fit(X, y)
    >>> model.predict(X[:2]).tolist() == y[:2].tolist()
    True
    >>> model.predict_proba(X).shape
    (200, 2)
    """

    __module__ = "sklrnn"


@with_cell_notes
@hyperparameters
class SimpleRNNClassifier(ClassifierTask, SimpleRNNOptions, RecurrentEstimator):
    """Classify sequences with a simple recurrent network: h_t = activation(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import SimpleRNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> SimpleRNNClassifier(units=8, max_epochs=5, random_state=0).fit(X, X[:, -1] > 0).classes_
    array([False,  True])
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "simple_rnn"


@with_cell_notes
@hyperparameters
class GRUClassifier(ClassifierTask, GRUOptions, RecurrentEstimator):
    """Classify sequences with gated recurrent units.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import GRUClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 6))
    >>> y = np.where(X[:, 0] > 0, "up", "down")
    >>> GRUClassifier(units=8, max_epochs=5, random_state=0).fit(X, y).predict(X).shape
    (100,)
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "gru"


@with_cell_notes
@hyperparameters
class LSTMClassifier(ClassifierTask, LSTMOptions, RecurrentEstimator):
    """Classify sequences with a long short-term memory.

    Examples
    --------
    Rows of pixels are the time steps of a digit.

    >>> from sklearn.datasets import load_digits
    >>> from sklrnn import LSTMClassifier
    >>> digits = load_digits()
    >>> model = LSTMClassifier(max_epochs=10, random_state=0).fit(digits.images[:500], digits.target[:500])
    >>> bool(model.score(digits.images[500:1000], digits.target[500:1000]) > 0.8)
    True
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "lstm"


@with_cell_notes
@hyperparameters
class CNNLSTMClassifier(ClassifierTask, LSTMOptions, RecurrentEstimator):
    """Classify sequences with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> import numpy as np
    >>> from sklrnn import CNNLSTMClassifier
    >>> X = np.random.default_rng(0).normal(size=(100, 12, 2))
    >>> y = (X[:, 4:8, 0].mean(axis=1) > 0).astype(int)
    >>> CNNLSTMClassifier(filters=(8, 8), max_epochs=5, random_state=0).fit(X, y).predict_proba(X).shape
    (100, 2)
    """

    __module__ = "sklrnn"

    cell: ClassVar[CellName] = "lstm"
    filters = (32, 32, 32)
    kernel_size = 8
    batch_norm = True
    convolution_skip = True
    pooling = "max"
    max_epochs = "auto"
    n_iter_no_change = "auto"
