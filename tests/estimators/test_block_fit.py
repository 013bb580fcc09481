"""``fit_blocks`` gives the model of ``fit`` on all blocks together."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    SimpleRNNRegressor,
    SlidingWindow,
    supervise,
)
from sklrnn.estimators.block_samples import BlockSamples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(230, 6, 2)) * [3.0, 0.1] + [50.0, 0.0]
Y = X[:, -2:, 0].sum(axis=1) + 20 * X[:, -1, 1]
LABELS = np.where(np.quantile(Y, 0.7) < Y, "high", "low")
TINY = {"units": 3, "max_epochs": 4, "random_state": 0}
HOLDING_OUT = TINY | {"early_stopping": True, "validation_fraction": 0.2}


def in_blocks(*arrays, size=50):
    return [tuple(part[start : start + size] for part in arrays) for start in range(0, len(arrays[0]), size)]


def assert_same_model(model, other, X=X):
    assert_allclose(model.predict(X), other.predict(X), rtol=1e-4)
    assert_allclose(model.loss_curve_, other.loss_curve_, rtol=1e-4)
    if other.validation_curve_ is not None:
        assert_allclose(model.validation_curve_, other.validation_curve_, rtol=1e-4)


# -- the same as in memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        TINY,
        HOLDING_OUT,
        HOLDING_OUT | {"loss": "quantile"},
        TINY | {"normalize_X": False, "normalize_y": False},
        TINY | {"shuffle": False},
        TINY | {"batch_size": 300},
        TINY | {"dropout": 0.2, "recurrent_dropout": 0.2},
    ],
    ids=str,
)
def test_a_regressor_is_the_one_of_fit(options):
    model = GRURegressor(**options).fit_blocks(in_blocks(X, Y))
    assert_same_model(model, GRURegressor(**options).fit(X, Y))


def test_intervals_come_from_the_held_out_samples_as_in_fit():
    model, other = GRURegressor(**HOLDING_OUT).fit_blocks(in_blocks(X, Y)), GRURegressor(**HOLDING_OUT).fit(X, Y)
    assert_allclose(model.predict_interval(X), other.predict_interval(X), rtol=1e-4)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"high": 3.0, "low": 1.0}], ids=str)
def test_a_classifier_is_the_one_of_fit(class_weight):
    options = HOLDING_OUT | {"class_weight": class_weight}
    order = np.argsort(LABELS, kind="stable")  # a whole block may hold one class
    model = GRUClassifier(**options).fit_blocks(in_blocks(X[order], LABELS[order]))
    other = GRUClassifier(**options).fit(X[order], LABELS[order])
    assert model.classes_.tolist() == ["high", "low"]
    assert_allclose(model.predict_proba(X), other.predict_proba(X), rtol=1e-3)
    assert model.class_weight is options["class_weight"]


def test_weights_count_as_in_fit():
    weights = RNG.integers(0, 3, size=len(X)).astype(float)
    model = GRURegressor(**HOLDING_OUT).fit_blocks(in_blocks(X, Y, weights))
    assert_same_model(model, GRURegressor(**HOLDING_OUT).fit(X, Y, weights))


def test_several_outputs_tables_and_missing_values_work_as_in_fit():
    Y2 = np.column_stack([Y, -Y])
    gaps = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    options = TINY | {"missing": "mask"}
    model = CNNLSTMRegressor(**options).fit_blocks(in_blocks(gaps, Y2))
    assert_same_model(model, CNNLSTMRegressor(**options).fit(gaps, Y2), gaps)
    table = pd.DataFrame(X[:, :, 0]).add_prefix("step")
    rows = table.assign(goal=Y)
    blocks = [rows[start : start + 50] for start in range(0, len(rows), 50)]
    model = SimpleRNNRegressor(**TINY).fit_blocks(blocks, target="goal")
    assert_same_model(model, SimpleRNNRegressor(**TINY).fit(table, Y), table)
    assert_array_equal(model.feature_names_in_, table.columns)


def test_tokens_have_the_vocabulary_of_all_blocks():
    tokens = RNG.integers(0, 9, size=(200, 5))
    labels = tokens[:, -1] > 4
    options = TINY | {"embedding_dim": 3}
    model = GRUClassifier(**options).fit_blocks(in_blocks(tokens, labels))
    other = GRUClassifier(**options).fit(tokens, labels)
    assert_allclose(model.predict_proba(tokens), other.predict_proba(tokens), rtol=1e-3)


def test_single_precision_stays():
    blocks = in_blocks(X.astype(np.float32), Y.astype(np.float32))
    model = GRURegressor(**TINY).fit_blocks(blocks)
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    mixed = [(blocks[0][0], blocks[0][1]), (blocks[1][0].astype(np.float64), blocks[1][1].astype(np.float64))]
    assert GRURegressor(**TINY).fit_blocks(mixed).predict(X.astype(np.float32)).dtype == np.float64


def test_a_small_buffer_learns_about_as_well():
    options = {"units": 8, "max_epochs": 15, "random_state": 0, "batch_size": 8}
    in_memory = GRURegressor(**options).fit(X, Y)
    model = GRURegressor(**options).fit_blocks(in_blocks(X, Y), buffer_size=40)
    assert model.loss_curve_[-1] < 1.5 * in_memory.loss_curve_[-1] + 0.01
    assert model.loss_curve_[-1] < 0.3 * model.loss_curve_[0]


def test_held_out_samples_are_never_more_than_the_buffer_holds():
    model = GRURegressor(**HOLDING_OUT).fit_blocks(in_blocks(X, Y), buffer_size=1)
    other = GRURegressor(**HOLDING_OUT | {"validation_fraction": 0.3}).fit_blocks(in_blocks(X, Y), buffer_size=1)
    assert_array_equal(model.predict(X), other.predict(X))


def test_training_can_be_continued():
    options = TINY | {"warm_start": True}
    model = GRURegressor(**options).fit_blocks(in_blocks(X, Y)).fit_blocks(in_blocks(X, Y))
    assert_same_model(model, GRURegressor(**options).fit(X, Y).fit(X, Y))
    assert model.n_iter_ == 8


def test_the_order_of_the_items_of_a_list_is_shuffled_where_the_buffer_does_not_hold_all(monkeypatch):
    orders = []
    read = BlockSamples.training_arrays
    monkeypatch.setattr(BlockSamples, "training_arrays", lambda self, order: orders.append(order) or read(self, order))
    model = GRURegressor(**HOLDING_OUT).fit_blocks(in_blocks(X, Y), buffer_size=40)
    assert sorted(orders[0]) == [0, 1, 2, 3, 4]
    assert any(list(order) != sorted(order) for order in orders[:4])
    assert model.n_iter_ == 4


# -- windows -----------------------------------------------------------------------------------------------------------

HOURS = pd.date_range("2024-03-01", periods=120, freq="h")
SENSORS = pd.concat(
    [
        pd.DataFrame(
            {"sensor": name, "time": HOURS, "load": np.sin(np.arange(120) / 5 + shift), "temp": RNG.normal(size=120)}
        )
        for shift, name in enumerate(["north", "south", "west"])
    ],
    ignore_index=True,
)
BY_TIME = SENSORS.sort_values(["time", "sensor"], ignore_index=True)


def make_window(**options):
    return SlidingWindow(window_length=6, groups="sensor", time_column="time", **options)


@pytest.mark.parametrize("size", [17, 130, 1000])
@pytest.mark.parametrize("rows", [SENSORS, BY_TIME], ids=["by sensor", "by time"])
def test_windows_cross_the_borders_of_blocks_as_in_a_pipeline(rows, size):
    in_memory = make_pipeline(make_window(horizon=3), GRURegressor(**HOLDING_OUT))
    in_memory.fit(*supervise(rows, target="load", horizon=3, groups="sensor", time_column="time"))
    window = make_window(horizon=3)
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    model = GRURegressor(**HOLDING_OUT).fit_blocks(blocks, target="load", window=window)
    pipeline = make_pipeline(window, model)
    assert_allclose(pipeline.predict(rows), in_memory.predict(rows), rtol=1e-3, atol=1e-5)
    assert_allclose(model.validation_curve_, in_memory[-1].validation_curve_, rtol=1e-3)
    later = rows.groupby("sensor").tail(2).assign(time=lambda frame: frame["time"] + pd.Timedelta("2h"))
    assert_array_equal(window.transform(later), make_window(horizon=3).fit(rows).transform(later))


def test_a_pipeline_of_the_fitted_parts_can_be_saved():
    window = make_window()
    model = GRURegressor(**TINY).fit_blocks([SENSORS[:200], SENSORS[200:]], target="load", window=window)
    pipeline = make_pipeline(window, model)
    assert_array_equal(pickle.loads(pickle.dumps(pipeline)).predict(SENSORS), pipeline.predict(SENSORS))


def test_a_classifier_predicts_a_column_of_labels_ahead():
    rows = SENSORS.assign(state=np.where(SENSORS["load"] > 0, "on", "off"))[["sensor", "time", "load", "state"]]
    window = make_window(horizon=[2])
    coded = rows.assign(state=(rows["state"] == "on").astype(float))
    model = GRUClassifier(**TINY).fit_blocks(
        [coded[start : start + 50] for start in range(0, 360, 50)], target="state", window=window
    )
    assert model.classes_.tolist() == [0.0, 1.0]
    assert make_pipeline(window, model).predict(coded).shape == (360,)


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ((X[:5, :, :1], Y[:5]), "In block 1 .*2 features"),
        ((X[:5, :4], Y[:5]), r"\(time, feature\) = \(4, 2\), and those of the first block \(6, 2\)"),
        ((np.where(X[:5] > 50, np.nan, X[:5]), Y[:5]), "In block 1 .*contains NaN"),
        ((X[:5], Y[:4]), "In block 1 .*inconsistent numbers of samples"),
        ((X[:5], np.column_stack([Y[:5], Y[:5]])), "fitted with 1 output"),
        (([X[0], X[1, :3]], Y[:2]), "sequences of one length, got 3 to 6 steps"),
    ],
    ids=["features", "steps", "NaN", "targets", "outputs", "lengths"],
)
def test_an_error_names_the_block(block, message):
    with pytest.raises(ValueError, match=message):
        GRURegressor(**TINY).fit_blocks([(X, Y), block])


def test_frames_need_the_columns_of_the_first_block():
    table = pd.DataFrame(X[:, :, 0]).add_prefix("step").assign(goal=Y)
    with pytest.raises(ValueError, match="In block 1 .*feature names"):
        GRURegressor(**TINY).fit_blocks([table, table.rename(columns={"step1": "other"})], target="goal")


def test_an_empty_source_is_an_error():
    for source in ([], lambda: iter([]), [(X[:0], Y[:0])]):
        with pytest.raises(ValueError, match="The source holds no samples"):
            GRURegressor(**TINY).fit_blocks(source)
        with pytest.raises(ValueError, match="The source holds no"):
            GRUClassifier(**TINY).fit_blocks(source)


def test_a_source_that_gives_less_the_second_time_is_an_error():
    once = iter(in_blocks(X, Y))
    with pytest.raises(ValueError, match="gave 230 samples when it was first read, and 0 the second time"):
        GRURegressor(**TINY).fit_blocks(lambda: once)


def test_one_class_in_all_blocks_is_an_error():
    with pytest.raises(ValueError, match="got only one class"):
        GRUClassifier(**TINY).fit_blocks(in_blocks(X, np.full(len(X), "a")))
    with pytest.raises(ValueError, match="Mix of label input types"):
        GRUClassifier(**TINY).fit_blocks([(X[:50], LABELS[:50]), (X[:50], np.arange(50) % 2)])


@pytest.mark.parametrize(
    "options",
    [
        {"stateful": True},
        {"return_sequences": True},
        {"normalize_X": "window"},
        {"normalize_y": "window"},
        {"calibration_cv": 3},
    ],
    ids=str,
)
def test_what_needs_all_samples_at_once_is_refused(options):
    [name] = options
    with pytest.raises(ValueError, match=f"fit_blocks can't be combined with {name}="):
        GRURegressor(**TINY, **options).fit_blocks(in_blocks(X, Y))


@pytest.mark.parametrize("buffer_size", [0, 1.5, "all"])
def test_the_buffer_has_a_size(buffer_size):
    with pytest.raises(ValueError, match="buffer_size"):
        GRURegressor(**TINY).fit_blocks(in_blocks(X, Y), buffer_size=buffer_size)


def test_a_fit_that_fails_changes_neither_model_nor_window():
    window = make_window()
    model = GRURegressor(**TINY).fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="contains NaN"):
        model.fit_blocks([SENSORS[:200], SENSORS[200:].assign(temp=np.nan)], target="load", window=window)
    assert_array_equal(model.predict(X), before)
    with pytest.raises(NotFittedError):
        window.transform(SENSORS)


# -- training ----------------------------------------------------------------------------------------------------------


def test_a_fit_goes_on_from_its_checkpoint_bit_for_bit(tmp_path):
    blocks = in_blocks(X, Y)
    whole = GRURegressor(**HOLDING_OUT).fit_blocks(blocks, buffer_size=40)
    saving = HOLDING_OUT | {"checkpoint": tmp_path}
    GRURegressor(**saving | {"max_epochs": 2}).fit_blocks(blocks, buffer_size=40)
    [file] = tmp_path.iterdir()
    resumed = GRURegressor(**saving).fit_blocks(blocks, buffer_size=40)
    assert list(tmp_path.iterdir()) == [file]
    assert_array_equal(resumed.predict(X), whole.predict(X))
    GRURegressor(**saving).fit_blocks(in_blocks(X, Y + 1), buffer_size=40)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_bars_count_samples_and_batches(capsys):
    GRURegressor(**TINY, verbose=1).fit_blocks(in_blocks(X, Y))
    shown = capsys.readouterr().err
    assert "First pass: 230 samples" in shown
    assert "Second pass: 100%" in shown
    assert "32/32" in shown  # 4 epochs of 8 batches, with an estimate of the time that is left


def test_global_random_generators_are_not_touched():
    state, before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    GRURegressor(**TINY).fit_blocks(in_blocks(X, Y), buffer_size=40)
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before)
