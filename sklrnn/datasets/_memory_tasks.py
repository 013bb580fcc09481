"""Generated tasks that ask how long a network remembers: adding, echo and copy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.datasets._drawing import check_sizes, random_numbers

Array = NDArray[Any]


def make_adding_problem(
    n_samples: int = 1000, n_timesteps: int = 50, *, random_state: Any = None
) -> tuple[Array, Array]:
    """Generate the adding problem: a sequence of numbers, two of which are marked; the target is their sum.

    A network must keep the first marked number until the second comes. One mark is in each half of the sequence. The
    variance of the target, which is the error of a constant, is 1/6.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sequences.

    n_timesteps : int, default=50
        Length of each sequence, at least 2.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same numbers in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, 2)
        Numbers from 0 to 1, and 1 where a number is marked.

    y : ndarray of shape (n_samples,)
        The sums.

    See Also
    --------
    sklrnn.datasets.make_copy : Write what was read, after a wait.
    sklrnn.datasets.make_echo : Repeat the input some steps later.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, *Long Short-Term Memory*, Neural Computation 9(8), 1997.

    Examples
    --------
    >>> from sklrnn.datasets import make_adding_problem
    >>> X, y = make_adding_problem(100, n_timesteps=30, random_state=0)
    >>> X.shape, y.shape
    ((100, 30, 2), (100,))
    >>> bool(y[0] == X[0, X[0, :, 1] == 1, 0].sum())
    True
    """
    check_sizes(n_samples=(n_samples, 1), n_timesteps=(n_timesteps, 2))
    rng = random_numbers(random_state)
    X = np.zeros((n_samples, n_timesteps, 2))
    X[:, :, 0] = rng.uniform(size=(n_samples, n_timesteps))
    middle, rows = n_timesteps // 2, np.arange(n_samples)
    first, second = rng.randint(0, middle, n_samples), rng.randint(middle, n_timesteps, n_samples)
    X[rows, first, 1] = X[rows, second, 1] = 1.0
    return X, X[rows, first, 0] + X[rows, second, 0]


def make_echo(
    n_samples: int = 1000, n_timesteps: int = 50, *, delay: int = 3, random_state: Any = None
) -> tuple[Array, Array]:
    """Generate the echo task: random bits, to be repeated some steps later.

    It is a task of one output for each step (``return_sequences=True``).

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sequences.

    n_timesteps : int, default=50
        Length of each sequence.

    delay : int, default=3
        How many steps later each bit is to be repeated, less than ``n_timesteps``.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same numbers in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, 1)
        Bits, 0.0 or 1.0.

    y : ndarray of shape (n_samples, n_timesteps)
        The bit ``delay`` steps before, 0 or 1; and 0 in the first ``delay`` steps, which have none.

    See Also
    --------
    sklrnn.datasets.make_copy : Write what was read, after a wait.
    sklrnn.datasets.make_adding_problem : Add two marked numbers.

    Examples
    --------
    >>> from sklrnn.datasets import make_echo
    >>> X, y = make_echo(1, n_timesteps=8, delay=2, random_state=0)
    >>> X[0, :, 0].astype(int), y[0]
    (array([0, 1, 1, 0, 1, 1, 1, 1]), array([0, 0, 0, 1, 1, 0, 1, 1]))
    """
    check_sizes(n_samples=(n_samples, 1), n_timesteps=(n_timesteps, 1), delay=(delay, 0))
    if delay >= n_timesteps:
        raise ValueError(f"delay must be less than n_timesteps, got delay={delay} and n_timesteps={n_timesteps}.")
    bits = random_numbers(random_state).randint(0, 2, (n_samples, n_timesteps))
    y = np.zeros_like(bits)
    y[:, delay:] = bits[:, : n_timesteps - delay]
    return bits[:, :, np.newaxis].astype(float), y


def make_copy(
    n_samples: int = 1000,
    *,
    length: int = 10,
    delay: int = 20,
    n_symbols: int = 8,
    one_hot: bool = True,
    random_state: Any = None,
) -> tuple[Array, Array]:
    """Generate the copy task: read some symbols, wait, and write them once a signal is given.

    The symbols come first, then ``delay`` steps, the last of which is the signal, then ``length`` blanks, in which the
    symbols are to be written. It is a task of one output for each step (``return_sequences=True``); the target of all
    steps before the last ``length`` is blank.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of sequences.

    length : int, default=10
        Number of symbols to copy.

    delay : int, default=20
        Number of steps from the last symbol to the signal, at least 1.

    n_symbols : int, default=8
        Number of different symbols.

    one_hot : bool, default=True
        Give a column for the blank, each symbol and the signal, 1.0 where it is; with False integer tokens, for
        estimators with ``embedding_dim``.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same numbers in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, 2 * length + delay, n_symbols + 2) or (n_samples, 2 * length + delay)
        What is read: 0 for a blank, symbols from 1, ``n_symbols + 1`` for the signal, or a column for each of them.

    y : ndarray of shape (n_samples, 2 * length + delay)
        What is to be written: blanks (0), then the symbols.

    See Also
    --------
    sklrnn.datasets.make_echo : Repeat the input some steps later.
    sklrnn.datasets.make_adding_problem : Add two marked numbers.

    References
    ----------
    M. Arjovsky, A. Shah and Y. Bengio, *Unitary Evolution Recurrent Neural Networks*, ICML 2016.

    Examples
    --------
    >>> from sklrnn.datasets import make_copy
    >>> X, y = make_copy(1, length=3, delay=2, n_symbols=5, one_hot=False, random_state=0)
    >>> X[0], y[0]
    (array([5, 1, 4, 0, 6, 0, 0, 0]), array([0, 0, 0, 0, 0, 5, 1, 4]))
    """
    check_sizes(n_samples=(n_samples, 1), length=(length, 1), delay=(delay, 1), n_symbols=(n_symbols, 1))
    symbols = random_numbers(random_state).randint(1, n_symbols + 1, (n_samples, length))
    tokens = np.zeros((n_samples, 2 * length + delay), dtype=np.int64)
    y = np.zeros_like(tokens)
    tokens[:, :length] = y[:, -length:] = symbols
    tokens[:, length + delay - 1] = n_symbols + 1
    return (np.eye(n_symbols + 2)[tokens] if one_hot else tokens), y
