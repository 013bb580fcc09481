"""The places of rows in the buffer of windows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sklrnn.preprocessing._window_layout import _merge_sorted, place_rows, rows_before_gaps


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_layout_keeps_distances_and_never_fills_from_the_future(rows, span):
    positions = np.array(sorted(rows))
    places, missing, source = place_rows(positions, span)
    assert places[0] == span - 1
    assert_array_equal(np.diff(places), np.minimum(np.diff(positions), span))
    assert sorted([*places, *missing]) == list(range(places[-1] + 1))
    ends = places[np.searchsorted(places, missing)]  # the first window that sees the place
    assert (source <= ends).all()


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_the_rows_that_an_unseen_row_reaches_are_kept_and_no_others(rows, span):
    positions = np.array(sorted(rows))
    kept = positions[rows_before_gaps(positions, span)]
    unseen = set(range(positions[-1] + 1 + span)) - rows
    reached = {past for row in unseen for past in range(row - span + 1, row) if past in rows}
    assert set(kept) == reached


def test_stamps_of_a_finer_unit_are_merged_unrounded():
    known = np.array(["2020-01-01T00:00:00.25", "2020-01-01T00:00:01.75"], dtype="M8[ns]")
    new = np.array(["2020-01-01T00:00:01"], dtype="M8[s]")
    merged, is_new = _merge_sorted(known, new)
    assert_array_equal(merged, [known[0], new[0], known[1]])
    assert_array_equal(is_new, [False, True, False])
