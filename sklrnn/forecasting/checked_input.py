"""What sktime does with y and X before a forecaster reads them, where it would go wrong or take long.

Tables of polars and PyArrow become frames of pandas before sktime sees them, and forecasts become such tables.
"""

from typing import Any

import pandas as pd

from sklrnn.forecasting.long_tables import LongForm, read_tables
from sklrnn.forecasting.panel_rows import latest_time
from sklrnn.timeline.long_table import check_not_long

_FORM = "long_form"


class ChecksInput:
    """Checks of a forecaster; comes before the base class of sktime."""

    # Where sktime keeps what a conversion of y needs to be undone.
    _converter_store_y: dict[str, Any]

    def predict(self, fh: Any = None, X: Any = None) -> Any:
        """Forecast.

        Parameters
        ----------
        fh : int, list, pandas.Index or ForecastingHorizon, default=None
            The steps ahead, or times; None takes those of `fit`.

        X : pandas.DataFrame or another table, default=None
            Exogenous variables of the rows to forecast.

        Returns
        -------
        y_pred : object
            The forecasts, of the type of the y that `fit` or `update` got last: for a table of polars or PyArrow in the
            long form such a table.
        """
        forecast = super().predict(fh=fh, X=X)  # type: ignore[misc]
        form = self._form_of_y()
        return forecast if form is None else form.write(forecast)

    def _form_of_y(self) -> LongForm | None:
        stored = self._converter_store_y.get(_FORM)
        return None if stored is None else LongForm(**stored)

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        X, y, form = read_tables(X, y, self._form_of_y())
        # sktime speaks of categorical features, or takes numbers of series for a channel.
        check_not_long(y, "y")
        check_not_long(X, "X")
        checked = super()._check_X_y(X=X, y=y, **options)  # type: ignore[misc]
        if y is not None:
            self._converter_store_y.pop(_FORM, None)
            if form is not None:
                self._converter_store_y[_FORM] = form._asdict()
        return checked

    def _set_cutoff_from_y(self, y: Any) -> None:
        # sktime makes a frame of the whole index of a panel, with the name of a series in each row.
        if isinstance(y, pd.DataFrame) and isinstance(y.index, pd.MultiIndex) and len(y):
            self._cutoff = latest_time(y.index)
        else:
            super()._set_cutoff_from_y(y)  # type: ignore[misc]
