"""The forecasters by the name of their cell."""

from typing import ClassVar

from sklrnn._hyperparameters import hyperparameters
from sklrnn.forecasting.forecaster import RecurrentForecaster


@hyperparameters
class SimpleRNNForecaster(RecurrentForecaster):
    """Forecast series with a simple recurrent network: h_t = tanh(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import SimpleRNNForecaster
    >>> model = SimpleRNNForecaster(max_epochs=10, random_state=0).fit(load_air_passengers(), fh=[1, 2, 3])
    >>> model.predict().shape
    (3,)
    """

    cell: ClassVar[str] = "simple_rnn"  # type: ignore[misc]


@hyperparameters
class GRUForecaster(RecurrentForecaster):
    """Forecast series with gated recurrent units.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import GRUForecaster
    >>> model = GRUForecaster(max_epochs=10, random_state=0).fit(load_air_passengers(), fh=range(1, 13))
    >>> model.predict_interval(coverage=0.9).shape
    (12, 2)
    >>> model.sp_, model.window_length_, model.fold_
    (12, 48, 12)
    """

    cell: ClassVar[str] = "gru"  # type: ignore[misc]


@hyperparameters
class LSTMForecaster(RecurrentForecaster):
    """Forecast series with a long short-term memory.

    Examples
    --------
    >>> from sklrnn.datasets import load_jfk_weather
    >>> from sklrnn.forecasting import LSTMForecaster
    >>> y = load_jfk_weather()[["temp", "dew_point"]].interpolate().iloc[:500]
    >>> LSTMForecaster(max_epochs=1, random_state=0).fit(y, fh=range(1, 25)).predict().shape
    (24, 2)
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]


@hyperparameters
class CNNLSTMForecaster(RecurrentForecaster):
    """Forecast series with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> from sklrnn.datasets import load_sunspots
    >>> from sklrnn.forecasting import CNNLSTMForecaster
    >>> CNNLSTMForecaster(filters=8, max_epochs=5, random_state=0).fit(load_sunspots()).predict(fh=[1, 2]).shape
    (2,)
    """

    cell: ClassVar[str] = "lstm"  # type: ignore[misc]
    filters = 32
