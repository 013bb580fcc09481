"""Searches on Ray, whose workers die and are started again."""

import joblib
import pytest

pytestmark = [
    pytest.mark.cluster,
    # Of what Ray leaves to the garbage collector.
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def with_ray(no_thread_limits, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    yield ray
    ray.shutdown()


def test_fits_of_a_killed_worker_run_in_a_new_one(with_ray, small):
    with_ray.init(num_cpus=2, include_dashboard=False)
    search = small.that_kills_its_worker()
    again = {"max_restarts": 3, "max_task_retries": 3}
    with joblib.parallel_config(backend="ray", n_jobs=2, ray_remote_args=again):
        search.fit(small.X, small.y)
    assert small.has_killed
    assert small.n_fits + 1 <= small.n_calls <= small.n_fits + 2
    small.assert_same_as_here(search)


def test_code_of_the_guide_runs_and_its_fits_compute_with_one_thread(with_ray, page):
    names = {"__name__": "clusters"}
    exec(page.code("Ray"), names)

    def count_threads():
        import torch

        return torch.get_num_threads()

    assert with_ray.get(with_ray.remote(count_threads).remote()) == 1
    scores = names["search"].cv_results_["mean_test_score"]
    assert (scores == names["search"].fit(names["X"], names["y"]).cv_results_["mean_test_score"]).all()
