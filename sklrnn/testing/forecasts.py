"""Checks of forecasts: nothing from beyond the cutoff, intervals that nest, and updates that are what they say."""

import copy

import numpy as np
import pandas as pd

from sklrnn.testing.comparisons import assert_differs, assert_same
from sklrnn.testing.forecast_case import ForecastCase
from sklrnn.testing.held_out import assert_noise_stays_noise
from sklrnn.testing.options import fresh_copy


def check_forecasts_use_no_y_beyond_the_cutoff(case: ForecastCase) -> None:
    """Forecasts stay when rows of y after their cutoff change, both after `fit` and in `update_predict`."""
    # The rows that come later lie behind the known ones in memory.
    other = case.changed(case.n_known)
    assert_same(
        case.answers(case.fit(y=other)),
        case.answers(case.fit()),
        f"The forecasts of {case.name} change with the rows after those that fit was given.",
    )
    middle = (case.n_known + len(case.y)) // 2
    found = np.asarray(case.rolling(case.fit(), case.changed(middle)))
    expected = np.asarray(case.rolling(case.fit()))
    if len(case.fh) == 1:  # sktime gives these as one series
        found, expected = found.reshape(1, -1), expected.reshape(1, -1)
    # One column a cutoff: those of the cutoffs before the changed rows.
    n_before = (middle - case.n_known + 1) // 2
    assert_same(
        found[:, :n_before],
        expected[:, :n_before],
        f"The forecasts of {case.name} in update_predict change with rows after their cutoff.",
    )


def check_in_sample_forecasts_use_no_later_y(case: ForecastCase) -> None:
    """The forecast for a known row stays when this row and later ones change, as long as nothing is trained."""
    first, middle, last = case.n_known, case.n_known + 5, len(case.y)
    steps = np.arange(first, middle + 1) - (last - 1)
    found = []
    for y in (case.y, case.changed(middle)):
        model = case.update(case.fit(), first, last, y)
        known = {} if case.X is None else {"X": case.X.iloc[first:last].copy()}
        found.append(np.asarray(model.predict(fh=[int(step) for step in steps], **known)))
    assert_same(
        found[1],
        found[0],
        f"The in-sample forecasts of {case.name} up to a row depend on this row or on later ones.",
    )


def check_forecasts_use_no_unknown_X(case: ForecastCase) -> None:
    """Forecasts stay when X changes that is not known in the future, or lies beyond the last step."""
    model, start = case.fit(), case.n_known
    first = start if not case.knows_future_X else start + max(case.fh)
    X = case.X.iloc[start : start + max(case.fh) + 3]
    other = X.copy()
    other.iloc[first - start :] = 1.0 - other.iloc[first - start :]
    assert_same(
        np.asarray(copy.deepcopy(model).predict(fh=list(case.fh), X=other)),
        np.asarray(model.predict(fh=list(case.fh), X=X)),
        f"The forecasts of {case.name} change with X that is "
        f"{'beyond their last step' if case.knows_future_X else 'not known in the future'}.",
    )


def check_newest_y_is_felt(case: ForecastCase) -> None:
    """An update without training changes what is forecast: the newest row is read."""
    last = case.n_known + 1
    one, other = (case.update(case.fit(), case.n_known, last, y) for y in (case.y, case.changed(case.n_known)))
    assert_differs(
        case.answers(one),
        case.answers(other),
        f"The forecasts of {case.name} do not depend on the newest row that update was given.",
    )


def check_intervals_nest(case: ForecastCase) -> None:
    """An interval of more coverage holds that of less, and quantiles do not cross."""
    model, future = case.fit(), case.future(case.n_known)
    coverages = [0.3, 0.6, 0.9]
    bounds = model.predict_interval(fh=list(case.fh), coverage=coverages, **future)
    lower, upper = (
        np.stack([bounds.xs((coverage, side), axis=1, level=[1, 2]).to_numpy() for coverage in coverages])
        for side in ("lower", "upper")
    )
    spread = 1e-9 * float(np.ptp(case.y))
    if (np.diff(lower, axis=0) > spread).any() or (np.diff(upper, axis=0) < -spread).any() or (lower > upper).any():
        raise AssertionError(f"The intervals of {case.name} for the coverages {coverages} do not nest: {bounds}")
    levels = [0.1, 0.4, 0.5, 0.8]
    quantiles = model.predict_quantiles(fh=list(case.fh), alpha=levels, **future)
    by_level = np.stack([quantiles.xs(level, axis=1, level=1).to_numpy() for level in levels])
    if (np.diff(by_level, axis=0) < -spread).any():
        raise AssertionError(f"The quantiles of {case.name} for the levels {levels} cross: {quantiles}")


def check_updates_in_pieces_equal_one_update(case: ForecastCase) -> None:
    """Rows that come one by one lead to the forecasts of rows that come at once, as long as nothing is trained."""
    first, last = case.n_known, case.n_known + 4
    at_once, in_pieces = case.update(case.fit(), first, last), case.fit()
    for row in range(first, last):
        case.update(in_pieces, row, row + 1)
    assert_same(
        case.answers(in_pieces),
        case.answers(at_once),
        f"{case.name} forecasts differently after {last - first} updates by a row than after one by all of them.",
    )


def check_update_equals_refit_with_the_same_weights(case: ForecastCase) -> None:
    """After `pretrain`, `fit` and `update` read rows with the same weights: it does not matter which of them reads."""
    known = case.rows(0, case.n_known)
    panel = {name: pd.concat({"a": frame, "b": frame + 1}, names=["series", "time"]) for name, frame in known.items()}
    panel["y"] = panel["y"].to_frame() if panel["y"].ndim == 1 else panel["y"]
    pretrained = fresh_copy(case.forecaster, fine_tune=False).pretrain(**panel, fh=list(case.fh))
    last = case.n_known + 4
    updated = copy.deepcopy(pretrained).fit(**case.rows(0, case.n_known), fh=list(case.fh))
    refitted = copy.deepcopy(pretrained).fit(**case.rows(0, last), fh=list(case.fh))
    assert_same(
        case.answers(case.update(updated, case.n_known, last)),
        case.answers(refitted),
        f"{case.name} forecasts differently after fit and update than after a fit of all rows with the same weights.",
    )


def check_noise_series_is_not_predicted(case: ForecastCase) -> None:
    """White noise can't be forecast one step ahead."""
    noise = case.y.copy()
    noise.iloc[:] = 20 + np.random.default_rng(4).normal(size=len(noise))
    errors = []
    model = case.fit(y=noise)
    for row in range(case.n_known, len(noise)):
        errors.append(float(np.ravel(case.answers(model, row))[0]) - float(noise.iloc[row]))
        case.update(model, row, row + 1, noise)
    assert_noise_stays_noise(1 - np.mean(np.square(errors)), case.name, "forecasts of one step")
