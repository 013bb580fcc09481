import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_global_output_transform_pandas,
    check_global_set_output_transform_polars,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    parametrize_with_checks,
)

from sklrnn.preprocessing.sequence_scaler import SequenceScaler

SCALERS = [
    None,
    StandardScaler(),
    MinMaxScaler(),
    MaxAbsScaler(),
    RobustScaler(),
    QuantileTransformer(n_quantiles=10),
    PowerTransformer(),
]


@pytest.fixture
def sequences():
    """Eight samples of five steps of three features with different scales."""
    return np.random.default_rng(0).normal(size=(8, 5, 3)) * [1.0, 10.0, 100.0] + [0.0, 5.0, -50.0]


@pytest.fixture
def ragged(sequences):
    return [sequence[: 1 + number % 5] for number, sequence in enumerate(sequences)]


@parametrize_with_checks([SequenceScaler()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# These belong to the contract, but scikit-learn's own run leaves them out. They mix frames and arrays on purpose.
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names:UserWarning")
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_set_output_transform_polars,
        check_global_output_transform_pandas,
        check_global_set_output_transform_polars,
    ],
)
def test_scikit_learn_contract_of_tables(check):
    check("SequenceScaler", SequenceScaler())


@pytest.mark.parametrize("scaler", SCALERS, ids=lambda scaler: type(scaler).__name__)
def test_each_feature_is_scaled_over_all_steps(sequences, scaler):
    expected = clone(scaler or StandardScaler()).fit_transform(sequences.reshape(-1, 3)).reshape(sequences.shape)
    assert_array_equal(SequenceScaler(scaler=scaler).fit_transform(sequences), expected)


@pytest.mark.parametrize("scaler", SCALERS, ids=lambda scaler: type(scaler).__name__)
def test_inverse_brings_the_units_back(sequences, ragged, scaler):
    model = SequenceScaler(scaler=scaler).fit(sequences)
    assert_allclose(model.inverse_transform(model.transform(sequences)), sequences)
    for back, sequence in zip(model.inverse_transform(model.transform(ragged)), ragged, strict=True):
        assert_allclose(back, sequence)


@settings(deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.integers(1, 4), st.booleans())
def test_ragged_sequences_are_scaled_by_all_their_steps(lengths, n_features, as_object):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(length, n_features)) for length in lengths]
    stacked = np.concatenate(X)
    if as_object:
        X = np.array([*X, None], dtype=object)[:-1]
    scaled = SequenceScaler().fit_transform(X)
    assert type(scaled) is type(X)
    assert [len(sequence) for sequence in scaled] == lengths
    assert_allclose(np.concatenate(list(scaled)), StandardScaler().fit_transform(stacked))


@pytest.mark.parametrize("as_object", [False, True])
def test_univariate_sequences_of_several_lengths_keep_their_one_axis(ragged, as_object):
    X = [sequence[:, 0] for sequence in ragged]
    given = np.array([*X, None], dtype=object)[:-1] if as_object else X
    model = SequenceScaler()
    scaled = model.fit_transform(given)
    assert type(scaled) is type(given)
    with_axis = SequenceScaler().fit_transform([x[:, np.newaxis] for x in X])
    for one, other, back, x in zip(scaled, with_axis, model.inverse_transform(scaled), X, strict=True):
        assert_array_equal(one, other[:, 0])
        assert_allclose(back, x)


def test_lists_and_arrays_of_sequences_are_interchangeable(sequences):
    model = SequenceScaler().fit(list(sequences))
    assert_array_equal(np.array(model.transform(sequences.tolist())), model.transform(sequences))


