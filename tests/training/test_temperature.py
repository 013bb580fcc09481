"""A classifier's held-out loss is that at the best temperature."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import log_softmax
from sklearn.metrics import log_loss

from sklrnn import GRUClassifier
from sklrnn.training.temperature import ValidationLogits

OPTIONS = {"embedding_dim": 16, "units": 16, "max_epochs": 30, "random_state": 0}


def loss_at(temperature, logits, codes, weights):
    return -weights @ log_softmax(logits / temperature, axis=1)[np.arange(len(codes)), codes] / len(codes)


def best_temperature(logits, codes, weights):
    """What ``ValidationLogits`` finds, given the samples in two batches."""
    validation = ValidationLogits()
    for part in (slice(0, 7), slice(7, None)):
        validation.add(*(torch.from_numpy(values[part]) for values in (logits, codes, weights)))
    return validation.soften(loss_at(1.0, logits, codes, weights))


@pytest.fixture(scope="module")
def moods():
    """Texts of six words, each with a mood of its own: a network soon knows those of training by heart."""
    rng = np.random.default_rng(0)
    mood = rng.normal(size=300)
    words = rng.integers(300, size=(900, 6))
    y = mood[words].sum(axis=1) + 1.5 * rng.normal(size=900) > 0
    return words[:600], y[:600], words[600:], y[600:]


def test_the_temperature_is_the_one_with_the_lowest_loss():
    rng = np.random.default_rng(0)
    logits, codes, weights = 6 * rng.normal(size=(200, 3)), rng.integers(3, size=200), rng.uniform(size=200)
    logits[np.arange(200), codes] += 2.0
    loss, temperature = best_temperature(logits, codes, weights)
    others = [loss_at(each, logits, codes, weights) for each in np.geomspace(1.0, 100.0, 2000)]
    assert temperature > 2
    assert_allclose(loss, loss_at(temperature, logits, codes, weights))
    assert_allclose(loss, min(others), rtol=1e-5)


def test_logits_that_are_not_sure_enough_stay_as_they_are():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=50)
    logits = 0.1 * np.eye(3)[codes]  # always right
    assert best_temperature(logits, codes, np.ones(50)) == (loss_at(1.0, logits, codes, np.ones(50)), 1.0)


def test_logits_that_would_be_better_a_little_surer_stay_as_they_are():
    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=200)
    logits = 2.0 * np.eye(3)[codes]
    wrong = rng.random(200) < 0.15
    logits[wrong] = np.roll(logits[wrong], 1, axis=1)
    losses = {each: loss_at(each, logits, codes, np.ones(200)) for each in (0.5, 0.8, 1.0)}
    assert losses[0.8] < losses[1.0] < losses[0.5]
    assert best_temperature(logits, codes, np.ones(200)) == (losses[1.0], 1.0)


def test_the_size_of_the_weights_does_not_matter():
    rng = np.random.default_rng(0)
    logits, codes = 6 * rng.normal(size=(50, 3)), rng.integers(3, size=50)
    _, temperature = best_temperature(logits, codes, np.ones(50))
    assert temperature > 2
    assert_allclose(best_temperature(logits, codes, np.full(50, 1e-4))[1], temperature)


def test_logits_of_all_processes_have_one_temperature():
    rng = np.random.default_rng(0)
    arrays = 6 * rng.normal(size=(60, 3)), rng.integers(3, size=60), rng.uniform(size=60)
    batches = [
        [torch.from_numpy(values[rows]) for values in arrays] for rows in (slice(9), slice(9, 25), slice(25, 60))
    ]
    validation = ValidationLogits()
    for batch in batches[:2]:
        validation.add(*batch)
    validation.gather(SimpleNamespace(of_all=lambda mine: [mine, batches[2]]))
    assert_allclose(validation.soften(loss_at(1.0, *arrays)), best_temperature(*arrays))


def test_logits_that_are_no_numbers_stay_as_they_are():
    logits, codes = np.zeros((10, 2)), np.zeros(10, dtype=int)
    logits[8, 1] = np.inf
    validation = ValidationLogits()
    validation.add(*(torch.from_numpy(values) for values in (logits, codes, np.ones(10))))
    assert validation.soften(7.0) == (7.0, 1.0)


def test_logits_that_are_wrong_throughout_become_next_to_equal():
    logits, codes = 50.0 * np.eye(2)[np.zeros(20, dtype=int)], np.ones(20, dtype=int)
    loss, temperature = best_temperature(logits, codes, np.ones(20))
    assert temperature == 100.0
    assert_allclose(loss, np.log1p(np.exp(0.5)))


def test_early_stopping_does_not_stop_while_a_text_classifier_gets_better(moods):
    X, y, X_new, y_new = moods
    stopped = GRUClassifier(**OPTIONS, early_stopping=True).fit(X, y)
    assert stopped.n_iter_ > 20
    assert stopped.score(X_new, y_new) > GRUClassifier(**OPTIONS).fit(X, y).score(X_new, y_new) - 0.01


def test_the_restored_weights_are_as_sure_as_the_held_out_samples_allow(moods):
    X, y, *_ = moods
    model = GRUClassifier(**OPTIONS, early_stopping=True).fit(X, y)
    held_out = np.concatenate([np.flatnonzero(y == label)[-round(0.1 * (y == label).sum()) :] for label in (0, 1)])
    logarithms = model.predict_log_proba(X[held_out])
    assert_allclose(log_loss(y[held_out], np.exp(logarithms)), model.best_validation_loss_, rtol=1e-5)
    assert model.best_validation_loss_ == min(model.validation_curve_)
    for softer in (1.1, 1.5):
        softened = np.exp(log_softmax(logarithms / softer, axis=1))
        assert log_loss(y[held_out], softened) > model.best_validation_loss_


def test_labels_of_steps_are_softened_without_their_padding(moods):
    X, *_ = moods
    rng = np.random.default_rng(1)
    lengths = rng.integers(2, 7, size=len(X))
    words = [x[:length] for x, length in zip(X, lengths, strict=True)]
    tags = [rng.choice(["A", "B"], size=length, p=[0.7, 0.3]) for length in lengths]  # nothing to learn
    model = GRUClassifier(**OPTIONS, return_sequences=True, early_stopping=True, batch_size=8).fit(words, tags)
    assert max(model.net_.history[:, "temperature"]) > 1.5
    loss = log_loss(np.concatenate(tags[540:]), np.concatenate(model.predict_proba(words[540:])))
    assert_allclose(model.best_validation_loss_, loss, rtol=1e-5)
