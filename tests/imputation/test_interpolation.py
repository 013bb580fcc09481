"""Interpolation, masking, and how series are cut into segments: against brute force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.imputation.features import FeatureBuilder, Scales
from sklrnn.imputation.interpolation import IncompleteSeries, interpolate
from sklrnn.imputation.masking import MaskedDataset, MaskSampler, fit_features, gap_lengths
from sklrnn.imputation.segments import Segments, draw_segments, tile


def series_of(*parts, calendar=None):
    values = np.concatenate(parts).astype(float)
    values = values.reshape(len(values), -1)
    lengths = np.array([len(part) for part in parts])
    return IncompleteSeries(values, np.zeros((len(values), 0)) if calendar is None else calendar, lengths)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def series(rng):
    parts = [rng.normal(size=(length, 3)) for length in (40, 1, 7)]
    for part in parts:
        part[rng.random(part.shape) < 0.4] = np.nan
    parts[2][:, 1] = np.nan
    return series_of(*parts)


@pytest.mark.parametrize("ahead", [True, False])
def test_interpolation_is_that_of_pandas_series_by_series(series, ahead):
    fallback = np.array([7.0, 8.0, 9.0])
    interpolated = interpolate(series, ~np.isnan(series.values), fallback, ahead=ahead).interpolated
    for part, own in zip(np.split(series.values, [40, 41]), np.split(interpolated, [40, 41]), strict=True):
        frame = pd.DataFrame(part)
        expected = frame.interpolate(limit_area="inside").ffill().bfill() if ahead else frame.ffill()
        assert_allclose(own, expected.fillna(dict(enumerate(fallback))).to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("ahead", [True, False])
def test_distances_count_rows_of_the_same_series(series, ahead):
    visible = ~np.isnan(series.values)
    interpolation = interpolate(series, visible, np.zeros(3), ahead=ahead)
    for row, column in np.ndindex(*visible.shape):
        own = np.arange(series.first[row], series.end[row])
        known = own[visible[own, column]]
        earlier, later = known[known <= row], known[known >= row]
        assert interpolation.before[row, column] == (row - earlier.max() if len(earlier) else np.inf)
        if ahead:
            assert interpolation.after[row, column] == (later.min() - row if len(later) else np.inf)


def test_without_looking_ahead_no_later_row_has_an_effect(series, rng):
    visible = ~np.isnan(series.values)
    changed = IncompleteSeries(series.values.copy(), series.calendar, series.lengths)
    changed.values[20:] = rng.normal(size=changed.values[20:].shape)
    also_changed = visible.copy()
    also_changed[20:] = rng.random(also_changed[20:].shape) < 0.5
    before, after = (
        interpolate(s, v, np.zeros(3), ahead=False) for s, v in ((series, visible), (changed, also_changed))
    )
    assert_array_equal(before.interpolated[:20], after.interpolated[:20])
    assert_array_equal(before.before[:20], after.before[:20])


def test_gaps_are_measured_within_series():
    nan = np.nan
    series = series_of(np.array([nan, 1, nan, nan]), np.array([nan, 2, nan]))
    assert sorted(gap_lengths(np.isnan(series.values), series)) == [1, 1, 1, 2]
    assert len(gap_lengths(np.zeros((7, 1), bool), series)) == 0


def test_only_known_values_are_masked_and_differently_each_time(rng):
    missing = rng.random((400, 2)) < 0.1
    sampler = MaskSampler.like(np.array([5, 5, 900]), longest=16)
    assert sampler.gap_lengths.max() == 32
    masks = [sampler.sample(missing, rng) for _ in range(30)]
    assert not any((masked & missing).any() for masked in masks)
    shares = [masked.sum() / (~missing).sum() for masked in masks]
    assert 0.05 < np.mean(shares) < 0.3
    assert min(shares) > 0.01
    assert len({masked.tobytes() for masked in masks}) == 30
    together = np.mean([masked[~missing.any(axis=1)].all(axis=1).sum() / masked.any(axis=1).sum() for masked in masks])
    assert 0.2 < together < 0.8  # some masks have their gaps in all columns at once, others in each by itself


def test_gaps_of_every_length_are_masked(rng):
    masked = MaskSampler.like(np.zeros(0, dtype=int), longest=20).sample(np.zeros((20000, 1), bool), rng)
    lengths = gap_lengths(masked, series_of(np.zeros(20000)))
    assert set(range(1, 15)) <= set(lengths)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=4), st.integers(1, 20), st.booleans())
def test_each_row_is_predicted_once_with_rows_around_it(lengths, window, ahead):
    lengths = np.array(lengths)
    segments, begin, stop = tile(lengths, window, ahead=ahead)
    predicted = np.concatenate([rows[a:b] for rows, a, b in zip(segments.rows, begin, stop, strict=True)])
    assert_array_equal(np.sort(predicted), np.arange(lengths.sum()))
    series = series_of(*[np.zeros(length) for length in lengths])
    hop = max(1, window // 2)
    for rows, length, a, b in zip(segments.rows, segments.lengths, begin, stop, strict=True):
        own = rows[:length]
        assert_array_equal(own, np.arange(own[0], own[0] + length))
        assert series.first[own[0]] == series.first[own[-1]]
        if own[0] > series.first[own[0]]:
            assert a == ((window - hop) // 2 if ahead else window - hop)
        if own[-1] + 1 < series.end[own[0]]:
            assert length - b == (window - hop - (window - hop) // 2 if ahead else 0)


def test_where_segments_begin_does_not_depend_on_the_end():
    long, short = tile(np.array([100]), 10, ahead=False), tile(np.array([63]), 10, ahead=False)
    n = len(short.begin)
    assert_array_equal(long.segments.rows[: n - 1], short.segments.rows[: n - 1])
    assert_array_equal(long.begin[:n], short.begin)


def test_drawn_segments_show_all_rows_and_no_other_series(rng):
    lengths = np.array([90, 4, 33])
    series = series_of(*[np.zeros(length) for length in lengths])
    counts = np.zeros(lengths.sum())
    for _ in range(200):
        segments = draw_segments(lengths, 16, rng)
        assert_array_equal(np.sort(np.unique(segments.lengths)), [4, 16])
        rows = segments.rows[segments.is_real]
        numbers = np.repeat(np.arange(len(segments.rows)), segments.lengths)
        assert (series.first[rows] == series.first[segments.rows[numbers, 0]]).all()
        counts += np.bincount(rows, minlength=len(counts))
    assert counts.min() > 40  # the ends of a series too
    assert_array_equal(Segments.of(np.array([3]), np.array([2])).rows, [[3, 4]])


def test_splitting_cuts_the_series_on_the_border(series):
    old, new = series.split(41)
    assert_array_equal(old.lengths, [40, 1])
    assert_array_equal(new.lengths, [7])
    old, new = series.split(10)
    assert_array_equal(old.lengths, [10])
    assert_array_equal(new.lengths, [30, 1, 7])
    assert_array_equal(np.concatenate([old.values, new.values]), series.values)


@pytest.mark.parametrize("ahead", [True, False])
def test_masked_values_are_not_in_the_features(rng, ahead):
    values = rng.normal(size=(50, 2))
    calendar = rng.normal(size=(50, 2))
    features = FeatureBuilder(Scales(*np.ones((3, 2))), 20, ahead)
    dataset = MaskedDataset(series_of(values, calendar=calendar), MaskSampler.like(np.array([3]), 5), features)
    interpolation, targets, masked = dataset.sample(np.random.default_rng(1))
    changed = values.copy()
    changed[masked] += 100
    other = MaskedDataset(series_of(changed, calendar=calendar), dataset.sampler, features)
    other_interpolation, other_targets, also_masked = other.sample(np.random.default_rng(1))
    assert_array_equal(masked, also_masked)
    assert_array_equal(interpolation.interpolated, other_interpolation.interpolated)
    assert_allclose(other_targets[masked], targets[masked] + 100)
    segments = draw_segments(np.array([50]), 20, rng)
    built = features.build(interpolation, calendar, segments)
    assert built.shape[2] == dataset.shape[2] == (10 if ahead else 8)
    assert_array_equal(built[:, :, 2:4], ~masked[segments.rows])
    assert_array_equal(built[:, :, -2:], calendar[segments.rows])


def test_levels_look_back_only_where_the_network_does(rng):
    values = rng.normal(size=(30, 1))
    later = values.copy()
    later[20:] += 5
    segments = Segments.of(np.array([0]), np.array([30]))
    for ahead in (True, False):
        features = FeatureBuilder(Scales(*np.ones((3, 1))), 30, ahead)
        interpolations = (
            interpolate(series_of(table), np.ones((30, 1), bool), np.zeros(1), ahead=ahead) for table in (values, later)
        )
        one, two = (features.build(each, np.zeros((30, 0)), segments)[0, :20] for each in interpolations)
        assert (one == two).all() != ahead


@pytest.mark.parametrize("squared", [True, False])
def test_residual_scales_are_the_errors_of_the_interpolation(rng, squared):
    walk = np.cumsum(rng.normal(size=3000))
    columns = np.column_stack([walk, 1000 * walk + 5, np.full(3000, 3.0), np.arange(3000.0)])
    sampler = MaskSampler.like(np.array([1]), 1)
    features = fit_features(series_of(columns), sampler, window=50, ahead=True, squared=squared, seed=0)
    level, spread, residual_scale = features.scales
    assert_allclose(level, columns.mean(axis=0))
    assert_allclose(spread[1], 1000 * spread[0])
    # Half the sum of two steps of a walk; neighbouring gaps of one row now and then make one of two.
    expected = np.sqrt(0.5) if squared else np.sqrt(0.5) * np.sqrt(2 / np.pi)
    assert_allclose(residual_scale[0], expected, rtol=0.2)
    assert_allclose(residual_scale[1], 1000 * residual_scale[0], rtol=0.1)
    assert_array_equal(residual_scale[2:], 0.0)  # a constant and a straight line are interpolated exactly
    assert spread[2] == 1.0
