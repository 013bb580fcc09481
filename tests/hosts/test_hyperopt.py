import pytest
from sklearn.model_selection import cross_val_score

pytestmark = pytest.mark.hosts


def test_best_parameters_reach_the_best_loss_again(code_of, capsys):
    names = code_of("hyperopt")
    parameters = names["space_eval"](names["space"], names["best"])
    assert isinstance(parameters["units"], int)
    again = cross_val_score(names["network"], names["X"], names["y"], cv=3).mean()
    worst = names["error"]({"units": 4, "learning_rate": 1e-3})
    assert again > 0.5
    assert -again < worst


def test_floats_in_place_of_integers_are_refused(code_of):
    names = code_of("hyperopt")
    with pytest.raises(ValueError, match="'units' parameter of GRURegressor must be an int"):
        names["fmin"](
            names["error"],
            {"units": names["hp"].quniform("units", 4, 16, 4)},
            algo=names["tpe"].suggest,
            max_evals=1,
            show_progressbar=False,
        )
