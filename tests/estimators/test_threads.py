"""Predictions while the same estimator trains on, in another thread."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback

from sklrnn import GRUClassifier, GRURegressor, RecurrentRegressor, SequenceTranslator

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 5, 2))
Y = X[:, -1, 0]
WORDS = ["cat", "dog", "elk", "ant", "bee", "cow"]
TINY = {"units": 4, "max_epochs": 2, "batch_size": 16, "random_state": 0}


class PredictInEveryStep(Callback):
    """Does in the middle of training what another thread may do then."""

    predict = None

    def on_batch_end(self, net, **kwargs):
        if self.predict is not None:
            self.seen.append(self.predict())


def refit(model, data, how):
    return model.partial_fit(*data) if how == "partial_fit" else model.set_params(warm_start=True).fit(*data)


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [GRURegressor, GRUClassifier, RecurrentRegressor])
def test_a_prediction_while_training_goes_on_reads_the_old_weights(kind, dtype, optimizer, how):
    x, watch = X.astype(dtype), PredictInEveryStep()
    y = np.where(Y > 0, "up", "down") if kind is GRUClassifier else Y.astype(dtype)
    model = kind(**TINY, optimizer=optimizer, callbacks=[watch]).fit(x, y)
    answer = model.predict if kind is not GRUClassifier else model.predict_proba
    before, held = answer(x), model.model_
    watch.predict, watch.seen = lambda: answer(x), []
    refit(model, (x, y), how)
    assert len(watch.seen) == (3 if how == "partial_fit" else 6)
    for seen in watch.seen:
        assert_array_equal(seen, before)
    assert not np.array_equal(answer(x), before)
    model.model_ = held  # what a prediction that began before goes on with
    assert_array_equal(answer(x), before)


def test_a_translation_while_training_goes_on_reads_the_old_weights():
    watch = PredictInEveryStep()
    model = SequenceTranslator(**TINY, callbacks=[watch]).fit(WORDS, WORDS[::-1])
    before = model.predict_n_best(WORDS)
    watch.predict, watch.seen = lambda: model.predict_n_best(WORDS), []
    model.set_params(warm_start=True, teacher_forcing=0.5).fit(WORDS, WORDS[::-1])
    assert watch.seen == [before] * len(watch.seen) != []


def test_two_threads_see_whole_models_only():
    model = GRURegressor(**TINY).fit(X, Y)
    known, seen, done = [model.predict(X)], [], threading.Event()

    def predict():
        while not done.is_set():
            seen.append(model.predict(X))

    thread = threading.Thread(target=predict)
    thread.start()
    for _ in range(20):
        model.partial_fit(X, Y)
        known.append(model.predict(X))
    done.set()
    thread.join()
    whole = {values.tobytes() for values in known}
    assert seen
    assert {values.tobytes() for values in seen} <= whole
