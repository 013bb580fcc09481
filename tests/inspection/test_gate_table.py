"""Gates and states are those of the equations, for every cell, layer and direction."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklrnn import (
    CNNLSTMRegressor,
    GRUClassifier,
    GRURegressor,
    LSTMRegressor,
    RecurrentRegressor,
    SequenceScaler,
    SlidingWindow,
)
from sklrnn.cells import StepwiseCell
from sklrnn.inspection import cell_states, gates

X = np.random.default_rng(0).normal(size=(30, 7, 2))
Y = X.sum(axis=(1, 2))
SHORT = {"units": 3, "max_epochs": 2, "random_state": 0}


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def weights_of(model, layer=0, direction="forwards"):
    """Blocks of the weights by gate, in numpy: of inputs, of states, and both biases."""
    cell = getattr(model.module_.recurrent[layer], direction)
    values = {name: value.detach().double().numpy() for name, value in cell.named_parameters()}
    return [values.get(f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def standardised(model, X):
    return (X - model.module_.standardise.mean.numpy()) / model.module_.standardise.spread.numpy()


def lstm_by_hand(x, weights):
    w, u, b, _ = weights
    h = c = np.zeros(u.shape[1])
    for x_t in x:
        i, f, g, o = np.split(w @ x_t + u @ h + b, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        yield {"input": i, "forget": f, "candidate": g, "output": o}, {"hidden": h, "cell": c}


def gru_by_hand(x, weights):
    w, u, b, d = weights
    h = np.zeros(u.shape[1])
    for x_t in x:
        (r, z, g), (r_h, z_h, g_h) = np.split(w @ x_t + b, 3), np.split(u @ h + d, 3)
        r, z = sigmoid(r + r_h), sigmoid(z + z_h)
        g = np.tanh(g + r * g_h)
        h = z * h + (1 - z) * g
        yield {"reset": r, "update": z, "candidate": g}, {"hidden": h}


def assert_tables_hold(steps, gate_table, state_table):
    for gate_values, state_values in steps:
        for table, values in ((gate_table, gate_values), (state_table, state_values)):
            row = next(table)
            assert list(row.index.unique(0)) == list(values)
            for name, expected in values.items():
                assert_allclose(row[name], expected, atol=1e-12)


def rows(table, sample, layer, direction):
    return (row for _, row in table.loc[sample][layer][direction].iterrows())


@pytest.mark.parametrize(("kind", "by_hand"), [(LSTMRegressor, lstm_by_hand), (GRURegressor, gru_by_hand)])
def test_gates_and_states_are_those_of_the_equations_in_numpy(kind, by_hand):
    model = kind(bidirectional=True, **{**SHORT, "units": (3, 4)}).fit(X, Y)
    gate_table, state_table = gates(model, X[:2]), cell_states(model, X[:2])
    for sample in range(2):
        x = standardised(model, X[sample])
        for layer in (1, 2):
            forward = list(by_hand(x, weights_of(model, layer - 1)))
            backward = list(by_hand(x[::-1], weights_of(model, layer - 1, "backwards")))[::-1]
            for direction, steps in (("forward", forward), ("backward", backward)):
                where = sample, layer, direction
                assert_tables_hold(steps, rows(gate_table, *where), rows(state_table, *where))
            x = np.array([[*f["hidden"], *b["hidden"]] for (_, f), (_, b) in zip(forward, backward, strict=True)])


CELLS = [
    {"cell": "simple_rnn"},
    {"cell": "gru"},
    {"cell": "gru", "reset_after": False},
    {"cell": "minimal_gru"},
    {"cell": "lstm"},
    {"cell": "lstm", "peephole": True},
    {"cell": "slstm"},
    {"cell": torch.nn.RNN},
    {"cell": torch.nn.GRU},
    {"cell": torch.nn.LSTM},
]


@pytest.mark.parametrize("options", CELLS, ids=str)
@pytest.mark.parametrize("more", [{}, {"bidirectional": True}, {"residual": True, "recurrent_dropout": 0.2}], ids=str)
def test_hidden_state_is_the_one_that_the_network_computes(options, more):
    if "recurrent_dropout" in more and not isinstance(options["cell"], str):
        more = {"residual": True}
    model = RecurrentRegressor(**options, **more, **SHORT).fit(X, Y)
    hidden = cell_states(model, X[:4]).xs("hidden", axis=1, level="state")
    assert_allclose(hidden.to_numpy().reshape(4, 7, -1), model.hidden_states(X[:4]), atol=2e-6)
    assert gates(model, X[:4]).notna().to_numpy().all()


def test_state_of_an_slstm_follows_its_equations():
    model = RecurrentRegressor(cell="slstm", **SHORT).fit(X, Y)
    gate, state = (table.loc[0][1]["forward"] for table in (gates(model, X[:1]), cell_states(model, X[:1])))
    before = state.shift(fill_value=0.0)
    cell = gate["forget"] * before["cell"] + gate["input"] * gate["candidate"]
    normalizer = gate["forget"] * before["normalizer"] + gate["input"]
    assert_allclose(state["cell"], cell, rtol=1e-9)
    assert_allclose(state["normalizer"], normalizer, rtol=1e-9)
    assert_allclose(state["hidden"], gate["output"] * cell / normalizer, rtol=1e-9)


def test_output_gate_with_peepholes_closes_the_hidden_state():
    model = LSTMRegressor(peephole=True, **SHORT).fit(X, Y)
    gate, state = (table.loc[0][1]["forward"] for table in (gates(model, X[:1]), cell_states(model, X[:1])))
    assert_allclose(state["hidden"], gate["output"] * np.tanh(state["cell"]), rtol=1e-9)


def test_columns_are_chosen_by_any_part_of_their_names():
    table = gates(LSTMRegressor(bidirectional=True, **SHORT).fit(X, Y), X[:2])
    assert table[1, "backward"].columns.unique("gate").tolist() == ["input", "forget", "candidate", "output"]
    assert table.loc[0, (1, "forward", "forget")].shape == (7, 3)
    assert table.xs("forget", axis=1, level="gate").shape == (14, 6)
    assert table.loc[(1, 6), (1, "forward", "output", 2)] == table.iloc[-1, 11]


def test_sequences_of_several_lengths_are_read_to_their_own_ends():
    ragged = [X[0], X[1, :4], X[2, :5]]
    model = LSTMRegressor(bidirectional=True, **SHORT).fit(X, Y)
    table = gates(model, ragged)
    assert table.groupby(level="sample").size().tolist() == [7, 4, 5]
    assert_allclose(table.loc[1], gates(model, [X[1, :4]]).loc[0], atol=1e-12)


def test_stateful_network_passes_its_state_to_the_next_sample():
    model = GRURegressor(stateful=True, batch_size=2, **SHORT).fit(X, Y)
    hidden = cell_states(model, X[:5]).to_numpy().reshape(5, 7, 3)
    assert_allclose(hidden, model.hidden_states(X[:5]), atol=1e-6)


def test_pooled_steps_are_named_by_the_newest_step_in_them():
    model = CNNLSTMRegressor(filters=4, pool_size=3, **SHORT).fit(X, Y)
    table = gates(model, X[:2])
    assert table.loc[0].index.tolist() == [0, 3, 6]  # seven steps, of which the first is a block of its own


def test_gates_of_a_pipeline_are_those_of_its_last_step_and_keep_the_names_of_rows():
    index = pd.date_range("2024-01-01", periods=40, name="day")
    series = pd.DataFrame({"a": np.random.default_rng(1).normal(size=40)}, index=index)
    pipeline = make_pipeline(SlidingWindow(5), SequenceScaler(), GRURegressor(**SHORT)).fit(series, series["a"])
    table = gates(pipeline, series)
    assert table.index.unique("sample").equals(index.rename("sample"))
    assert_allclose(table, gates(pipeline[-1], pipeline[:-1].transform(series)))


def test_gates_of_a_search_are_those_of_its_best_estimator():
    search = GridSearchCV(GRUClassifier(**SHORT), {"units": [2, 3]}, cv=2).fit(X, Y > 0)
    pd.testing.assert_frame_equal(gates(search, X[:2]), gates(search.best_estimator_, X[:2]))


def test_inspection_leaves_the_model_as_it_was():
    model = LSTMRegressor(**SHORT).fit(X, Y)
    before, cell = model.predict(X), model.module_.recurrent[0].forwards
    gates(model, X)
    assert model.module_.recurrent[0].forwards is cell
    assert np.array_equal(model.predict(X), before)


class Leaky(StepwiseCell):
    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.9 * state + 0.1 * (inputs + seen @ recurrent).tanh()


class OpenLeaky(Leaky):
    def gate_values(self, inputs, seen, recurrent, state):
        return ((inputs + seen @ recurrent).tanh(),)

    def step(self, inputs, seen, recurrent, state):
        (candidate,) = self.gate_values(inputs, seen, recurrent, state)
        return 0.9 * state + 0.1 * candidate


class ChangedLeaky(OpenLeaky):
    def step(self, inputs, seen, recurrent, state):
        return (inputs + seen @ recurrent).relu()


def test_cell_of_the_user_shows_its_gates_if_it_tells_them():
    model = RecurrentRegressor(cell=OpenLeaky, **SHORT).fit(X, Y)
    candidate = gates(model, X[:1]).loc[0][1]["forward"]["candidate"]
    hidden = cell_states(model, X[:1]).loc[0][1]["forward"]["hidden"]
    assert_allclose(hidden, 0.9 * hidden.shift(fill_value=0.0) + 0.1 * candidate, atol=1e-12)


@pytest.mark.parametrize("cell", [Leaky, ChangedLeaky])
def test_cell_whose_gates_are_not_known_is_refused_but_its_states_are_shown(cell):
    model = RecurrentRegressor(cell=cell, **SHORT).fit(X, Y)
    with pytest.raises(ValueError, match=f"{cell.__name__} does not tell .* Give it a method ``gate_values``"):
        gates(model, X)
    hidden = cell_states(model, X[:2]).to_numpy().reshape(2, 7, 3)
    assert_allclose(hidden, model.hidden_states(X[:2]), atol=1e-6)


def test_what_holds_no_network_is_refused():
    with pytest.raises(TypeError, match="Networks of regressors and classifiers .* got LinearRegression"):
        gates(LinearRegression().fit(X[:, 0], Y), X)
    with pytest.raises(NotFittedError):
        gates(GRURegressor(), X)
    with pytest.raises(NotFittedError):
        gates(make_pipeline(SlidingWindow(3), GRURegressor()), X)
