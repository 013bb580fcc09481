"""Checkpoints: a fit that was ended from outside gives the same model as one that was not."""

import errno
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline

import sklrnn
from sklrnn import (
    Checkpoints,
    CNNLSTMClassifier,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentImputer,
    RecurrentRegressor,
    SequenceGenerator,
    SequenceScaler,
    SequenceTranslator,
    SimpleRNNRegressor,
    TokenEncoder,
)
from sklrnn.forecasting import GRUForecaster
from sklrnn.inputs.ragged import Ragged
from sklrnn.nn.cells import CELLS
from sklrnn.training import checkpoint as checkpoint_module
from sklrnn.training.checkpoint import TrainingCheckpoint
from sklrnn.training.net import SequenceNet

ROOT = Path(sklrnn.__file__).parents[1]
PROGRAM = Path(__file__).with_name("killed_fit_program.py")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6, 2))
Y = X[:, -2:, 0].sum(axis=1)
LABELS = np.where(Y > 0, "up", "down")
TABLE = np.column_stack([np.sin(np.arange(80.0)), np.cos(np.arange(80.0))])
TABLE[20:25, 0] = np.nan
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow", "eel", "fly"]
SALES = pd.Series(RNG.normal(size=60).cumsum(), index=pd.period_range("2010-01", periods=60, freq="M"))
SETTINGS = {"units": 5, "max_epochs": 6, "batch_size": 16, "random_state": 0}


class ProcessEnds(Exception):
    """Stands in for the end of a process."""


@pytest.fixture
def process_ends(monkeypatch):
    """Let the process end after some checkpoints, in all trainings together; `None` lets it live."""
    left: list[int | None] = [None]
    write = TrainingCheckpoint.write

    def write_then_end(self, net):
        write(self, net)
        if left[0] is not None:
            left[0] -= 1
            if left[0] == 0:
                raise ProcessEnds

    monkeypatch.setattr(TrainingCheckpoint, "write", write_then_end)

    def after(n_checkpoints):
        left[0] = n_checkpoints

    return after


@pytest.fixture
def epochs(monkeypatch):
    """The epochs that were trained, one number for each training."""
    trained = []
    run_epochs = SequenceNet.run_epochs

    def counted(self, *args, epochs, **options):
        trained.append(epochs)
        return run_epochs(self, *args, epochs=epochs, **options)

    monkeypatch.setattr(SequenceNet, "run_epochs", counted)
    return trained


def assert_goes_on(model, fit, predict, folder, process_ends, *, ends=(1, 3)):
    """The same answers after the process ended some times."""
    expected = predict(fit(clone(model)))
    name = "gruclassifier__checkpoint" if isinstance(model, Pipeline) else "checkpoint"
    saved = clone(model).set_params(**{name: str(folder)})
    for n_checkpoints in ends:
        process_ends(n_checkpoints)
        with pytest.raises(ProcessEnds):
            fit(clone(saved))
    process_ends(None)
    fitted = fit(clone(saved))
    assert_array_equal(predict(fitted), expected)
    assert_array_equal(predict(fit(clone(saved))), expected)
    return fitted


@pytest.mark.parametrize(
    "model",
    [
        *(RecurrentRegressor(cell=cell, **SETTINGS) for cell in CELLS),
        *(GRURegressor(optimizer=name, **SETTINGS) for name in ("adam", "sgd", "rmsprop", "nadam")),
        GRURegressor(dropout=0.3, recurrent_dropout=0.2, schedule="one_cycle", **SETTINGS),
        LSTMRegressor(early_stopping=True, n_iter_no_change=1, **SETTINGS),
        GRURegressor(stateful=True, shuffle=False, **SETTINGS),
        GRURegressor(pooling="attention", loss="gaussian", l1=0.01, bidirectional=True, **SETTINGS),
    ],
    ids=lambda model: str(model).replace("\n", ""),
)
def test_regressors_go_on_bit_for_bit(model, tmp_path, process_ends):
    fitted = assert_goes_on(model, lambda m: m.fit(X, Y), lambda m: m.predict(X), tmp_path, process_ends)
    reference = clone(model).fit(X, Y)
    assert fitted.loss_curve_ == reference.loss_curve_
    assert fitted.validation_curve_ == reference.validation_curve_
    assert len(fitted.net_.history) == len(reference.net_.history)


