"""One model trained by the workers of a Dask cluster, with the recipe of the user guide."""

import os
import signal

import numpy as np
import pytest
from numpy.testing import assert_allclose
from skorch.callbacks import Callback

from sklrnn import GRURegressor

pytestmark = [
    pytest.mark.cluster,
    # What Dask says, and what it leaves to the garbage collector.
    pytest.mark.filterwarnings(
        "default:::distributed", "default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"
    ),
]

X = np.random.default_rng(0).normal(size=(200, 8, 2))
Y = X[:, -1, 0]
SETTINGS = {"units": 4, "max_epochs": 6, "batch_size": 40, "random_state": 0}


@pytest.fixture
def fit_on_workers(page):
    names = {"__name__": "data_parallel"}
    exec(page.code("On a Dask cluster", "distributed_training.md"), names)
    return names["fit_on_workers"]


@pytest.fixture(scope="module")
def of_one_process():
    return GRURegressor(**SETTINGS).fit(X, Y).predict(X)


def counting_epochs(folder, killed=None):
    """A callback by which each process writes down its epochs, and one kills itself once, in the third epoch."""

    class Counting(Callback):  # a class in a function is sent to workers as it is, and not by its name
        def on_epoch_end(self, net, **_):
            import torch.distributed as dist

            with (folder / f"epochs_{dist.get_rank()}").open("a") as file:
                file.write(f"{os.getpid()}\n")
            if dist.get_rank() == killed and len(net.history) == 3 and not (folder / "killed").exists():
                (folder / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)

    return Counting()


def epochs_of(folder, rank):
    """The numbers of the processes in which they were trained."""
    return (folder / f"epochs_{rank}").read_text().splitlines()


def test_two_workers_train_the_model_of_one_process_time_after_time(client, fit_on_workers, of_one_process, tmp_path):
    model = GRURegressor(**SETTINGS, callbacks=[counting_epochs(tmp_path)])
    for _ in range(5):
        fitted = fit_on_workers(client, model, X, Y, 2)
        assert_allclose(fitted.predict(X), of_one_process, atol=1e-6 * np.abs(Y).max())
    first, second = (epochs_of(tmp_path, rank) for rank in (0, 1))
    assert len(first) == len(second) == 5 * SETTINGS["max_epochs"]
    assert not {*first} & {*second}


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_worker_ends_the_fit_and_the_next_call_goes_on(
    client, fit_on_workers, of_one_process, killed, tmp_path
):
    options = {"checkpoint": str(tmp_path / "checkpoints"), "callbacks": [counting_epochs(tmp_path, killed)]}
    model = GRURegressor(**SETTINGS, **options)
    with pytest.raises(ConnectionError, match=f"Process {1 - killed} of 2 lost the others"):
        fit_on_workers(client, model, X, Y, 2)
    assert (tmp_path / "killed").exists()
    (tmp_path / "epochs_0").unlink()
    model = fit_on_workers(client, model, X, Y, 2)
    assert_allclose(model.predict(X), of_one_process, atol=1e-6 * np.abs(Y).max())
    assert len(epochs_of(tmp_path, 0)) in (3, 4), "it went on after the second or third epoch"
