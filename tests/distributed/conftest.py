"""Searches whose workers are killed, and the code of the user guide. ``.ci/run-cluster`` runs these tests."""

import os
import re
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklrnn import GRURegressor

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


class SmallSearch:
    """A search of 12 fits, whose scorer writes down each call and may kill the process that it runs in."""

    n_fits = 12

    def __init__(self, folder):
        self.X = np.random.default_rng(0).normal(size=(600, 12, 2))
        self.y = self.X[:, -1, 0]
        self._calls, self._killed = folder / "calls", folder / "killed"

    def search(self, scoring=None, **options):
        network = GRURegressor(max_epochs=3, random_state=0)
        cv = TimeSeriesSplit(4)
        return GridSearchCV(network, {"units": [4, 6, 8]}, scoring=scoring, cv=cv, refit=False, **options)

    def that_kills_its_worker(self, *, always=False):
        """The search with a scorer that kills its process at the first fit with 6 units, or at each."""
        calls, killed = self._calls, self._killed

        def score(estimator, X, y):
            with calls.open("a") as file:
                file.write(f"{estimator.units}\n")
            if estimator.units == 6 and (always or not killed.exists()):
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return estimator.score(X, y)

        return self.search(score)  # a function in a function is sent to workers as it is, and not by its name

    @property
    def has_killed(self):
        return self._killed.exists()

    @property
    def n_calls(self):
        return len(self._calls.read_text().splitlines())

    def assert_same_as_here(self, search):
        """The scores equal those of a search in this process."""
        here, found = self.search().fit(self.X, self.y).cv_results_, search.cv_results_
        for name in ("params", *(name for name in here if name.endswith("_test_score"))):
            assert np.array_equal(found[name], here[name]), name


@pytest.fixture
def small(tmp_path):
    return SmallSearch(tmp_path)


@pytest.fixture
def no_thread_limits(monkeypatch):
    """Nothing in the environment limits threads."""
    for name in [name for name in os.environ if name.endswith(("NUM_THREADS", "MAXIMUM_THREADS"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def client(no_thread_limits):
    """The client of two processes, in which nothing limits threads. A task may take one of them with it."""
    import dask
    from dask.distributed import Client, LocalCluster

    settings = {"distributed.nanny.pre-spawn-environ": {}, "distributed.scheduler.allowed-failures": 1}
    with (
        dask.config.set(settings),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def page():
    """The code of the guide: ``page.code(heading)``, of its page on clusters or another."""

    def code(heading, name="clusters.md"):
        text = (GUIDE / name).read_text(encoding="utf-8")
        (section,) = (part for part in re.split(r"^##+ ", text, flags=re.MULTILINE) if part.startswith(heading + "\n"))
        return "\n".join(re.findall(r"^```py\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))

    return SimpleNamespace(code=code)
