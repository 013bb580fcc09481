import numpy as np
import pytest

pytestmark = pytest.mark.hosts


@pytest.fixture
def ray():
    """The package; what it started ends with the test."""
    import ray

    yield ray
    ray.shutdown()


def test_search_on_ray_gives_the_scores_of_a_search_in_one_process(code_of, ray):
    names = code_of("Ray")
    scores = names["search"].cv_results_["mean_test_score"]
    assert np.array_equal(scores, names["search"].fit(names["X"], names["y"]).cv_results_["mean_test_score"])

    ray.init(num_cpus=1)
    model = ray.put(names["search"].best_estimator_)
    answer = ray.remote(lambda model, X: model.predict(X)).remote(model, names["X"])
    assert np.array_equal(ray.get(answer), names["search"].predict(names["X"]))
