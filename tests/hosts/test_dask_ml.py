import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_incremental_trains_one_epoch_on_each_block(code_of):
    names = code_of("dask-ml")
    table, y, reader = names["table"], names["y"], names["reader"]
    for start in (0, 100, 200):
        reader.partial_fit(table[start : start + 100], y[start : start + 100])
    np.testing.assert_allclose(names["predicted"].compute(), reader.predict(table), atol=1e-12)


def test_search_gives_the_scores_of_scikit_learn(code_of):
    from dask_ml.model_selection import GridSearchCV
    from sklearn.model_selection import GridSearchCV as GridSearch

    names = code_of("dask-ml")
    ours, theirs = (
        search(names["network"], {"units": [4, 8]}, cv=3).fit(names["X"], names["y"])
        for search in (GridSearch, GridSearchCV)
    )
    np.testing.assert_allclose(theirs.cv_results_["mean_test_score"], ours.cv_results_["mean_test_score"])


def test_a_fitted_model_predicts_blocks(code_of):
    from dask_ml.wrappers import ParallelPostFit

    names = code_of("dask-ml")
    fitted = names["reader"].fit(names["table"], names["y"])
    predicted = ParallelPostFit(fitted).predict(names["rows"])
    np.testing.assert_allclose(predicted.compute(), fitted.predict(names["table"]), atol=1e-12)
