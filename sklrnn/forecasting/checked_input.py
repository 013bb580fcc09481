"""What sktime does with y and X before a forecaster reads them, where it would go wrong or take long."""

from typing import Any

import pandas as pd

from sklrnn.forecasting.panel_rows import latest_time
from sklrnn.timeline.long_table import check_not_long


class ChecksInput:
    """Checks of a forecaster; comes before the base class of sktime."""

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        # sktime speaks of categorical features, or takes numbers of series for a channel.
        check_not_long(y, "y")
        check_not_long(X, "X")
        return super()._check_X_y(X=X, y=y, **options)  # type: ignore[misc]

    def _set_cutoff_from_y(self, y: Any) -> None:
        # sktime makes a frame of the whole index of a panel, with the name of a series in each row.
        if isinstance(y, pd.DataFrame) and isinstance(y.index, pd.MultiIndex) and len(y):
            self._cutoff = latest_time(y.index)
        else:
            super()._set_cutoff_from_y(y)  # type: ignore[misc]
