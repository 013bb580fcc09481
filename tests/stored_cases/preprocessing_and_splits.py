"""What needs no network: windows, targets, scaled sequences, tokens, splits and the bundled data."""

import numpy as np
import pandas as pd
from sklearn.model_selection import TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler

import sklrnn.datasets
from sklrnn import (
    LeakageError,
    PurgedKFold,
    PurgedTimeSeriesSplit,
    SequenceScaler,
    SlidingWindow,
    TokenEncoder,
    check_no_leakage,
    make_windows,
    supervise,
)

RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(
    {"temp": RNG.normal(size=24), "wind": RNG.normal(size=24), "hour": np.arange(24), "place": ["a", "b"] * 12},
    pd.date_range("2024-01-01", periods=24, freq="h"),
)
SERIES, PANEL = TABLE[["temp", "wind"]], TABLE[["temp", "hour", "place"]]
WITH_HOLES = SERIES.drop(SERIES.index[[5, 6, 13]])
SEQUENCES = [RNG.normal(size=(n, 2)) for n in (3, 1, 4, 2)]
GROUPS = np.repeat([0, 1], 20)


def windowed(X):
    def show(window):
        known, new = X[:16], X[16:]
        window.fit(known)
        return {"known": window.transform(known), "new": window.transform(new), "filled": window.count_filled(new)}

    return show


def lagged(window):
    return window.set_output(transform="pandas").fit_transform(SERIES)


def called(*data):
    def show(function):
        return {str(place): part for place, part in enumerate(function(*data))}

    return show


def scaled(X, **options):
    def show(scaler):
        there = scaler.fit(X, **options).transform(X)
        return {"scaled": there, "back": scaler.inverse_transform(there)}

    return show


def rows_of_splits(X, groups=None):
    def show(splitter):
        return [{"train": train, "test": test} for train, test in splitter.split(X, groups=groups)]

    return show


def leak(check):
    try:
        check(TimeSeriesSplit(3), np.zeros((60, 1)))
    except LeakageError as error:
        return [error.split, error.train_row, error.test_row]
    return [-1, -1, -1]


def encoded(fitted_on, texts):
    def show(encoder):
        codes = encoder.fit(fitted_on).transform(texts)
        return {
            "codes": codes,
            "back": encoder.inverse_transform(codes),
            "vocabulary": list(map(str, encoder.vocabulary_)),
        }

    return show