@pytest.mark.parametrize(
    ("model", "X", "y", "predict"),
    [
        (GRUClassifier(early_stopping=True, validation_fraction=0.4, **SETTINGS), X, LABELS, "predict_proba"),
        (CNNLSTMClassifier(**SETTINGS), X, LABELS, "predict_proba"),
        (make_pipeline(TokenEncoder(), GRUClassifier(embedding_dim=4, **SETTINGS)), WORDS, list("abababab"), "predict"),
        (RecurrentImputer(**SETTINGS), TABLE, None, "transform"),
        (SequenceTranslator(**SETTINGS), WORDS, [word[::-1] for word in WORDS], "predict"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_other_estimators_go_on_bit_for_bit(model, X, y, predict, tmp_path, process_ends):
    fit = (lambda m: m.fit(X)) if y is None else (lambda m: m.fit(X, y))
    assert_goes_on(model, fit, lambda m: getattr(m, predict)(X), tmp_path, process_ends)


def test_generators_go_on_bit_for_bit(tmp_path, process_ends):
    model = SequenceGenerator(**SETTINGS)
    assert_goes_on(model, lambda m: m.fit(WORDS), lambda m: m.score(WORDS), tmp_path, process_ends)


def test_all_networks_of_a_forecaster_go_on_bit_for_bit(tmp_path, process_ends):
    model = GRUForecaster(units=4, max_epochs=3, n_networks=2, random_state=0)
    assert_goes_on(
        model, lambda m: m.fit(SALES, fh=[1, 2]), lambda m: m.predict().to_numpy(), tmp_path, process_ends, ends=(2, 3)
    )


@pytest.mark.parametrize("n_kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_fit_that_is_killed_at_any_moment_goes_on_bit_for_bit(n_kills, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, PROGRAM, tmp_path, str(n_kills)], env=environment, check=True, timeout=300)
    assert not list(tmp_path.glob("*/*.checkpoint.tmp"))


def test_ctrl_c_leaves_a_checkpoint_from_which_the_next_fit_goes_on(tmp_path, epochs, monkeypatch):
    write = TrainingCheckpoint.write

    def write_then_interrupt(self, net):
        write(self, net)
        signal.raise_signal(signal.SIGINT)

    model = GRURegressor(**SETTINGS, checkpoint=tmp_path)
    monkeypatch.setattr(TrainingCheckpoint, "write", write_then_interrupt)
    with pytest.warns(match="interrupted"), pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    monkeypatch.setattr(TrainingCheckpoint, "write", write)
    assert model.n_iter_ == 1
    assert_array_equal(model.fit(X, Y).predict(X), GRURegressor(**SETTINGS).fit(X, Y).predict(X))
    assert epochs[1] == SETTINGS["max_epochs"] - 1


def test_a_finished_fit_is_read_and_one_with_more_epochs_goes_on(tmp_path, epochs):
    def fit(max_epochs):
        return GRURegressor(**{**SETTINGS, "max_epochs": max_epochs}, checkpoint=tmp_path).fit(X, Y)

    for max_epochs in (4, 4, 6, 3):
        reference = GRURegressor(**{**SETTINGS, "max_epochs": max_epochs}).fit(X, Y)
        epochs.clear()
        assert_array_equal(fit(max_epochs).predict(X), reference.predict(X))
        assert epochs == [{4: 4 if max_epochs == 4 else 0, 6: 2, 3: 3}[max_epochs]] or epochs == [0]
    finished = fit(6)
    assert (finished.n_iter_, finished.net_.path_) == (6, "compiled")
    assert epochs[-1] == 0  # the fit with fewer epochs left this one its file


def test_the_progress_of_a_fit_that_goes_on_begins_with_the_epochs_that_are_done(tmp_path, capsys):
    def shown(**options):
        GRURegressor(**SETTINGS | options, checkpoint=tmp_path).fit(X, Y)
        return capsys.readouterr()

    shown(max_epochs=4)
    assert "| 4/6 [" in shown(verbose=1).err.split("\r")[1]
    assert "| 6/6 [" in shown(verbose=1).err.split("\r")[1]  # all are done
    lines = shown(verbose=2, max_epochs=8).out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 7/8", "epoch 8/8"]


def test_a_bar_of_batches_begins_with_those_that_are_done(tmp_path, capsys):
    model = GRURegressor(**SETTINGS | {"max_epochs": 2}, checkpoint=tmp_path)
    model.fit_blocks([(X, Y)])
    model.set_params(max_epochs=3, verbose=1).fit_blocks([(X, Y)])
    shown = capsys.readouterr().err.split("\r")
    assert "| 8/12 [" in next(bar for bar in shown if "batch" in bar)  # four batches an epoch


def test_other_data_parameters_or_seeds_are_other_fits(tmp_path, epochs):
    for options, y in (({}, Y), ({}, Y**2), ({"random_state": 1}, Y), ({"dropout": 0.1}, Y), ({"units": 6}, Y)):
        GRURegressor(**{**SETTINGS, **options}, checkpoint=tmp_path).fit(X, y)
    assert epochs == [SETTINGS["max_epochs"]] * 5
    assert len(list(tmp_path.iterdir())) == 5


def test_a_fingerprint_sees_arrays_at_any_depth():
    def parts(number):
        held = SimpleNamespace(by_name={"a": [np.arange(5000), np.array(number)]}, kind=Ragged)
        return b"".join(checkpoint_module._parts_of_object(held))

    assert parts(1) == parts(1)
    assert parts(1) != parts(2)


def test_a_search_that_is_started_again_skips_its_finished_fits(tmp_path, epochs):
    pipeline = make_pipeline(SequenceScaler(), GRURegressor(**SETTINGS, checkpoint=str(tmp_path)))
    search = GridSearchCV(pipeline, {"gruregressor__units": [3, 4]}, cv=2)
    first = clone(search).fit(X, Y)
    trained = sum(epochs)
    epochs.clear()
    again = clone(search).fit(X, Y)
    assert trained == 5 * SETTINGS["max_epochs"]
    assert sum(epochs) == 0
    assert_array_equal(again.cv_results_["mean_test_score"], first.cv_results_["mean_test_score"])
    assert_array_equal(again.predict(X), first.predict(X))


def test_a_halving_search_over_epochs_trains_only_those_that_a_candidate_has_not_had(tmp_path, epochs):
    def search(checkpoint):
        model = GRURegressor(**{**SETTINGS, "units": 4, "checkpoint": checkpoint})
        halving = {"resource": "max_epochs", "min_resources": 2, "max_resources": 8, "factor": 2}
        rates = {"learning_rate": [0.001, 0.003, 0.01, 0.03]}
        return HalvingGridSearchCV(model, rates, cv=TimeSeriesSplit(2), refit=False, random_state=0, **halving)

    anew = search(None).fit(X, Y)
    assert sum(epochs) == 2 * (4 * 2 + 2 * 4 + 1 * 8)  # folds, candidates, epochs
    epochs.clear()
    going_on = search(tmp_path).fit(X, Y)
    assert sum(epochs) == 2 * (4 * 2 + 2 * 2 + 1 * 4)
    assert_array_equal(going_on.cv_results_["mean_test_score"], anew.cv_results_["mean_test_score"])


def test_checkpoints_are_written_as_often_as_asked(tmp_path, monkeypatch):
    written = []
    write = TrainingCheckpoint.write
    monkeypatch.setattr(
        TrainingCheckpoint, "write", lambda self, net: (written.append(len(net.history)), write(self, net))
    )
    for plan, expected in (
        (Checkpoints(tmp_path / "a", every_epochs=4), [4, 6]),
        (Checkpoints(tmp_path / "b", every_minutes=5), [6]),
        (Checkpoints(tmp_path / "c"), [1, 2, 3, 4, 5, 6]),
    ):
        written.clear()
        GRURegressor(**SETTINGS, checkpoint=plan).fit(X, Y)
        assert written == expected
    with pytest.raises(ValueError, match="every_epochs must be at least 1"):
        Checkpoints(tmp_path, every_epochs=0)


def test_a_folder_that_cant_be_made_is_an_error_before_training(tmp_path, epochs):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"checkpoint=.*file.* can't be written to: .* Name a folder"):
        GRURegressor(**SETTINGS, checkpoint=tmp_path / "file").fit(X, Y)
    assert epochs == []


def test_on_a_full_disk_training_goes_on_and_one_warning_says_so(tmp_path, monkeypatch):
    def fail(path, content, *, keep=True):
        if keep:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_module, "_write", fail)
    with pytest.warns(UserWarning, match="can't be written: .*No space left") as said:
        model = GRURegressor(**SETTINGS, checkpoint=tmp_path).fit(X, Y)
    assert len(said) == 1
    assert_array_equal(model.predict(X), GRURegressor(**SETTINGS).fit(X, Y).predict(X))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_or_foreign_checkpoint_is_ignored_with_a_warning(damage, tmp_path, epochs):
    model = GRURegressor(**SETTINGS, checkpoint=tmp_path)
    expected = model.fit(X, Y).predict(X)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-9], "flipped": content, "empty": b"", "foreign": pickle.dumps(1)}[damage])
    epochs.clear()
    with pytest.warns(UserWarning, match="is damaged, or is not one of this version"):
        assert_array_equal(model.fit(X, Y).predict(X), expected)
    assert epochs == [SETTINGS["max_epochs"]]
    assert_array_equal(model.fit(X, Y).predict(X), expected)
    assert epochs[-1] == 0


def test_a_checkpoint_needs_a_fixed_seed(tmp_path):
    with pytest.raises(ValueError, match="needs an int as random_state, got None"):
        SimpleRNNRegressor(units=3, max_epochs=1, checkpoint=tmp_path).fit(X, Y)


def test_a_model_with_checkpoints_can_be_saved(tmp_path):
    model = GRURegressor(**SETTINGS, checkpoint=Checkpoints(str(tmp_path), every_epochs=2)).fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    skops = pytest.importorskip("skops.io")
    loaded = skops.loads(skops.dumps(model), trusted=sklrnn.trusted_types())
    assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.checkpoint == model.checkpoint
