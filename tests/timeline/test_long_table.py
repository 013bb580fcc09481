"""Long tables are recognised, and the line of code in the error works as it stands."""

import numpy as np
import pandas as pd
import pytest

from sklrnn.timeline.long_table import check_not_long

DAYS = pd.date_range("2024-01-01", periods=4)
LONG = pd.DataFrame({"unique_id": np.repeat(["b", "a"], 4), "ds": [*DAYS, *DAYS], "y": np.arange(8.0)})
NUMBERED = LONG.assign(unique_id=np.repeat([1, 0], 4), ds=[*range(4)] * 2)
SHOPS = LONG.rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})


def error_of(table, called="y"):
    with pytest.raises(TypeError) as caught:
        check_not_long(table, called)
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (LONG, ["unique_id", "ds"]),
        (LONG.assign(ds=LONG["ds"].astype(str)), ["unique_id", "ds"]),
        (LONG.assign(unique_id=LONG["unique_id"].astype("category"), price=1.0), ["unique_id", "ds"]),
        (NUMBERED, ["unique_id", "ds"]),
        (LONG.drop(columns="unique_id")[:4], ["ds"]),
        (SHOPS, ["shop", "day"]),
        (SHOPS.assign(region="west"), ["shop", "region", "day"]),
        (SHOPS.assign(day=SHOPS["day"].dt.to_period("D")), ["shop", "day"]),
        (SHOPS.drop(columns="shop")[:4], ["day"]),
    ],
)
def test_line_in_the_error_sets_the_index(table, names):
    statement = error_of(table).split("Set it: ")[1]
    scope = {"y": table, "pd": pd}
    exec(statement, scope)
    assert list(scope["y"].index.names) == names
    assert scope["y"].shape == (len(table), 1)
    assert scope["y"].index.is_monotonic_increasing
    check_not_long(scope["y"], "y")


def test_error_names_the_columns():
    assert error_of(LONG) == (
        "y has columns for the series ('unique_id') and the times ('ds'), but a forecaster reads them from a "
        "MultiIndex with the times last. Set it: y = y.set_index(['unique_id', 'ds']).sort_index()"
    )
    assert error_of(LONG[["ds", "y"]][:4], "X").endswith("Set it: X = X.set_index('ds').sort_index()")


@pytest.mark.parametrize(
    "other",
    [
        None,
        np.zeros(3),
        LONG["y"],
        LONG[["y"]],
        LONG.set_index(["unique_id", "ds"]),
        LONG[:4].set_index("ds"),
        LONG[["y"]].assign(start=DAYS[0], end=DAYS[1]),
    ],
    ids=["nothing", "array", "series", "numbers", "panel", "indexed", "two dates"],
)
def test_other_tables_pass(other):
    check_not_long(other, "y")
