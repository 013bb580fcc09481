"""Times and tables of pandas, and what sktime keeps of them, as plain values that any way of saving knows.

Pickle saves them as they are; skops, which runs no code when it loads, does not.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from sktime.forecasting.base import ForecastingHorizon

from sklrnn.saved_state import with_stamp, without_stamp

_KIND = "sklrnn_kind"

Plain = Any


def to_plain(value: Any) -> Plain:
    """Turn pandas' objects into dicts, in containers too; other values stay as they are."""
    for kind, (encode, _) in _CODECS.items():
        if isinstance(value, kind):
            return {_KIND: kind.__name__, **encode(value)}
    if isinstance(value, dict):
        if all(type(key) is str for key in value):
            return {key: to_plain(item) for key, item in value.items()}
        return {_KIND: "dict", "items": [(to_plain(key), to_plain(item)) for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [to_plain(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def from_plain(value: Plain) -> Any:
    """Undo ``to_plain``."""
    if isinstance(value, dict):
        if value.get(_KIND) == "dict":
            return {from_plain(key): from_plain(item) for key, item in value["items"]}
        parts = {key: from_plain(item) for key, item in value.items() if key != _KIND}
        return _DECODERS[value[_KIND]](**parts) if _KIND in value else parts
    if isinstance(value, list | tuple):
        items = [from_plain(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


class SavedAsPlainValues:
    """Saves the attributes of an object as plain values, with its version."""

    def __getstate__(self) -> dict[str, Any]:
        return with_stamp({name: to_plain(value) for name, value in vars(self).items()}, type(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        content = without_stamp(state, type(self))
        vars(self).update({name: from_plain(value) for name, value in content.items()})


# -- how each kind is written ----------------------------------------------------------------------------------------


def _encode_offset(offset: Any) -> dict[str, Plain]:
    if to_offset(offset.freqstr) == offset:
        return {"name": offset.freqstr}
    # Its name says nothing of what it was made with, such as the holidays of business days.
    made_with = {key: value for key, value in offset.kwds.items() if key not in ("calendar", "offset")}
    if "holidays" in made_with:
        made_with["holidays"] = [str(day) for day in made_with["holidays"]]
    return {"name": type(offset).__name__, "made_with": {"n": offset.n, "normalize": offset.normalize, **made_with}}


def _decode_offset(name: str, made_with: dict[str, Any] | None = None) -> Any:
    return to_offset(name) if made_with is None else getattr(pd.offsets, name)(**made_with)


def _encode_times(index: Any) -> dict[str, Plain]:
    coded = {"numbers": index.asi8, "name": to_plain(index.name), "freq": to_plain(index.freq)}
    if isinstance(index, pd.PeriodIndex):
        return coded
    zone = getattr(index, "tz", None)
    return {**coded, "unit": index.unit, "zone": None if zone is None else str(zone)}


def _decode_datetimes(numbers: Any, name: Any, freq: Any, unit: str, zone: str | None) -> Any:
    index = pd.DatetimeIndex(numbers.view(f"datetime64[{unit}]"), name=name)
    index = index if zone is None else index.tz_localize("UTC").tz_convert(zone)
    return pd.DatetimeIndex(index, freq=freq)


def _decode_timedeltas(numbers: Any, name: Any, freq: Any, unit: str, zone: None) -> Any:
    return pd.TimedeltaIndex(numbers.view(f"timedelta64[{unit}]"), name=name, freq=freq)


def _decode_periods(numbers: Any, name: Any, freq: Any) -> Any:
    kind: Any = pd.PeriodIndex
    return kind.from_ordinals(numbers, freq=freq, name=name)


def _encode_index(index: pd.Index) -> dict[str, Plain]:
    numeric = isinstance(index.dtype, np.dtype) and index.dtype.kind in "biufc"
    values = index.to_numpy() if numeric else [to_plain(value) for value in index]
    return {"values": values, "dtype": str(index.dtype), "name": to_plain(index.name)}


def _decode_index(values: Any, dtype: str, name: Any) -> Any:
    return pd.Index(values, dtype=dtype, name=name, tupleize_cols=False)


def _encode_levels(index: pd.MultiIndex) -> dict[str, Plain]:
    codes = [np.asarray(codes) for codes in index.codes]
    return {"levels": [to_plain(level) for level in index.levels], "codes": codes, "names": to_plain(list(index.names))}


def _encode_scalar(value: Any) -> dict[str, Plain]:
    return {"one": to_plain(pd.Index([value]))}


def _decode_scalar(one: Any) -> Any:
    return one[0]


def _encode_frame(frame: pd.DataFrame) -> dict[str, Plain]:
    values = [to_plain(pd.Index(frame.iloc[:, column])) for column in range(frame.shape[1])]
    return {"values": values, "columns": to_plain(frame.columns), "index": to_plain(frame.index)}


def _decode_frame(values: list[Any], columns: Any, index: Any) -> pd.DataFrame:
    frame = pd.DataFrame({place: pd.Series(column, index=index) for place, column in enumerate(values)}, index=index)
    return frame.set_axis(columns, axis=1)


def _encode_series(series: "pd.Series[Any]") -> dict[str, Plain]:
    return {"values": to_plain(pd.Index(series)), "name": to_plain(series.name), "index": to_plain(series.index)}


def _decode_series(values: Any, name: Any, index: Any) -> "pd.Series[Any]":
    return pd.Series(values, index=index, name=name)


def _encode_horizon(fh: ForecastingHorizon) -> dict[str, Plain]:
    return {"values": to_plain(fh.to_pandas()), "is_relative": fh.is_relative, "freq": to_plain(fh.freq)}


# The first kind that fits counts: subclasses come before the class.
_CODECS: dict[Any, tuple[Callable[[Any], dict[str, Plain]], Callable[..., Any]]] = {
    ForecastingHorizon: (_encode_horizon, ForecastingHorizon),
    pd.offsets.BaseOffset: (_encode_offset, _decode_offset),
    pd.Timestamp: (_encode_scalar, _decode_scalar),
    pd.Timedelta: (_encode_scalar, _decode_scalar),
    pd.Period: (_encode_scalar, _decode_scalar),
    type(pd.NaT): (lambda _: {}, lambda: pd.NaT),
    type(pd.NA): (lambda _: {}, lambda: pd.NA),
    pd.RangeIndex: (
        lambda index: {"start": index.start, "stop": index.stop, "step": index.step, "name": to_plain(index.name)},
        pd.RangeIndex,
    ),
    pd.DatetimeIndex: (_encode_times, _decode_datetimes),
    pd.TimedeltaIndex: (_encode_times, _decode_timedeltas),
    pd.PeriodIndex: (_encode_times, _decode_periods),
    pd.MultiIndex: (_encode_levels, pd.MultiIndex),
    pd.CategoricalIndex: (
        lambda index: {
            "codes": index.codes,
            "categories": to_plain(index.categories),
            "ordered": index.ordered,
            "name": to_plain(index.name),
        },
        lambda codes, categories, ordered, name: pd.CategoricalIndex(
            pd.Categorical.from_codes(codes, categories=categories, ordered=ordered), name=name
        ),
    ),
    pd.Index: (_encode_index, _decode_index),
    pd.DataFrame: (_encode_frame, _decode_frame),
    pd.Series: (_encode_series, _decode_series),
}
_DECODERS = {kind.__name__: decode for kind, (_, decode) in _CODECS.items()}
