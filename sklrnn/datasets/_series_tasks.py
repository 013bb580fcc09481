"""Generated series to forecast: waves, and a level that leaves the range of its training."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklrnn.datasets._drawing import check_numbers, check_sizes, random_numbers

Array = NDArray[Any]


def make_waves(
    n_samples: int = 1000,
    n_timesteps: int = 50,
    *,
    horizon: int = 1,
    return_sequences: bool = False,
    noise: float = 0.03,
    random_state: Any = None,
) -> tuple[Array, Array]:
    """Generate the waves of lectures: 50 steps of two sine waves and noise, and the values that come next.

    Each sample is a series of its own: a slow wave of amplitude 0.5 with 1.6 to 3.2 periods in ``n_timesteps``, and a
    fast one of amplitude 0.2 with 3.2 to 6.4, with random phases.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of series.

    n_timesteps : int, default=50
        Number of steps that are known.

    horizon : int, default=1
        Number of values to predict: 1 for the next, 10 for a vector of the next ten.

    return_sequences : bool, default=False
        Give the next values after each step, not only after the last: the shifted sequence, for an estimator with
        ``return_sequences=True``.

    noise : float, default=0.03
        Standard deviation of the normal noise.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same numbers in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, 1)
        The known values.

    y : ndarray
        The next values: ``(n_samples,)`` or ``(n_samples, horizon)``; with ``return_sequences=True`` ``(n_samples,
        n_timesteps)`` or ``(n_samples, n_timesteps, horizon)``.

    See Also
    --------
    sklrnn.datasets.make_echo : Repeat the input some steps later.

    Examples
    --------
    >>> from sklrnn.datasets import make_waves
    >>> X, y = make_waves(100, horizon=10, random_state=0)
    >>> X.shape, y.shape
    ((100, 50, 1), (100, 10))
    >>> X, y = make_waves(100, return_sequences=True, random_state=0)
    >>> bool((y[:, :-1] == X[:, 1:, 0]).all())
    True
    """
    check_sizes(n_samples=(n_samples, 1), n_timesteps=(n_timesteps, 1), horizon=(horizon, 1))
    check_numbers(0, noise=noise)
    rng = random_numbers(random_state)
    time = np.arange(n_timesteps + horizon) / n_timesteps
    series = rng.normal(scale=noise, size=(n_samples, len(time)))
    for amplitude, slowest in ((0.5, 10.0), (0.2, 20.0)):  # radians in n_timesteps
        speed = rng.uniform(slowest, 2 * slowest, (n_samples, 1))
        series += amplitude * np.sin(speed * time + rng.uniform(0, 2 * np.pi, (n_samples, 1)))
    X = series[:, :n_timesteps, np.newaxis].copy()
    future = np.lib.stride_tricks.sliding_window_view(series[:, 1:], horizon, axis=1)
    y = future if return_sequences else future[:, -1]
    return X, (y[..., 0] if horizon == 1 else y).copy()


def make_drifting_level(
    n_samples: int = 1000,
    n_timesteps: int = 30,
    *,
    drift: float = 0.05,
    noise: float = 0.3,
    season_length: int = 7,
    random_state: Any = None,
) -> tuple[Array, Array]:
    """Generate windows of a series whose level drifts away from where training saw it.

    The level is a random walk: each step adds ``drift`` and normal noise. A season of amplitude 1 lies on it. Samples
    are windows of one series in the order of time, each a step after the one before, so take the last for testing:
    their level is mostly outside of the range of the first, where a network that learnt levels fails and one that
    learnt changes does not (``normalize_X="window"``, ``normalize_y="window"``).

    Parameters
    ----------
    n_samples : int, default=1000
        Number of windows.

    n_timesteps : int, default=30
        Length of each window.

    drift : float, default=0.05
        Mean change of the level in a step.

    noise : float, default=0.3
        Standard deviation of the change of the level in a step.

    season_length : int, default=7
        Steps of a season.

    random_state : int, RandomState instance or None, default=None
        Pass an int for the same numbers in each call.

    Returns
    -------
    X : ndarray of shape (n_samples, n_timesteps, 1)
        Windows.

    y : ndarray of shape (n_samples,)
        The value after each window.

    See Also
    --------
    sklrnn.datasets.fetch_bitcoin : Prices whose level drifts.

    Examples
    --------
    >>> from sklrnn.datasets import make_drifting_level
    >>> X, y = make_drifting_level(random_state=0)
    >>> X.shape, y.shape
    ((1000, 30, 1), (1000,))
    >>> bool(y[800:].mean() > y[:800].max())
    True
    """
    check_sizes(n_samples=(n_samples, 1), n_timesteps=(n_timesteps, 1), season_length=(season_length, 1))
    check_numbers(drift=drift)
    check_numbers(0, noise=noise)
    from sklrnn.preprocessing.make_windows import make_windows

    steps = np.arange(n_samples + n_timesteps)
    changes = random_numbers(random_state).normal(drift, noise, len(steps))
    X, y = make_windows(np.cumsum(changes) + np.sin(2 * np.pi * steps / season_length), window_length=n_timesteps)
    return X.copy(), y