def test_table_is_read_as_univariate_series(sequences):
    table = sequences[:, :, 0]
    scaled = SequenceScaler().fit_transform(table)
    assert_allclose([scaled.mean(), scaled.std()], [0, 1], atol=1e-12)
    assert_array_equal(scaled, SequenceScaler().fit_transform(table[:, :, np.newaxis])[:, :, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", [lambda X: X, lambda X: X[:, :, 0], lambda X: list(X)])
def test_precision_is_kept(sequences, dtype, form):
    model = SequenceScaler()
    scaled = model.fit_transform(form(sequences.astype(dtype)))
    assert scaled[0].dtype == dtype
    assert model.inverse_transform(scaled)[0].dtype == dtype


def test_numbers_of_other_kinds_become_float64():
    assert SequenceScaler().fit_transform(np.arange(24).reshape(2, 3, 4)).dtype == np.float64


def test_windows_given_as_a_read_only_view_are_scaled():
    windows = np.lib.stride_tricks.sliding_window_view(np.arange(40.0).reshape(20, 2), 5, axis=0).transpose(0, 2, 1)
    before = windows.copy()
    assert SequenceScaler().fit_transform(windows).shape == (16, 5, 2)
    assert_array_equal(windows, before)


@pytest.mark.parametrize(("form", "n_features"), [(lambda X: X, 3), (lambda X: X[:, :, 0], 5), (lambda X: list(X), 3)])
def test_n_features_in_is_the_last_axis(sequences, form, n_features):
    assert SequenceScaler().fit(form(sequences)).n_features_in_ == n_features


def test_weights_count_for_all_steps_of_a_sequence(ragged):
    weights = [0, 1, 2, 3, 1, 0, 2, 1]
    repeated = [sequence for sequence, weight in zip(ragged, weights, strict=True) for _ in range(weight)]
    weighted, expected = SequenceScaler().fit(ragged, sample_weight=weights), SequenceScaler().fit(repeated)
    assert_allclose(weighted.scaler_.mean_, expected.scaler_.mean_)
    assert_allclose(weighted.scaler_.scale_, expected.scaler_.scale_)


def test_weights_are_refused_where_the_scaler_takes_none(sequences):
    with pytest.raises(ValueError, match="MinMaxScaler takes no sample_weight"):
        SequenceScaler(scaler=MinMaxScaler()).fit(sequences, sample_weight=np.ones(8))


def test_scaler_is_cloned_and_never_fitted_itself(sequences):
    scaler = StandardScaler()
    model = SequenceScaler(scaler=scaler).fit(sequences)
    assert model.scaler is scaler
    assert not hasattr(scaler, "mean_")
    assert SequenceScaler().scaler is None


def test_pickled_and_cloned_scalers_give_the_same(sequences):
    model = SequenceScaler(scaler=RobustScaler()).fit(sequences)
    assert_array_equal(pickle.loads(pickle.dumps(model)).transform(sequences), model.transform(sequences))
    assert_array_equal(clone(model).fit(sequences).transform(sequences), model.transform(sequences))


def test_scaler_is_tuned_inside_a_pipeline(sequences):
    model = make_pipeline(SequenceScaler(), FunctionTransformer(lambda X: X.reshape(len(X), -1)), Ridge())
    search = GridSearchCV(model, {"sequencescaler__scaler": [None, StandardScaler(), MinMaxScaler()]}, cv=2)
    assert search.fit(sequences, sequences[:, -1, 0]).predict(sequences).shape == (8,)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_sequences_stay_arrays_whatever_the_container(sequences, container):
    assert isinstance(SequenceScaler().set_output(transform=container).fit_transform(sequences), np.ndarray)
    assert isinstance(SequenceScaler().fit(sequences).set_output(transform=container).transform(sequences), np.ndarray)
    with config_context(transform_output=container):
        assert isinstance(SequenceScaler().fit_transform(sequences), np.ndarray)
        assert isinstance(SequenceScaler().fit_transform(list(sequences)), list)


def test_frames_keep_names_and_index(sequences):
    X = pd.DataFrame(sequences[:, :, 0], columns=list("abcde"), index=pd.date_range("2020", periods=8))
    model = SequenceScaler().set_output(transform="pandas")
    scaled = model.fit_transform(X)
    assert list(scaled.columns) == list(model.feature_names_in_) == list(model.get_feature_names_out()) == list(X)
    assert scaled.index.equals(X.index)
    assert_allclose(model.inverse_transform(scaled), X)
    assert_allclose(model.inverse_transform(scaled.to_numpy()), X)
    assert isinstance(model.set_output(transform="polars").transform(X), pl.DataFrame)


def test_nan_is_left_in_place_and_out_of_the_fit(sequences):
    sequences[0, :2, 1] = np.nan
    model = SequenceScaler().fit(sequences)
    assert_allclose(model.scaler_.mean_, np.nanmean(sequences, axis=(0, 1)))
    assert_array_equal(np.isnan(model.transform(sequences)), np.isnan(sequences))
    assert model.__sklearn_tags__().input_tags.allow_nan


def test_nan_is_refused_where_the_scaler_refuses_it(sequences):
    sequences[0, 0, 0] = np.nan
    model = SequenceScaler(scaler=Normalizer())
    assert not model.__sklearn_tags__().input_tags.allow_nan
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit(sequences)


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
@pytest.mark.parametrize("form", [lambda X: X, lambda X: list(X), lambda X: X[:, 0]])
def test_other_number_of_features_names_both(sequences, method, form):
    model = SequenceScaler().fit(form(sequences[:, :, :2]))
    with pytest.raises(ValueError, match=r"X has 3 features, but SequenceScaler is expecting 2 features"):
        getattr(model, method)(form(sequences))


def test_other_axes_than_fitted_are_refused(sequences):
    with pytest.raises(ValueError, match=r"fitted on X of shape \(sample, time, feature\), got \(sample, time\)"):
        SequenceScaler().fit(sequences).transform(sequences[:, :, 0])
    with pytest.raises(ValueError, match=r"fitted on X of shape \(sample, time\), got \(sample, time, feature\)"):
        SequenceScaler().fit(sequences[:, :, 0]).transform(list(sequences))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.arange(5.0), "Expected 2D array, got 1D array instead"),
        (np.zeros((2, 3, 4, 5)), r"an array of 4 dimensions and shape \(2, 3, 4, 5\). Merge the further axes"),
        (np.zeros((2, 0, 4)), r"needs at least one time step and one feature, got .* = \(2, 0, 4\)"),
        (
            [np.zeros((2, 3)), np.zeros((4, 2))],
            r"same features, but sequence 1 has the shape \(4, 2\) and sequence 0 has \(2, 3\)",
        ),
        ([np.zeros((2, 3)), np.zeros(3)], r"sequence 1 has the shape \(3,\)"),
        ([], "Expected 2D array, got 1D array instead"),
        ([[["a"], ["b"]], [["c"]]], "sequence 0 holds strings, such as 'a'"),
        (np.full((2, 3, 1), np.inf), "infinity"),
    ],
)
def test_bad_input_says_what_is_needed(X, message):
    with pytest.raises(ValueError, match=message):
        SequenceScaler().fit(X)


