"""``summary()`` of every estimator that holds a network."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sktime.exceptions import NotFittedError as SktimeNotFittedError

from sklrnn import GRUClassifier, RecurrentImputer, SequenceGenerator, SequenceTranslator, SimpleRNNRegressor
from sklrnn.forecasting import LSTMForecaster
from sklrnn.nn.architecture import count_parameters

TINY = {"units": 3, "max_epochs": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(30, 6, 14))
y = X[:, -1, 0]

FITTED = {
    "regressor": lambda: SimpleRNNRegressor(**TINY | {"units": 16}).fit(X, y),
    "classifier": lambda: GRUClassifier(**TINY, bidirectional=True).fit(X, y > 0),
    "generator": lambda: SequenceGenerator(**TINY).fit(["one", "two"]),
    "translator": lambda: SequenceTranslator(**TINY).fit(["one", "two"], ["1", "2"]),
    "imputer": lambda: RecurrentImputer(**TINY).fit(X[0]),
}
every_estimator = pytest.mark.parametrize("fitted", FITTED.values(), ids=FITTED)


@every_estimator
def test_total_is_the_number_of_trainable_parameters(fitted, capsys):
    model = fitted()
    assert model.summary() is None
    printed = capsys.readouterr().out
    assert printed.startswith(type(model).__name__)
    assert f"\nTrainable parameters: {model.n_parameters_}\n" in printed
    assert str(model.summary(show=False)) + "\n" == printed


@every_estimator
def test_a_loaded_estimator_has_the_same_summary(fitted):
    model = fitted()
    assert str(pickle.loads(pickle.dumps(model)).summary(show=False)) == str(model.summary(show=False))


def test_parts_of_513_can_be_read_off(capsys):
    FITTED["regressor"]().summary()
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert {
        "recurrent 1: SimpleRNN (sample, 16) 496",
        "input weights 16 x 14 224",
        "recurrent weights 16 x 16 256",
        "bias 16 16",
        "head (sample, 1) 17",
        "Trainable parameters: 513",
    } <= {*rows}


def test_forecaster_counts_all_its_networks():
    model = LSTMForecaster(**TINY, n_networks=2).fit(y, fh=[1, 2])
    one = count_parameters(model.networks_[0].module_)
    text = str(model.summary(show=False))
    assert f"\nTrainable parameters: {one}\n" in text
    assert text.endswith(f"There are 2 such networks: 2 x {one} = {2 * one} parameters")


@pytest.mark.parametrize(
    ("model", "error"), [(SimpleRNNRegressor(), NotFittedError), (LSTMForecaster(), SktimeNotFittedError)]
)
def test_only_a_fitted_estimator_has_a_summary(model, error):
    with pytest.raises(error, match="not.* fitted yet"):
        model.summary()


def test_a_notebook_shows_html(monkeypatch, capsys):
    shown = []
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: object()))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    FITTED["regressor"]().summary()
    assert capsys.readouterr().out == ""
    assert "<td" in shown[0]._repr_html_()
    assert "Trainable parameters: 513" in shown[0]._repr_html_()
