"""Exogenous columns whose future is known, unknown, or known in part."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklrnn.forecasting import GRUForecaster

FH = [1, 2, 3]
DAYS = pd.date_range("2024-01-01", periods=90, freq="D")
CUT = 70


def tiny(**settings):
    return GRUForecaster(**{"units": 2, "max_epochs": 3, "random_state": 0} | settings)


def weather_and_sales(n):
    """Sales follow the price of the same day and the rain of the day before."""
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=n, freq="D")
    X = pd.DataFrame({"price": random.normal(size=n), "rain": random.normal(size=n)}, index=days)
    return X, 10 - 2 * X["price"] + X["rain"].shift(1, fill_value=0.0) + 0.1 * random.normal(size=n)


@pytest.fixture
def X():
    return weather_and_sales(90)[0]


@pytest.fixture
def y():
    return weather_and_sales(90)[1]


def fitted(y, X, fh=FH, **settings):
    return tiny(**settings).fit(y[:CUT], X[:CUT], fh=fh)


# -- what may be used ------------------------------------------------------------------------------------------------


def test_X_is_used_as_far_as_it_is_known():
    X, y = weather_and_sales(260)
    errors = {}
    for future_X in ("known", ["price"], "unknown"):
        model = tiny(future_X=future_X, units=4, max_epochs=40, learning_rate=0.02, normalize="series", window_length=4)
        model.fit(y[:200], X[:200], fh=[1]).update(y[200:], X[200:], update_params=False)
        errors[str(future_X)] = (model.predict(fh=range(-59, 1)) - y[200:]).std()
    # Yesterday's rain is always known; without today's price its share of 2 remains.
    assert errors["known"] < 0.8
    assert errors["['price']"] < 0.8
    assert errors["unknown"] > 1.6


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("fold", [1, 5])
def test_each_step_depends_on_its_own_future(X, y, strategy, fold):
    model = fitted(y, X, fh=range(1, 5), strategy=strategy, fold=fold, window_length=10, max_epochs=20)
    before = model.predict(X=X[CUT:])
    for step in range(4):
        changed = X[CUT:].copy()
        changed.iloc[step] += 3.0
        assert abs(model.predict(X=changed).iloc[step] - before.iloc[step]) > 1e-4


def test_columns_known_in_part(X, y):
    model = fitted(y, X, future_X=["price"], window_length=10, max_epochs=20)
    assert model.window_spec_.known_future == (0,)
    expected = model.predict(fh=FH, X=X[CUT:])
    # What is not known in the future may be there, be missing, or be nonsense.
    assert_array_equal(model.predict(fh=FH, X=X[CUT:][["price"]]), expected)
    assert_array_equal(model.predict(fh=FH, X=X[CUT:].assign(rain=np.nan)), expected)
    far = range(1, 12)
    assert_array_equal(model.predict(fh=far, X=X[CUT:].assign(rain=99.0)), model.predict(fh=far, X=X[CUT:]))
    assert not np.allclose(model.predict(fh=FH, X=X[CUT:].assign(price=1.0)), expected)


# -- what may not leak -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fh", [FH, range(1, 15), [-5, 0, 8]], ids=["trained", "beyond", "mixed"])
def test_unknown_future_is_not_read_even_if_passed(X, y, fh):
    model = fitted(y, X, future_X="unknown")
    expected = model.predict(fh=fh)
    for passed in (X, X * 1000, X[CUT:]):
        assert_array_equal(model.predict(fh=fh, X=passed), expected)
    assert_array_equal(model.predict_interval(fh=fh, X=X), model.predict_interval(fh=fh))


def test_later_X_changes_no_earlier_forecast(X, y):
    model = fitted(y, X, future_X="unknown")
    truth, nonsense = (copy.deepcopy(model).update(y[CUT:], x[CUT:], update_params=False) for x in (X, -1000 * X))
    back = range(-60, -18)  # to the first row after the cutoff of fit
    assert_array_equal(truth.predict(fh=back), nonsense.predict(fh=back))
    assert not np.allclose(truth.predict(fh=[1]), nonsense.predict(fh=[1]))


def test_past_of_X_that_is_passed_again_is_not_read(X, y):
    model = fitted(y, X)
    expected = model.predict(X=X)
    assert_array_equal(model.predict(X=pd.concat([0 * X[:CUT] + 77, X[CUT:]])), expected)
    assert_array_equal(model.predict(X=X[CUT:]), expected)


def test_known_rows_are_forecast_as_they_would_have_been(X, y):
    model = fitted(y, X, future_X=["price"])
    one_by_one, expected = copy.deepcopy(model), []
    for now in range(CUT, 90):
        expected.append(one_by_one.predict(fh=[1], X=X[now:]).iloc[0])
        one_by_one.update(y[now : now + 1], X[now : now + 1], update_params=False)
    model.update(y[CUT:], X[CUT:], update_params=False)
    assert_allclose(model.predict(fh=range(-19, 1)), expected)


# -- rows ------------------------------------------------------------------------------------------------------------


def test_only_the_rows_asked_for_are_needed(X, y):
    model = fitted(y, X)
    assert model.predict(fh=[1, 3], X=X.iloc[[CUT, CUT + 2]]).index.equals(DAYS[[CUT, CUT + 2]])
    # A row that is missing is taken to be like the one before.
    between = X.iloc[CUT : CUT + 3].copy()
    between.iloc[1] = between.iloc[0]
    assert_array_equal(model.predict(fh=[1, 3], X=X.iloc[[CUT, CUT + 2]]), model.predict(fh=[1, 3], X=between))
    assert len(model.predict(fh=[-4, 0])) == 2


def test_missing_future_is_an_error_that_says_what_to_pass(X, y):
    model = fitted(y, X)
    remedy = "Pass X for these times to predict, or say with future_X which columns are known in the future"
    with pytest.raises(ValueError, match=f"2024-03-11 .* to 2024-03-13 .* no row of X for 2024-03-11 .*{remedy}"):
        model.predict()
    with pytest.raises(ValueError, match="no row of X for 2024-03-13"):
        model.predict(X=X[: CUT + 2])
    with pytest.raises(ValueError, match="no row of X for 2024-03-20"):
        model.predict(fh=[1, 10], X=X[: CUT + 5])


@pytest.mark.parametrize("gap", [slice(0, 5), slice(30, 40), slice(68, 90), slice(0, 90)], ids=str)
def test_gaps_in_X_are_filled(X, y, gap):
    X.iloc[gap, 0] = np.nan
    assert np.isfinite(fitted(y, X).predict(fh=range(1, 9), X=X)).all()


def test_X_of_all_kinds_of_numbers(X, y):
    mixed = pd.DataFrame({"is": X["price"] > 0, "count": np.arange(90), "small": X["rain"].astype("float32")})
    assert np.isfinite(fitted(y, mixed).predict(X=mixed)).all()
    with pytest.raises(TypeError, match="categorical features"):
        fitted(y, X.assign(rain="wet"))
    X.iloc[80] = np.inf
    model = fitted(y, X)
    with pytest.raises(ValueError, match="X of y is infinite at 2024-03-21"):
        model.predict(fh=range(1, 15), X=X)


# -- columns ---------------------------------------------------------------------------------------------------------


def test_columns_may_come_in_another_order(X, y):
    turned = X[["rain", "price"]]
    model = fitted(y, X)
    expected = model.predict(X=X)
    assert_array_equal(model.predict(X=turned), expected)
    assert_array_equal(model.predict(X=X.assign(more=1.0)), expected)
    after = [copy.deepcopy(model).update(y[CUT:80], x[CUT:80], update_params=False).predict(X=x) for x in (X, turned)]
    assert_array_equal(*after)


def test_other_columns_are_an_error(X, y):
    model = fitted(y, X)
    with pytest.raises(ValueError, match=r"needs the columns \['price', 'rain'\] of X, but \['rain'\] are missing"):
        model.predict(X=X[["price"]])
    with pytest.raises(ValueError, match=r"fitted with the columns \['price', 'rain'\] of X, got no X"):
        model.update(y[CUT:])
    with pytest.raises(ValueError, match=r"fitted with the columns \['price', 'rain'\] of X, got \['price'\]"):
        model.update(y[CUT:], X[["price"]][CUT:])
    with pytest.raises(ValueError, match=r"fitted without X, got \['price', 'rain'\]"):
        tiny().fit(y[:CUT], fh=FH).update(y[CUT:], X[CUT:])
    with pytest.raises(ValueError, match=r"future_X=\['wind'\] names \['wind'\], but X has the columns"):
        fitted(y, X, future_X=["wind"])


# -- panels ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def panel(X, y):
    lengths = {"a": 70, "b": 40, "c": 55}
    return (
        pd.concat({key: (number + 1) * y[:n].to_frame("y") for number, (key, n) in enumerate(lengths.items())}),
        pd.concat({key: X + number for number, key in enumerate(lengths)}),
    )


def test_each_series_has_its_own_X(panel):
    y, X = panel
    model = tiny(max_epochs=10).fit(y, X, fh=FH)
    before = model.predict(X=X)
    changed = X.copy()
    changed.loc["b"] += 3.0
    after = model.predict(X=changed)
    assert_array_equal(after.drop("b"), before.drop("b"))
    assert not np.allclose(after.loc["b"], before.loc["b"])
    # Of each series only the rows after its own end are needed.
    ahead = pd.concat({key: X.loc[key].iloc[n : n + 3] for key, n in {"a": 70, "b": 40, "c": 55}.items()})
    assert_array_equal(model.predict(X=ahead), before)


def test_series_without_X_is_named(panel):
    y, X = panel
    model = tiny().fit(y, X, fh=FH)
    with pytest.raises(ValueError, match="forecast of the series 'b' from .* there is no row of X for 2024-02-10"):
        model.predict(X=X.drop("b"))
    with pytest.raises(TypeError, match="X has an index of 1 level.s., but the forecaster was fitted to one of 2"):
        model.predict(X=X.loc["a"])
    with pytest.raises(ValueError, match="X has no rows for the series 'b'"):
        tiny().fit(y, X.drop("b"), fh=FH)
    unknown = tiny(future_X="unknown").fit(y, X, fh=FH)
    assert_array_equal(unknown.predict(X=X.drop("b")), unknown.predict())


def test_pretraining_with_X(panel, X, y):
    model = tiny(future_X=["price"]).pretrain(*panel, fh=FH)
    forecast = model.clone().fit(y[:30], X[:30]).predict(fh=FH, X=X[["price"]])
    assert_array_equal(model.clone().fit(y[:30], X[["rain", "price"]][:30]).predict(fh=FH, X=X), forecast)
    with pytest.raises(ValueError, match="got no X"):
        model.clone().fit(y[:30])