@pytest.mark.parametrize("scaler", [PCA(1), OneHotEncoder(sparse_output=False)], ids=lambda s: type(s).__name__)
def test_transformer_that_changes_the_columns_is_refused(scaler):
    X = np.arange(24.0).reshape(3, 4, 2)
    with pytest.raises(ValueError, match=rf"one column for each feature, but {type(scaler).__name__} made \(12, "):
        SequenceScaler(scaler=scaler).fit_transform(X)


@pytest.mark.parametrize("scaler", ["standard", 3])
def test_what_is_no_scaler_is_refused(sequences, scaler):
    with pytest.raises(ValueError, match="'scaler' parameter of SequenceScaler must be"):
        SequenceScaler(scaler=scaler).fit(sequences)


def test_use_before_fit_is_refused_even_after_a_fit_that_failed(sequences):
    model = SequenceScaler(scaler=Normalizer())
    with pytest.raises(NotFittedError):
        model.transform(sequences)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((2, 3, 1), np.nan))
    with pytest.raises(NotFittedError):
        model.transform(sequences)


def test_inverse_is_offered_only_where_the_scaler_has_one():
    assert hasattr(SequenceScaler(), "inverse_transform")
    assert not hasattr(SequenceScaler(scaler=Normalizer()), "inverse_transform")


def test_numbers_whose_squares_overflow_are_refused():
    X = 1e160 * np.arange(12.0).reshape(2, 3, 2)
    with pytest.raises(ValueError, match="StandardScaler can't compute with values as large"):
        SequenceScaler().fit(X)
    assert SequenceScaler(scaler=MinMaxScaler()).fit_transform(X).max() == 1.0
