import numpy as np
import pytest

pytestmark = pytest.mark.hosts


def test_trials_are_pruned_and_the_best_can_be_fitted_again(code_of):
    names = code_of("Optuna")
    study = names["study"]
    states = [trial.state.name for trial in study.trials]
    assert {*states} == {"COMPLETE", "PRUNED"}
    assert all(len(trial.intermediate_values) < 8 for trial in study.trials if trial.state.name == "PRUNED")

    units, rate = study.best_params["units"], study.best_params["rate"]
    model = names["network"].set_params(units=units, learning_rate=rate, max_epochs=8, early_stopping=True)
    model.fit(names["X"][:200], names["y"][:200])
    assert np.mean((model.predict(names["X"][200:]) - names["y"][200:]) ** 2) == pytest.approx(study.best_value)
    assert list(study.best_trial.intermediate_values.values()) == pytest.approx(model.validation_curve_)


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
@pytest.mark.filterwarnings("ignore:`optuna.terminator` module has been deprecated:FutureWarning")
def test_search_of_optuna_takes_an_estimator(code_of):
    import optuna
    from optuna_integration import OptunaSearchCV

    names = code_of("Optuna")
    distributions = {"units": optuna.distributions.IntDistribution(2, 8)}
    search = OptunaSearchCV(names["network"], distributions, n_trials=3, cv=2, random_state=0)
    search.fit(names["X"], names["y"])
    model = names["network"].set_params(**search.best_params_).fit(names["X"], names["y"])
    assert np.array_equal(search.predict(names["X"]), model.predict(names["X"]))
