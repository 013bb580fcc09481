"""Forecasters beside sktime's own, and a fair comparison of them."""

from sklrnn.forecasting.comparison.compare import compare
from sklrnn.forecasting.comparison.comparison import Comparison
from sklrnn.forecasting.forecaster import RecurrentForecaster
from sklrnn.forecasting.named_forecasters import CNNLSTMForecaster, GRUForecaster, LSTMForecaster, SimpleRNNForecaster

__all__ = [
    "CNNLSTMForecaster",
    "Comparison",
    "GRUForecaster",
    "LSTMForecaster",
    "RecurrentForecaster",
    "SimpleRNNForecaster",
    "compare",
]
