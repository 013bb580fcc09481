"""Holding out the newest of n, whatever is counted."""

import pytest

from sklrnn.inputs.samples import count_older


@pytest.mark.parametrize(("n", "fraction", "expected"), [(10, 0.1, 9), (19, 0.1, 18), (2, 0.5, 1), (100, 0.25, 75)])
def test_the_rest_of_the_newest_is_rounded_up(n, fraction, expected):
    assert count_older(n, fraction) == expected


@pytest.mark.parametrize(("n", "fraction", "least"), [(5, 0.1, 1), (1, 0.9, 1), (10, 0.1, 2), (10, 0.9, 2)])
def test_both_parts_need_enough(n, fraction, least):
    message = f"validation_fraction={fraction} of {n} rows leaves .* both need at least {least}. .* pass more rows"
    with pytest.raises(ValueError, match=message):
        count_older(n, fraction, what="rows", least=least)
