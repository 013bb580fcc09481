"""The base class of sktime, in a form that mypy can read too: see ``inputs.sklearn_classes``."""

MYPY = False

if MYPY:
    from sklrnn.forecasting._sktime_stub import BaseForecaster
else:
    from sktime.forecasting.base import BaseForecaster

__all__ = ["BaseForecaster"]
