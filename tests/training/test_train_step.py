"""How many threads torch's operators have in an epoch."""

from types import SimpleNamespace

import pytest

from sklrnn.training import train_step
from sklrnn.training.train_step import TrainSteps


@pytest.fixture
def asked(monkeypatch):
    """The numbers of threads that are asked for; torch says that it has four, whatever this process has."""
    numbers = []
    monkeypatch.setattr(train_step, "torch_threads", numbers.append)
    monkeypatch.setattr(train_step.torch, "get_num_threads", lambda: 4)
    return numbers


def test_a_step_of_autograd_gets_back_the_threads_that_kernels_have_taken(asked):
    TrainSteps().all_threads()
    assert asked == [4]


def test_outside_of_such_an_epoch_the_threads_stay_as_they_are(asked):
    with TrainSteps("the optimizer is Adagrad").all_threads():
        assert not asked


@pytest.mark.parametrize(
    ("reason", "layers", "n_threads"),
    [(None, (), 1), (None, ("a convolution",), 4), ("the optimizer is Adagrad", (), 4)],
)
def test_operators_have_one_thread_beside_kernels_but_for_convolutions(reason, layers, n_threads, asked):
    module = SimpleNamespace(convolution=SimpleNamespace(layers=layers))
    TrainSteps(reason).operators_alone(SimpleNamespace(module_=module))
    assert asked == [n_threads]
