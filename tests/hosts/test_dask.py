import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_search_on_workers_gives_the_scores_of_a_search_in_one_process(code_of):
    names = code_of("Dask")
    scores = names["search"].cv_results_["mean_test_score"]
    assert np.array_equal(scores, names["search"].fit(names["X"], names["y"]).cv_results_["mean_test_score"])


def test_arrays_of_dask_are_read(code_of):
    import dask.array as da

    names = code_of("Dask")
    blocks, targets = da.from_array(names["X"], chunks=(100, 10, 2)), da.from_array(names["y"], chunks=100)
    model = names["network"].fit(blocks, targets)
    expected = model.predict(names["X"])
    assert np.array_equal(model.fit(names["X"], names["y"]).predict(names["X"]), expected)
    assert np.array_equal(model.predict(blocks), expected)
    in_blocks = blocks.map_blocks(model.predict, drop_axis=(1, 2), dtype=float)
    np.testing.assert_allclose(in_blocks.compute(), expected, atol=1e-12)