def some_rows(load):
    rows = load()
    return rows[::400] if isinstance(rows, list) else rows.iloc[:: max(1, len(rows) // 20)]


TABLES = ["load_air_passengers", "load_co2", "load_jfk_weather", "load_names", "load_seattle_weather", "load_sunspots"]
WORDS = (["The cat sat.", "the dog, too", "a cat"], ["The dog sat.", "a cat", "the"])
CASES = {
    "SlidingWindow": (SlidingWindow, windowed(SERIES), {"window_length": 3}),
    "SlidingWindow, array": (SlidingWindow, windowed(SERIES.to_numpy()), {"window_length": 4, "padding": "mean"}),
    "SlidingWindow, holes": (
        SlidingWindow,
        windowed(WITH_HOLES),
        {"window_length": 4, "padding": "nan", "stride_within": 2},
    ),
    "SlidingWindow, padding zero": (
        SlidingWindow,
        windowed(SERIES),
        {"window_length": 3, "padding": "zero", "context": "none"},
    ),
    "SlidingWindow, flatten": (SlidingWindow, lagged, {"window_length": 3, "flatten": True}),
    "SlidingWindow, panel": (
        SlidingWindow,
        windowed(PANEL),
        {"window_length": 3, "groups": "place", "time_column": "hour"},
    ),
    "SlidingWindow, calendar": (
        SlidingWindow,
        windowed(SERIES),
        {"window_length": 3, "calendar": ["day", "week"], "horizon": 2},
    ),
    "supervise, calendar": (supervise, called(SERIES), {"target": "temp", "horizon": [2], "calendar": ["day"]}),
    "supervise": (supervise, called(SERIES), {"target": "temp", "horizon": 2}),
    "supervise, steps": (
        supervise,
        called(WITH_HOLES),
        {"target": ["temp", "wind"], "horizon": [1, 3], "dropna": True},
    ),
    "supervise, rows": (supervise, called(WITH_HOLES), {"target": "wind", "horizon": [2], "steps": "rows"}),
    "supervise, panel": (
        supervise,
        called(PANEL.reset_index(drop=True)),
        {"target": "temp", "horizon": 1, "groups": "place", "time_column": "hour", "steps": "rows"},
    ),
    "make_windows": (make_windows, called(SERIES), {"window_length": 4}),
    "make_windows, options": (
        make_windows,
        called(SERIES[["temp"]].to_numpy()),
        {"window_length": 3, "horizon": 2, "stride": 4, "offset": 2, "stride_within": 2, "y": np.arange(24.0)},
    ),
    "make_windows, panel": (make_windows, called(PANEL[["temp", "place"]]), {"window_length": 3, "groups": "place"}),
    "make_windows, sequences": (
        make_windows,
        called(SERIES),
        {"window_length": 4, "horizon": 2, "stride": 3, "return_sequences": True},
    ),
    "SequenceScaler": (SequenceScaler, scaled(SEQUENCES), {}),
    "SequenceScaler, weights": (SequenceScaler, scaled(SEQUENCES, sample_weight=[1.0, 0.5, 2.0, 0.0]), {}),
    "SequenceScaler, scaler": (SequenceScaler, scaled(np.stack(SEQUENCES[:1] * 3)), {"scaler": MinMaxScaler()}),
    "PurgedTimeSeriesSplit": (
        PurgedTimeSeriesSplit,
        rows_of_splits(np.zeros((40, 1))),
        {"n_splits": 3, "horizon": 2, "window_length": 3},
    ),
    "PurgedTimeSeriesSplit, options": (
        PurgedTimeSeriesSplit,
        rows_of_splits(np.zeros((40, 1))),
        {
            "n_splits": 2,
            "stride_within": 2,
            "window_length": 2,
            "embargo": 1,
            "expanding": False,
            "max_train_size": 9,
            "test_size": 6,
        },
    ),
    "PurgedTimeSeriesSplit, groups": (
        PurgedTimeSeriesSplit,
        rows_of_splits(np.zeros((40, 1)), GROUPS),
        {"n_splits": 2},
    ),
    "PurgedKFold": (
        PurgedKFold,
        rows_of_splits(np.zeros((40, 1))),
        {"n_splits": 3, "horizon": 2, "window_length": 3, "stride_within": 2, "embargo": 1},
    ),
    "PurgedKFold, groups": (PurgedKFold, rows_of_splits(np.zeros((40, 1)), GROUPS), {"n_splits": 2}),
    "check_no_leakage": (check_no_leakage, leak, {"window_length": 2, "horizon": 3}),
    "check_no_leakage, options": (
        check_no_leakage,
        leak,
        {"window_length": 2, "horizon": 1, "stride_within": 3, "groups": np.repeat([0, 1], 30), "y": np.zeros(60)},
    ),
    "TokenEncoder": (TokenEncoder, encoded(["banana", "cab"], ["ban", "can do", "c"]), {}),
    "TokenEncoder, words": (TokenEncoder, encoded(*WORDS), {"analyzer": "word", "lowercase": True, "mark_ends": True}),
    "TokenEncoder, frequent": (TokenEncoder, encoded(*WORDS), {"min_count": 2, "max_tokens": 5, "unknown": "drop"}),
    **{name: (getattr(sklrnn.datasets, name), some_rows, {}) for name in TABLES},
    "load_jfk_weather, fill": (sklrnn.datasets.load_jfk_weather, some_rows, {"fill": False}),
    "load_co2, fill": (sklrnn.datasets.load_co2, some_rows, {"fill": False}),
}
