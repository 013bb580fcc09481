"""The forecasters by the name of their cell, and the one that takes the cell as a parameter."""

from typing import ClassVar

from sklrnn._hyperparameters import hyperparameters
from sklrnn.estimators.cell_notes import with_cell_notes
from sklrnn.estimators.cell_options import CellOptions, GRUOptions, LSTMOptions, SimpleRNNOptions
from sklrnn.forecasting.forecaster import BaseRecurrentForecaster
from sklrnn.nn.cells import CellName


@with_cell_notes
@hyperparameters
class RecurrentForecaster(CellOptions, BaseRecurrentForecaster):
    """Forecast series with a recurrent network, through sktime's interface.

    One series or many, with one channel or several, with or without exogenous variables. A panel or hierarchy is
    trained as one global model. Windows are scaled one by one, so that the model copes with trends and level shifts.

    Notes
    -----
    A step is a row: the times of y must have a fixed frequency, whatever it is. Where a value is missing (NaN), the
    last one before it is read, and the missing target has no weight in the loss.

    Known rows are forecast one step ahead, from the rows before them: NaN where these hold no value.

    `update` reads new rows, which may overlap with known ones and replace them. Unless ``update_params=False``, the
    networks then train on for a tenth of the passes at a fifth of the rate. Each series is forecast from the last row
    that was passed for it.

    See Also
    --------
    sklrnn.forecasting.compare : Compare forecasters on identical cut-offs.

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import RecurrentForecaster
    >>> y = load_air_passengers()
    >>> model = RecurrentForecaster(cell="lstm", units=16, max_epochs=20, random_state=0).fit(y, fh=range(1, 13))
    >>> model.predict().index[-1]
    Period('1961-12', 'M')
    """

    __module__ = "sklrnn.forecasting"


@with_cell_notes
@hyperparameters
class SimpleRNNForecaster(SimpleRNNOptions, BaseRecurrentForecaster):
    """Forecast series with a simple recurrent network: h_t = tanh(W_x x_t + W_h h_{t-1} + b).

    Examples
    --------
    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import SimpleRNNForecaster
    >>> model = SimpleRNNForecaster(max_epochs=10, random_state=0).fit(load_air_passengers(), fh=[1, 2, 3])
    >>> model.predict().shape
    (3,)
    """

    __module__ = "sklrnn.forecasting"

    cell: ClassVar[CellName] = "simple_rnn"


@with_cell_notes
@hyperparameters
class GRUForecaster(GRUOptions, BaseRecurrentForecaster):
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

    __module__ = "sklrnn.forecasting"

    cell: ClassVar[CellName] = "gru"


@with_cell_notes
@hyperparameters
class LSTMForecaster(LSTMOptions, BaseRecurrentForecaster):
    """Forecast series with a long short-term memory.

    Examples
    --------
    >>> from sklrnn.datasets import load_jfk_weather
    >>> from sklrnn.forecasting import LSTMForecaster
    >>> y = load_jfk_weather()[["temp", "dew_point"]].interpolate().iloc[:500]
    >>> LSTMForecaster(max_epochs=1, random_state=0).fit(y, fh=range(1, 25)).predict().shape
    (24, 2)
    """

    __module__ = "sklrnn.forecasting"

    cell: ClassVar[CellName] = "lstm"


@with_cell_notes
@hyperparameters
class CNNLSTMForecaster(LSTMOptions, BaseRecurrentForecaster):
    """Forecast series with 1-D convolutions in front of a long short-term memory.

    Examples
    --------
    >>> from sklrnn.datasets import load_sunspots
    >>> from sklrnn.forecasting import CNNLSTMForecaster
    >>> CNNLSTMForecaster(filters=8, max_epochs=5, random_state=0).fit(load_sunspots()).predict(fh=[1, 2]).shape
    (2,)
    """

    __module__ = "sklrnn.forecasting"

    cell: ClassVar[CellName] = "lstm"
    filters = 32
