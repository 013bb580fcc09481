"""Searches on a cluster of Dask whose workers die."""

import joblib
import pytest
from threadpoolctl import threadpool_info

from sklrnn import GRURegressor, distributed
from sklrnn.distributed import DaskBackend

pytestmark = [
    pytest.mark.cluster,
    # What Dask says, such as of ports that are taken, and what it leaves to the garbage collector.
    pytest.mark.filterwarnings(
        "default:::distributed", "default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"
    ),
]


def test_a_killed_worker_costs_only_its_own_fits(client, small):
    search = small.that_kills_its_worker()
    with joblib.parallel_config(backend=DaskBackend(client)):
        search.fit(small.X, small.y)
    assert small.has_killed
    # The fit that ended with its worker, and at most one that it had done and not delivered.
    assert small.n_fits + 1 <= small.n_calls <= small.n_fits + 2
    small.assert_same_as_here(search)


def test_a_fit_that_kills_each_worker_ends_the_search_with_an_error(client, small):
    from distributed.scheduler import KilledWorker

    search = small.that_kills_its_worker(always=True)
    with joblib.parallel_config(backend=DaskBackend(client)), pytest.raises(KilledWorker):
        search.fit(small.X, small.y)


def test_fits_compute_with_one_thread_where_nothing_else_limits_them(client, small):
    def most_threads():
        import torch

        of_blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        return torch.get_num_threads(), max(of_blas)

    def score(estimator, X, y):
        return sum(most_threads())

    search = small.search(score)
    with joblib.parallel_config(backend=DaskBackend(client)):
        search.fit(small.X, small.y)
    assert set(search.cv_results_["mean_test_score"]) == {2.0}
    assert all(min(threads) > 1 for threads in client.run(most_threads).values()), "outside of fits there are more"


def test_threads_of_one_worker_fit_at_the_same_time(small):
    from dask.distributed import Client

    search = small.search()
    with (
        Client(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None) as client,
        joblib.parallel_config(backend=DaskBackend(client)),
    ):
        search.fit(small.X, small.y)
    small.assert_same_as_here(search)


def test_an_error_of_a_fit_reaches_the_caller_and_the_backend_works_on(client, small):
    failing = small.search().set_params(error_score="raise", estimator=GRURegressor(loss="no_such_loss"))
    search = small.search()
    with joblib.parallel_config(backend=DaskBackend()):
        with pytest.raises(ValueError, match="no_such_loss"):
            failing.fit(small.X, small.y)
        search.fit(small.X, small.y)
    small.assert_same_as_here(search)


def test_data_that_are_too_large_for_the_scheduler_are_warned_about(client, small, monkeypatch):
    monkeypatch.setattr(distributed, "_TOO_MUCH_TO_SEND", small.X.nbytes)
    with (
        joblib.parallel_config(backend=DaskBackend(client)),
        pytest.warns(UserWarning, match="ndarray of 0 MiB is sent through Dask's scheduler") as caught,
    ):
        small.search().fit(small.X, small.y)
    assert [warning.filename for warning in caught] == [__file__]


def test_without_a_cluster_the_error_says_how_to_get_one():
    with pytest.raises(ValueError, match=r"dask.distributed.Client\('scheduler:8786'\)"):
        DaskBackend()


def test_code_of_the_guide_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "clusters"}
    exec(page.code("Dask") + page.code("Large data"), names)
    names["client"].close()
