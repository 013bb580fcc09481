"""A plot of forecasts against the truth."""

import re
from typing import Any, Self

import numpy as np
import pandas as pd

from sklrnn._plotting import COLOURS, drawable_times, label_times, make_axes
from sklrnn.inspection.forecast_table import (
    Coverage,
    Forecasts,
    align,
    as_table,
    forecast,
    is_forecaster,
    without_long_form,
)
from sklrnn.inspection.recorded_table import check_choice
from sklrnn.timeline.panel import split_entities

_LEAD = re.compile(r"_lead(\d+)$")


class ForecastDisplay:
    """Forecasts against the truth over time, with prediction intervals, of a regressor or a forecaster.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    y_pred : DataFrame
        Forecasts, with a row for each time or sample and a column for each output.
    y_true, lower, upper : DataFrame, default=None
        The truth and the bounds of the intervals, with the same rows and columns.
    coverage : float, default=None
        The coverage of the intervals, for the legend.
    y_train : DataFrame, default=None
        Values that were known before, with the same columns.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the last plot.
    figure_ : matplotlib Figure
        Its figure.
    line_ : matplotlib Line2D
        The line of the forecast.
    truth_line_ : matplotlib Line2D or None
        The line of the truth.
    band_ : matplotlib PolyCollection or None
        The band of the intervals.

    See Also
    --------
    sklrnn.forecasting.Comparison.plot : Forecasts of several forecasters.

    Examples
    --------
    A regressor, which predicts each row of X:

    >>> import numpy as np
    >>> from sklrnn import GRURegressor
    >>> from sklrnn.inspection import ForecastDisplay
    >>> waves = np.sin(np.arange(200.0) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(waves, 12)
    >>> model = GRURegressor(units=8, early_stopping=True, max_epochs=20, random_state=0).fit(X[:150], waves[12:162])
    >>> display = ForecastDisplay.from_estimator(model, X[150:-1], waves[162:])
    >>> [text.get_text() for text in display.ax_.get_legend().texts]
    ['truth', '90 % interval', 'forecast']

    A forecaster, which predicts the times of y:

    >>> from sklrnn.datasets import load_air_passengers
    >>> from sklrnn.forecasting import GRUForecaster
    >>> y = load_air_passengers()
    >>> forecaster = GRUForecaster(units=4, max_epochs=2, n_networks=1, random_state=0).fit(y[:-12], fh=range(1, 13))
    >>> display = ForecastDisplay.from_estimator(forecaster, y=y[-12:], y_train=y[-48:-12])
    >>> display.ax_.get_ylabel()
    'passengers'
    """

    __module__ = "sklrnn.inspection"

    def __init__(
        self,
        *,
        y_pred: pd.DataFrame,
        y_true: pd.DataFrame | None = None,
        lower: pd.DataFrame | None = None,
        upper: pd.DataFrame | None = None,
        coverage: float | None = None,
        y_train: pd.DataFrame | None = None,
    ) -> None:
        self.y_pred = y_pred
        self.y_true = y_true
        self.lower = lower
        self.upper = upper
        self.coverage = coverage
        self.y_train = y_train

    @classmethod
    def from_estimator(
        cls,
        est: Any,
        X: Any = None,
        y: Any = None,
        *,
        fh: Any = None,
        coverage: Coverage = "auto",
        y_train: Any = None,
        ax: Any = None,
        output: Any = None,
        sample: Any = None,
        instance: Any = None,
    ) -> Self:
        """Predict and draw.

        Parameters
        ----------
        est : estimator
            A fitted regressor of this package or of scikit-learn, a pipeline that ends with one, or a search over them;
            or a fitted forecaster with sktime's interface.
        X : array-like, default=None
            What a regressor predicts from; of a forecaster the exogenous variables.
        y : array-like, default=None
            The truth. For a forecaster a Series or DataFrame, whose index are the times to forecast.
        fh : int, list or ForecastingHorizon, default=None
            For a forecaster the horizon, where it is not that of ``y``.
        coverage : float, "auto" or None, default="auto"
            The coverage of the prediction intervals, between 0 and 1. "auto" is 0.9, or that of the outer `quantiles`
            of a regressor, and draws none if the estimator has no intervals (a regressor of this package needs
            ``calibration_cv``, early stopping, or a loss with quantiles). None draws none.
        y_train : Series or DataFrame, default=None
            Known values to draw before the forecast.
        ax, output, sample, instance
            As for `plot`.

        Returns
        -------
        display : ForecastDisplay
            The display, which was drawn.
        """
        forecasts, coverage = forecast(est, X, y, fh, coverage)
        display = cls._of(forecasts, coverage, without_long_form(y_train) if is_forecaster(est) else y_train)
        if sample is not None and is_forecaster(est):
            raise ValueError("sample is for regressors: a forecaster has one forecast. Leave it out.")
        return display.plot(ax, output=output, sample=sample, instance=instance)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        interval: Any = None,
        coverage: float | None = None,
        y_train: Any = None,
        ax: Any = None,
        output: Any = None,
        sample: Any = None,
        instance: Any = None,
    ) -> Self:
        """Draw predictions that are there already.

        Parameters
        ----------
        y_true : array-like of shape (sample,) or (sample, output), or None
            The truth.
        y_pred : array-like of shape (sample,) or (sample, output)
            The predictions.
        interval : array-like of shape (sample, 2) or (sample, output, 2), or DataFrame, default=None
            What ``predict_interval`` of a regressor or of a forecaster returns.
        coverage : float, default=None
            The coverage of the intervals, for the legend.
        y_train : Series or DataFrame, default=None
            Known values to draw before the forecast.
        ax, output, sample, instance
            As for `plot`.

        Returns
        -------
        display : ForecastDisplay
            The display, which was drawn.
        """
        display = cls._of(align(y_true, y_pred, interval), coverage, y_train)
        return display.plot(ax, output=output, sample=sample, instance=instance)

    @classmethod
    def _of(cls, forecasts: Forecasts, coverage: float | None, y_train: Any) -> Self:
        before = None if y_train is None else as_table(y_train, "y_train")
        if before is not None:
            if before.shape[1] != forecasts.y_pred.shape[1]:
                raise ValueError(
                    f"y_train holds {before.shape[1]} column(s), but the forecast has {forecasts.y_pred.shape[1]}."
                )
            before.columns = forecasts.y_pred.columns
        return cls(**forecasts._asdict(), coverage=coverage, y_train=before)

    def plot(self, ax: Any = None, *, output: Any = None, sample: Any = None, instance: Any = None) -> Self:
        """Draw one output over time, or all outputs of one sample.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        output : str or int, default=None
            The column of y: a variable, or a step ahead. None is the first.
        sample : object, default=None
            Draw the outputs of this row, as the index names it, against the steps ahead: they are the steps of one
            forecast, as `supervise` makes them with several steps of `horizon`.
        instance : object, default=None
            The series of a panel; None is the first.

        Returns
        -------
        display : ForecastDisplay
            This display.
        """
        if sample is not None and output is not None:
            raise ValueError(
                "sample draws all outputs of one row, output all rows of one of them: pass one of the two."
            )
        tables, title = self._choose_instance(instance)
        columns = list(self.y_pred.columns)
        if output is not None:
            check_choice("output", output, columns)
        output = columns[0] if output is None else output
        if sample is None:
            parts = {name: table[output] for name, table in tables.items()}
            title += [f"output {output}"] if len(columns) > 1 else []
        else:
            check_choice("sample", sample, list(tables["y_pred"].index))
            steps = _steps_ahead(columns)
            parts = {name: table.loc[sample].set_axis(steps) for name, table in tables.items() if name != "y_train"}
            title += [f"made at {sample}"]
        self.ax_ = make_axes(ax)
        self.figure_ = self.ax_.figure
        self._draw(parts)
        label_times(self.ax_, parts["y_pred"].index, otherwise="sample")
        if sample is not None:
            self.ax_.xaxis.get_major_locator().set_params(integer=True)
        name = output if sample is None else _LEAD.sub("", str(columns[0]))
        self.ax_.set(ylabel=name if isinstance(name, str) else "y", title=", ".join(["Forecast", *title]))
        self.ax_.legend(frameon=False)
        return self

    def _choose_instance(self, instance: Any) -> tuple[dict[str, pd.DataFrame], list[str]]:
        """The tables that are there, of one series, and what a title says of it."""
        names = ("y_train", "y_true", "lower", "upper", "y_pred")
        tables = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.y_pred.index.nlevels == 1:
            if instance is not None:
                raise ValueError(f"There is one series, so instance is left out, got instance={instance!r}.")
            return tables, []
        known = [entity.name for entity in split_entities(self.y_pred.index)]
        instance = known[0] if instance is None else instance
        check_choice("instance", instance, known)
        return {name: table.loc[instance] for name, table in tables.items()}, [str(instance)]

    def _draw(self, parts: dict[str, pd.Series]) -> None:
        y_pred = parts["y_pred"]
        times, colour = drawable_times(y_pred.index), COLOURS[0]
        marker = "o" if len(y_pred) < 3 else None  # so short a line is hard to see
        self.truth_line_ = self.band_ = None
        if "y_train" in parts:
            before = parts["y_train"]
            self.ax_.plot(drawable_times(before.index), before, color="black", linewidth=1, alpha=0.6, label="known")
        if "y_true" in parts:
            (self.truth_line_,) = self.ax_.plot(times, parts["y_true"], color="black", label="truth", marker=marker)
        if "lower" in parts:
            label = "interval" if self.coverage is None else f"{100 * self.coverage:g} % interval"
            bounds = parts["lower"], parts["upper"]
            self.band_ = self.ax_.fill_between(times, *bounds, color=colour, alpha=0.2, linewidth=0, label=label)
        (self.line_,) = self.ax_.plot(times, y_pred, color=colour, linestyle="--", label="forecast", marker=marker)


def _steps_ahead(columns: list[Any]) -> pd.Index:
    """The steps ahead that columns such as ``temp_lead3`` name; otherwise they are counted."""
    found = [_LEAD.search(str(column)) for column in columns]
    counted = np.arange(1, len(columns) + 1)
    steps = np.array([int(match[1]) if match else 0 for match in found])
    return pd.Index(steps if all(found) and len({*steps}) == len(steps) else counted, name="steps ahead")
