import numpy as np
import pytest

from sklrnn import GRURegressor

pytestmark = pytest.mark.hosts


def test_best_learner_is_a_network_that_predicts_alike(code_of):
    names = code_of("FLAML")
    fitted = names["automl"].model.estimator
    assert type(fitted) is GRURegressor
    assert fitted.units == names["automl"].best_config["units"]
    assert names["automl"].best_loss < 0.5  # 1 - r2
    assert np.array_equal(names["automl"].predict(names["table"]), fitted.predict(names["table"]))


def test_tune_minimises_an_error_of_ours(code_of):
    names = code_of("FLAML")
    tune = names["tune"]
    X, y = names["X"], names["y"]

    def evaluate(config):
        model = names["network"].set_params(units=config["units"]).fit(X[:200], y[:200])
        return {"error": 1 - model.score(X[200:], y[200:])}

    result = tune.run(
        evaluate, config={"units": tune.randint(4, 17)}, metric="error", mode="min", num_samples=4, verbose=0
    )
    assert evaluate(result.best_config)["error"] == pytest.approx(result.best_result["error"])


@pytest.mark.parametrize(("split_type", "is_in_order"), [("uniform", False), ("time", True)])
def test_samples_are_held_out_in_the_order_of_time_if_asked(code_of, split_type, is_in_order):
    names, first_samples = code_of("FLAML"), []

    class Recording(GRURegressor):
        def fit(self, X, y, **options):
            first_samples.append(np.asarray(X)[0])
            return super().fit(X, y, **options)

    class Learner(names["GRULearner"]):
        def __init__(self, task="regression", **config):
            super().__init__(task, **config)
            self.estimator_class = Recording

    automl = names["AutoML"]()
    automl.add_learner("gru", Learner)
    options = {"estimator_list": ["gru"], "max_iter": 1, "time_budget": 60, "eval_method": "holdout", "verbose": 0}
    automl.fit(names["table"], names["y"], task="regression", split_type=split_type, **options)
    assert np.array_equal(first_samples[0], names["table"][0]) == is_in_order
