"""The rows of each entity are those of a groupby, in the order of their first rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklrnn.timeline.panel import Entity, split_entities, times_of

DAYS = pd.date_range("2024-01-01", periods=4)


@pytest.mark.parametrize(
    "levels",
    [[["b", "a", "c"]], [[3, 1, 2]], [list(pd.date_range("2020", periods=3))], [["b", "a"], [2, 1]]],
    ids=["names", "numbers", "dates", "a hierarchy"],
)
@pytest.mark.parametrize("shuffled", [False, True])
def test_entities_are_those_of_a_groupby(levels, shuffled):
    frame = pd.DataFrame(index=pd.MultiIndex.from_product([*levels, DAYS])).assign(row=lambda frame: range(len(frame)))
    if shuffled:
        frame = frame.sample(frac=1, random_state=0)
    by = list(range(len(levels))) if len(levels) > 1 else 0
    entities = split_entities(frame.index)
    for (name, rows), (key, group) in zip(entities, frame.groupby(level=by, sort=False), strict=True):
        assert name == key
        assert type(name) is type(key)
        assert_array_equal(frame["row"].iloc[rows], group["row"])
        assert times_of(frame.index)[rows].equals(times_of(group.index))


@pytest.mark.parametrize("index", [None, DAYS, pd.RangeIndex(4)])
def test_a_single_series_has_no_name_and_all_rows(index):
    ((name, rows),) = split_entities(index)
    assert name is None
    assert rows == slice(None)
    assert_array_equal(split_entities(index)[0].row_numbers(4), np.arange(4))


def test_the_rows_of_an_entity_are_found_without_numbering_those_of_all():
    rows = np.array([3, 5])
    assert_array_equal(Entity("a", rows).row_numbers(10**15), rows)


def test_a_row_without_entity_is_named():
    with pytest.raises(ValueError, match=r"row 1 has none in the index"):
        split_entities(pd.MultiIndex.from_arrays([["a", None], [1, 2]]))
    with pytest.raises(ValueError, match=r"row 2 has none in groups='town'"):
        split_entities(None, ["a", "b", None], "groups='town'")
