"""What numpy, scikit-learn or torch would misread, or answer with an error that does not help."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_array_equal
from sktime.datatypes import convert_to

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    RecurrentImputer,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
    SlidingWindow,
    TokenEncoder,
    make_windows,
    supervise,
)
from sklrnn.forecasting import CNNLSTMForecaster

TINY = {"units": 3, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 4, 2))
y = X[:, -1, 0]
days = np.array(["2024-01-01", "2024-01-03"] * 10, dtype="M8[D]")
dates = np.column_stack([days, days])
texts, short = ["ab", "cd", "ef"] * 4, ["a", "b", "c"] * 4

fitted = GRURegressor(**TINY).fit(X[:, :2, 0], y)
of_tokens = GRURegressor(**TINY, embedding_dim=2).fit([[1, 2, 3]] * 20, y)


def on_every_way_in(X):
    """Calls that read X."""
    return [
        lambda: GRURegressor(**TINY).fit(X, y),
        lambda: GRURegressor(**TINY).partial_fit(X, y),
        lambda: fitted.predict(X),
        lambda: SequenceScaler().fit(X),
        lambda: RecurrentImputer(**TINY).fit(X),
    ]


# -- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        dates,
        dates[:, :, np.newaxis],
        dates - dates[0],
        dates.astype(object),
        dates.tolist(),
        [days[:3], days[:2]] * 10,
        pd.DataFrame(dates),
        pd.DataFrame(dates).apply(lambda column: column.dt.tz_localize("UTC")),
        pd.DataFrame({"day": pd.period_range("2024", periods=20, freq="D")}),
        pd.DataFrame({"day": days, "value": y}),
        pl.DataFrame({"day": days, "value": y}),
    ],
)
def test_dates_in_X_are_not_read_as_numbers(given):
    for call in on_every_way_in(given):
        with pytest.raises(ValueError, match="X holds dates or durations"):
            call()


@pytest.mark.parametrize("given", [dates, dates.astype(object), dates.tolist(), pd.DataFrame(dates)])
def test_dates_in_rows_to_be_windowed_are_not_read_as_numbers(given):
    for call in (SlidingWindow(window_length=2).fit, lambda rows: make_windows(rows, window_length=2)):
        with pytest.raises(ValueError, match="holds times, not numbers. Name (it|their column) as time_column"):
            call(given)


def test_a_column_of_dates_may_be_the_time_column():
    rows = pd.DataFrame({"day": pd.date_range("2024", periods=20), "value": y})
    assert SlidingWindow(window_length=2, time_column="day").fit_transform(rows).shape == (20, 2, 1)


@pytest.mark.parametrize("given", [days, days - days[0], days.tolist(), pd.Series(days), pl.Series(days)])
def test_dates_in_y_are_not_read_as_numbers(given):
    with pytest.raises(ValueError, match="y holds dates or durations"):
        GRURegressor(**TINY).fit(X, given)
    with pytest.raises(ValueError, match="y holds dates or durations"):
        GRURegressor(**TINY).partial_fit(X, given)


# -- labels ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels",
    [["a", 1] * 10, np.array(["a", 1.5] * 10, dtype=object), pd.Series(["a", 1] * 10)],
)
def test_strings_and_numbers_are_not_mixed_in_labels(labels):
    with pytest.raises(ValueError, match=r"Mix of label input types \(string and number\): y holds 'a' \(str\) and 1"):
        GRUClassifier(**TINY).fit(X, labels)


@pytest.mark.parametrize("rows", [[["a", 1, "a", 1]] * 20, [["a"] * 4, [1] * 4] * 10, [["a"] * 4, np.ones(4)] * 10])
def test_strings_and_numbers_are_not_mixed_in_labels_of_steps(rows):
    with pytest.raises(ValueError, match="Mix of label input types"):
        GRUClassifier(**TINY, return_sequences=True).fit(X, rows)


@pytest.mark.parametrize("missing", [pd.NA, None, np.nan])
@pytest.mark.parametrize("other", ["a", 1])
def test_a_missing_label_is_named(missing, other):
    labels = ["b" if other == "a" else 0, other, missing, other] * 5
    for form in (list, pd.Series, lambda values: np.array(values, dtype=object)):
        for method in (GRUClassifier(**TINY).fit, GRUClassifier(**TINY).partial_fit):
            with pytest.raises(ValueError, match=r"Input y contains (a missing value, (<NA>|None)|NaN)"):
                method(X, form(labels))


def test_missing_labels_of_other_types_are_named_too():
    for labels in (pd.Series([1, pd.NA] * 10, dtype="Int64"), pl.Series(["a", None] * 10)):
        with pytest.raises(ValueError, match="Input y contains a missing value"):
            GRUClassifier(**TINY).fit(X, labels)
    with pytest.raises(ValueError, match="Input y contains a missing value"):
        GRURegressor(**TINY).fit(X, [1.0, pd.NA] * 10)


@pytest.mark.parametrize("labels", [[True, False] * 10, [1, 2.0] * 10, pl.Series(["a", "b"] * 10), list("ab") * 10])
def test_labels_of_one_kind_are_learnt(labels):
    assert len(GRUClassifier(**TINY).fit(X, labels).classes_) == 2


# -- containers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [dict(zip(texts, short, strict=True)), set(texts), frozenset(texts)])
def test_texts_come_in_an_order(wrong):
    generator, translator = SequenceGenerator(**TINY).fit(texts), SequenceTranslator(**TINY).fit(texts, short)
    for call in (
        SequenceGenerator(**TINY).fit,
        generator.score,
        TokenEncoder().fit,
        TokenEncoder().fit(texts).transform,
        lambda X: SequenceTranslator(**TINY).fit(X, short[: len(X)]),
        lambda y: SequenceTranslator(**TINY).fit(texts[: len(y)], y),
        translator.predict,
        lambda X: translator.score(X, short[: len(X)]),
    ):
        with pytest.raises(ValueError, match="is a (dict|set|frozenset), but samples are read from a list"):
            call(wrong)


@pytest.mark.parametrize("series", [pd.Series(list(X)), pd.Series([[1, 2]] * 20), pl.Series([[1, 2]] * 20)])
def test_a_series_of_sequences_is_to_be_passed_as_a_list(series):
    for call in [*on_every_way_in(series), lambda: of_tokens.predict(series)]:
        with pytest.raises(ValueError, match=r"is a Series whose items are sequences.*pass (list\(X\)|X.to_list\(\))"):
            call()


def test_a_nested_frame_of_sktime_is_to_be_converted():
    nested = convert_to(X.transpose(0, 2, 1), "nested_univ")
    for call in on_every_way_in(nested):
        with pytest.raises(ValueError, match=r"convert_to\(X, \"numpy3D\"\).transpose\(0, 2, 1\), or use SktimeClass"):
            call()
    assert_array_equal(convert_to(nested, "numpy3D").transpose(0, 2, 1), X)


def test_a_tensor_with_a_gradient_is_to_be_detached():
    tensor = torch.tensor(X, requires_grad=True)
    series = tensor[:, :, 0]
    for call in [
        *on_every_way_in(tensor),
        lambda: GRURegressor(**TINY).fit(list(tensor), y),
        lambda: GRURegressor(**TINY).fit(X, series[:, 0]),
        lambda: GRURegressor(**TINY).fit(X, y, torch.ones(20, requires_grad=True)),
        lambda: GRURegressor(**TINY, return_sequences=True).fit(X, series),
        lambda: GRUClassifier(**TINY).fit(X, series[:, 0]),
        lambda: SlidingWindow(window_length=2).fit(series),
        lambda: make_windows(series, window_length=2),
        lambda: supervise(series, target=0, horizon=1),
        lambda: SequenceTranslator(**TINY).fit(series, short + texts[:8]),
        lambda: SequenceGenerator(**TINY).fit(texts, context=series[:12]),
    ]:
        with pytest.raises(ValueError, match=r"requires a gradient.*detach\(\)"):
            call()
    assert_array_equal(
        GRURegressor(**TINY).fit(tensor.detach(), y).predict(X), GRURegressor(**TINY).fit(X, y).predict(X)
    )


def test_a_series_of_polars_is_read_as_one_of_pandas():
    of_pandas = SequenceTranslator(**TINY).fit(pd.Series(texts), pd.Series(short))
    of_polars = SequenceTranslator(**TINY).fit(pl.Series(texts), pl.Series(short), np.ones(12))
    assert_array_equal(of_polars.predict(pl.Series(texts)), of_pandas.predict(pd.Series(texts)))
    assert of_polars.score(pl.Series(texts), pl.Series(short)) == of_pandas.score(texts, short)
    generators = [SequenceGenerator(**TINY).fit(form(texts)) for form in (pl.Series, list)]
    assert generators[0].score(pl.Series(texts)) == generators[1].score(texts)


@pytest.mark.parametrize("rows", [[[1, 2], [3]] * 6, [[1.5, 2.0], [3.0]] * 6])
def test_sequences_in_a_series_of_polars_are_read(rows):
    by_series, by_list = (SequenceTranslator(**TINY).fit(form(rows), form(rows)) for form in (pl.Series, list))
    for one, other in zip(by_series.predict(pl.Series(rows)), by_list.predict(rows), strict=True):
        assert_array_equal(one, other)


# -- integers without a limit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [2**53, 2**63, 2**70, 10**400])
def test_tokens_are_numbered_within_the_range_of_floats(token):
    for method in (lambda X: GRURegressor(**TINY, embedding_dim=2).fit(X, y), of_tokens.predict):
        with pytest.raises(ValueError, match=r"tokens, whole numbers from 0, got .*below 2\*\*53"):
            method([[1, 2, token]] * 20)


def test_unsigned_tokens_do_not_become_negative():
    with pytest.raises(ValueError, match="got 9223372036854775813 in sample 0"):
        GRURegressor(**TINY, embedding_dim=2).fit(np.full((20, 3), 2**63 + 5, dtype=np.uint64), y)


@pytest.mark.parametrize("token", [2**63, 2**70, 10**400])
def test_tokens_of_texts_have_at_most_64_bits(token):
    rows = [[token, 1]] * 12
    for call in (
        TokenEncoder().fit,
        SequenceGenerator(**TINY).fit,
        lambda X: SequenceTranslator(**TINY).fit(X, short),
        lambda y: SequenceTranslator(**TINY).fit(texts, y),
    ):
        with pytest.raises(ValueError, match="integers of more than 64 bits"):
            call(rows)


def test_integers_beyond_all_floats_are_refused():
    huge = [[1, 10**400]] * 20
    for call in [
        *on_every_way_in(huge),
        lambda: GRURegressor(**TINY).fit([*huge[1:], [1, 2, 3]], y),
        lambda: GRURegressor(**TINY).fit(X, [10**400] * 20),
        lambda: GRURegressor(**TINY).fit(X, y, [10**400] * 20),
        lambda: GRUClassifier(**TINY).fit(X, [10**400, 1] * 10),
        lambda: SlidingWindow(window_length=2).fit(huge),
        lambda: make_windows(huge, window_length=2),
        lambda: SequenceTranslator(**TINY).fit([[10**400, 1.5]] * 12, short),
        lambda: SequenceTranslator(**TINY).fit(texts, [[10**400, 1.5]] * 12),
        lambda: SequenceGenerator(**TINY).fit(texts, context=[[10**400]] * 12),
    ]:
        with pytest.raises(ValueError, match="integer that is too large|int too large"):
            call()


# -- parameters that do not fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (GRURegressor, (X, y)),
        (RecurrentImputer, (X,)),
        (SequenceGenerator, (texts,)),
        (SequenceTranslator, (texts, short)),
        (CNNLSTMForecaster, (np.sin(np.arange(30)),)),
    ],
)
def test_an_optimizer_for_sparse_gradients_is_refused(model, data):
    with pytest.raises(ValueError, match="SparseAdam needs sparse gradients.*'adam', 'adamw', 'nadam'"):
        model(**TINY, optimizer=torch.optim.SparseAdam).fit(*data)


@pytest.mark.parametrize(("name", "size"), [("kernel_size", 40), ("pool_size", 5)])
def test_a_convolution_longer_than_the_sequences_is_announced_once(name, size):
    model = CNNLSTMRegressor(**TINY, **{name: size})
    message = f"{name}={size} is longer than the longest sequence of 4 step.*Set {name} to 4 or less"
    with pytest.warns(UserWarning, match=message) as caught:
        model.partial_fit(X, y)
    model.partial_fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_convolution_longer_than_the_window_of_a_series_is_announced_once():
    with pytest.warns(UserWarning, match=r"kernel_size=40 .* window of 20 step.*or raise window_length") as caught:
        RecurrentImputer(**TINY, filters=2, kernel_size=40).fit(X[:, 0])
    assert len(caught) == 1
    model = CNNLSTMForecaster(**TINY, kernel_size=40, sp=4, window_length=8, fold=4, n_networks=2)
    with pytest.warns(UserWarning, match=r"kernel_size=40 .* window of 2 step.*or lower fold") as caught:
        model.fit(np.sin(np.arange(60)), fh=[1])
    model.predict_interval()
    assert len([warning for warning in caught if "kernel_size" in str(warning.message)]) == 1


@pytest.mark.filterwarnings("error")
def test_the_defaults_and_what_fits_are_no_reason_to_warn():
    CNNLSTMRegressor(**TINY).fit(X[:, :1], y)
    CNNLSTMRegressor(**TINY, kernel_size=4, pool_size=4).fit(X, y)
    CNNLSTMRegressor(**TINY, kernel_size=4).fit([X[0], *X[1:, :2]], y)
    GRURegressor(**TINY, kernel_size=40).fit(X, y)
