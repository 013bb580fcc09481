"""Checks that only a training that succeeds changes a fitted forecaster, and that containers of y are read alike."""

from typing import Any

import numpy as np

from sklrnn.testing.comparisons import assert_same
from sklrnn.testing.forecast_case import ForecastCase
from sklrnn.testing.options import describe_parameters


def check_forecasting_changes_nothing(case: ForecastCase) -> None:
    """After `predict`, a forecaster forecasts and trains on as if it had not been called."""
    model = case.fit()
    parameters, first = describe_parameters(model), case.answers(model)
    if case.has_tag("capability:pred_int"):
        model.predict_interval(fh=list(case.fh), **case.future(case.n_known))
    assert_same(case.answers(model), first, f"predict of {case.name} changed what it forecasts the next time.")
    if describe_parameters(model) != parameters:
        raise AssertionError(
            f"predict of {case.name} changed parameters: {parameters} became {describe_parameters(model)}."
        )
    assert_same(
        case.answers(case.train_on(model)),
        case.answers(case.train_on(case.fit())),
        f"{case.name} trains on differently after predict was called.",
    )


def check_failed_update_keeps_the_old_forecaster(case: ForecastCase) -> None:
    """An update that raises an error leaves forecasts as they were."""
    infinite = case.y.copy()
    infinite.iloc[case.n_known :] = np.inf
    text = case.y.astype(object)
    text.iloc[case.n_known :] = "word"
    for reason, y in (("infinity in y", infinite), ("words in y", text)):
        model = case.fit()
        expected = case.answers(model)
        try:
            case.update(model, case.n_known, case.n_known + 2, y, update_params=True)
        except Exception:
            claim = f"An update of {case.name} that failed because of {reason} changed"
            try:
                found = case.answers(model)
            except Exception as error:
                raise AssertionError(f"{claim} the forecaster, which can't predict any more: {error}") from error
            assert_same(found, expected, f"{claim} its forecasts.")
        else:
            raise AssertionError(f"{case.name} raised no error for {reason}.")


def check_containers_of_y_agree(case: ForecastCase) -> None:
    """A frame of one column, read-only, strided and byte-swapped values are read like the Series."""
    values = case.y.to_numpy()
    locked = values.copy()
    locked.setflags(write=False)
    others = {
        "a frame of one column": case.y.to_frame("y") if case.y.ndim == 1 else case.y,
        "read-only values": _with_values(case, locked),
        "values with gaps between them": _with_values(case, np.repeat(values, 2, axis=0)[::2]),
        "values in the other byte order": _with_values(case, values.astype(values.dtype.newbyteorder())),
    }
    expected = case.answers(case.fit())
    for what, y in others.items():
        assert_same(
            case.answers(case.fit(y=y)).reshape(expected.shape),
            expected,
            f"{case.name} reads {what} differently from the series with these numbers.",
        )


def _with_values(case: ForecastCase, values: Any) -> Any:
    import pandas as pd

    if case.y.ndim > 1:
        return pd.DataFrame(values, index=case.y.index, columns=case.y.columns, copy=False)
    return pd.Series(values, index=case.y.index, name=case.y.name, copy=False)
