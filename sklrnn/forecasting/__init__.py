"""Forecasters with sktime's interface, and their comparison."""

from sklrnn.forecasting.comparison.compare import compare
from sklrnn.forecasting.comparison.comparison import Comparison
from sklrnn.forecasting.long_form import panel_from_long
from sklrnn.forecasting.named_forecasters import (
    CNNLSTMForecaster,
    GRUForecaster,
    LSTMForecaster,
    RecurrentForecaster,
    SimpleRNNForecaster,
)

__all__ = [
    "CNNLSTMForecaster",
    "Comparison",
    "GRUForecaster",
    "LSTMForecaster",
    "RecurrentForecaster",
    "SimpleRNNForecaster",
    "compare",
    "panel_from_long",
]
