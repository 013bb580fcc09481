"""How many epochs "auto" stands for."""

import pytest

from sklrnn.training.auto_epochs import StepBudget, resolve_epochs


def test_number_that_was_asked_for_is_taken():
    assert resolve_epochs(7, StepBudget(steps=1000, fewest_epochs=10), n_batches=1) == 7


@pytest.mark.parametrize(("n_batches", "epochs"), [(1, 300), (50, 100), (60, 83), (5000, 10), (10**6, 10)])
def test_constant_number_of_steps_within_a_range_of_epochs(n_batches, epochs):
    budget = StepBudget(steps=5000, fewest_epochs=10, most_epochs=300)
    assert resolve_epochs("auto", budget, n_batches=n_batches) == epochs


@pytest.mark.parametrize(("n_samples", "n_steps"), [(1, 600), (128, 600), (512, 1200), (12800, 6000), (10**6, 8000)])
def test_steps_grow_with_the_number_of_samples(n_samples, n_steps):
    budget = StepBudget(steps=600, reference_samples=128, growth=0.5, most_steps=8000)
    assert resolve_epochs("auto", budget, n_batches=1, n_samples=n_samples) == n_steps


def test_there_is_at_least_one_epoch():
    assert resolve_epochs("auto", StepBudget(steps=1), n_batches=10**6) == 1
