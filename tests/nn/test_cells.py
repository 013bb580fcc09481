"""Every cell against its equation, written out in numpy, and every option of it in an estimator."""

import dataclasses
import inspect
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

import sklrnn
from sklrnn import GRURegressor, LSTMRegressor, RecurrentClassifier, RecurrentRegressor, SimpleRNNRegressor
from sklrnn.estimators.cell_options import CellOptions
from sklrnn.nn.cell_interface import run_cell
from sklrnn.nn.cells import CELLS, GATES, SLSTM, StepwiseCell, gates_of
from sklrnn.nn.network import NetworkArchitecture

# -- the equations, one sample at a time -------------------------------------------------------------------------------


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def blocks(weights, names, suffix):
    return dict(zip(names, np.split(weights[suffix], len(names)), strict=True))


def simple_rnn(w, x, h, mask, activation=np.tanh):
    states = []
    for x_t in x:
        h = activation(w["weight_ih_l0"] @ x_t + w["weight_hh_l0"] @ (mask * h) + w["bias_ih_l0"])
        states.append(h)
    return states, h


def simple_rnn_relu(w, x, h, mask):
    return simple_rnn(w, x, h, mask, activation=lambda a: np.maximum(a, 0.0))


def gru_after(w, x, h, mask):
    names = ("reset", "update", "candidate")
    W, U = blocks(w, names, "weight_ih_l0"), blocks(w, names, "weight_hh_l0")
    b, d = blocks(w, names, "bias_ih_l0"), blocks(w, names, "bias_hh_l0")
    states = []
    for x_t in x:
        seen = mask * h
        r = sigmoid(W["reset"] @ x_t + b["reset"] + U["reset"] @ seen + d["reset"])
        z = sigmoid(W["update"] @ x_t + b["update"] + U["update"] @ seen + d["update"])
        candidate = np.tanh(W["candidate"] @ x_t + b["candidate"] + r * (U["candidate"] @ seen + d["candidate"]))
        h = z * h + (1 - z) * candidate
        states.append(h)
    return states, h


def gru_textbook(w, x, h, mask):
    names = ("reset", "update", "candidate")
    W, U, b = (blocks(w, names, suffix) for suffix in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))
    states = []
    for x_t in x:
        seen = mask * h
        r = sigmoid(W["reset"] @ x_t + U["reset"] @ seen + b["reset"])
        z = sigmoid(W["update"] @ x_t + U["update"] @ seen + b["update"])
        # One matrix W_c on [r * h, x], as textbooks write it.
        joint = np.concatenate([U["candidate"], W["candidate"]], axis=1)
        candidate = np.tanh(joint @ np.concatenate([r * seen, x_t]) + b["candidate"])
        h = z * h + (1 - z) * candidate
        states.append(h)
    return states, h


def minimal_gru(w, x, h, mask):
    names = ("update", "candidate")
    W, U, b = (blocks(w, names, suffix) for suffix in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))
    states = []
    for x_t in x:
        both = np.concatenate([mask * h, x_t])
        gate = sigmoid(np.concatenate([U["update"], W["update"]], axis=1) @ both + b["update"])
        candidate = np.tanh(np.concatenate([U["candidate"], W["candidate"]], axis=1) @ both + b["candidate"])
        h = gate * candidate + (1 - gate) * h
        states.append(h)
    return states, h


def lstm(w, x, first, mask, peephole=False):
    h, c = first
    names = ("input", "forget", "candidate", "output")
    W, U, b = (blocks(w, names, suffix) for suffix in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))
    p_input, p_forget, p_output = w["peephole_l0"] if peephole else np.zeros((3, len(h)))
    states = []
    for x_t in x:
        seen = mask * h
        i = sigmoid(W["input"] @ x_t + U["input"] @ seen + b["input"] + p_input * c)
        f = sigmoid(W["forget"] @ x_t + U["forget"] @ seen + b["forget"] + p_forget * c)
        c = f * c + i * np.tanh(W["candidate"] @ x_t + U["candidate"] @ seen + b["candidate"])
        o = sigmoid(W["output"] @ x_t + U["output"] @ seen + b["output"] + p_output * c)
        h = o * np.tanh(c)
        states.append(h)
    return states, (h, c)


def lstm_peephole(w, x, first, mask):
    return lstm(w, x, first, mask, peephole=True)


def slstm(w, x, first, mask):
    """Without the stabilizer, which only keeps exponentials finite: it is taken out of the states that are given."""
    h, c, n, m = first
    c, n = c * np.exp(m), n * np.exp(m)
    names = ("input", "forget", "candidate", "output")
    W, U, b = (blocks(w, names, suffix) for suffix in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"))
    states = []
    for x_t in x:
        raw = {name: W[name] @ x_t + U[name] @ (mask * h) + b[name] for name in names}
        i, f = np.exp(raw["input"]), sigmoid(raw["forget"])
        c, n = f * c + i * np.tanh(raw["candidate"]), f * n + i
        m = np.maximum(np.log(f) + m, raw["input"])
        h = sigmoid(raw["output"]) * c / n
        states.append(h)
    return states, (h, c * np.exp(-m), n * np.exp(-m), m)


EQUATIONS = {
    "simple_rnn": (simple_rnn, {"cell": "simple_rnn"}),
    "simple_rnn, relu": (simple_rnn_relu, {"cell": "simple_rnn", "activation": "relu"}),
    "gru": (gru_after, {"cell": "gru"}),
    "gru, textbook": (gru_textbook, {"cell": "gru", "reset_after": False}),
    "minimal_gru": (minimal_gru, {"cell": "minimal_gru"}),
    "lstm": (lstm, {"cell": "lstm"}),
    "lstm, peephole": (lstm_peephole, {"cell": "lstm", "peephole": True}),
    "slstm": (slstm, {"cell": "slstm"}),
}
every_equation = pytest.mark.parametrize("name", EQUATIONS)
every_cell = pytest.mark.parametrize("options", [options for _, options in EQUATIONS.values()], ids=list(EQUATIONS))

N_STEPS, N_SAMPLES, N_FEATURES, N_UNITS = 4, 3, 2, 5


def make(options, n_features=N_FEATURES, n_units=N_UNITS):
    """A cell in double precision whose weights are all random, biases and peepholes too."""
    options = dict(options)
    cell = CELLS[options.pop("cell")](n_features, n_units, **options).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in cell.named_parameters():
            if weight.requires_grad:
                weight.normal_(0.0, 0.7, generator=generator)
            else:
                weight.zero_()
                assert name == "bias_hh_l0"
    return cell


def random_inputs(cell):
    draw = torch.Generator().manual_seed(2)
    x = torch.randn(N_STEPS, N_SAMPLES, N_FEATURES, generator=draw, dtype=torch.float64)
    first = torch.randn(cell.n_states, 1, N_SAMPLES, N_UNITS, generator=draw, dtype=torch.float64)
    if isinstance(cell, SLSTM):
        first[2] = first[2].abs() + 1.0  # the normalizer is a sum of exponentials
    mask = (torch.rand(N_SAMPLES, N_UNITS, generator=draw) > 0.4).double() / 0.6
    return x, first, mask


def as_first(first):
    """The state as torch's layers take it: one tensor, or a pair of them."""
    return first[0] if len(first) == 1 else tuple(first)


def by_the_equation(equation, weights, x, first, mask):
    """States (time, sample, unit) and the last state (part, 1, sample, unit), from arrays."""
    states, lasts = [], []
    for sample in range(x.shape[1]):
        parts = first[:, 0, sample]
        of_sample, last = equation(weights, x[:, sample], parts if len(parts) > 1 else parts[0], mask[sample])
        states.append(of_sample)
        lasts.append(np.atleast_2d(last))
    return np.stack(states, axis=1), np.stack(lasts, axis=1)[:, np.newaxis]


def arrays(cell):
    return {name: weight.detach().numpy().copy() for name, weight in cell.named_parameters()}


@every_equation
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("begun", [False, True], ids=["afresh", "begun"])
def test_states_are_those_of_the_equation(name, begun, masked):
    equation, options = EQUATIONS[name]
    cell = make(options)
    x, first, mask = random_inputs(cell)
    if not begun:
        first = torch.zeros_like(first)
    states, last = run_cell(cell, x, as_first(first) if begun else None, mask if masked else None)
    if not masked:
        mask = torch.ones_like(mask)
    expected, expected_last = by_the_equation(equation, arrays(cell), x.numpy(), first.numpy(), mask.numpy())
    assert_allclose(states.detach(), expected, rtol=1e-12, atol=1e-14)
    last = torch.stack(last) if isinstance(last, tuple) else last[np.newaxis]
    assert_allclose(last.detach(), expected_last, rtol=1e-12, atol=1e-14)


def slopes(function, array):
    """The gradient of a function of one array, by central differences."""
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = array.copy()
            moved[place] += step
            ends.append(function(moved))
        gradient[place] = (ends[0] - ends[1]) / 2e-6
    return gradient


@every_equation
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_gradients_are_those_of_the_equation(name, masked):
    equation, options = EQUATIONS[name]
    cell = make(options)
    x, first, mask = random_inputs(cell)
    mask = mask if masked else torch.ones_like(mask)
    importance = np.random.default_rng(3).normal(size=(N_STEPS, N_SAMPLES, N_UNITS))

    x.requires_grad_()
    first.requires_grad_()
    states, _ = run_cell(cell, x, as_first(first), mask if masked else None)
    (states * torch.from_numpy(importance)).sum().backward()

    weights = arrays(cell)
    known = {"x": x.detach().numpy(), "first": first.detach().numpy()}

    def total(**changed):
        now = {**known, **changed}
        states, _ = by_the_equation(equation, {**weights, **changed}, now["x"], now["first"], mask.numpy())
        return (states * importance).sum()

    assert_allclose(x.grad, slopes(lambda a: total(x=a), known["x"]), rtol=1e-6, atol=1e-8)
    assert_allclose(first.grad, slopes(lambda a: total(first=a), known["first"]), rtol=1e-6, atol=1e-8)
    for key, weight in cell.named_parameters():
        if weight.requires_grad:
            expected = slopes(lambda a, key=key: total(**{key: a}), weights[key])
            assert np.abs(expected).max() > 1e-3
            assert_allclose(weight.grad, expected, rtol=1e-6, atol=1e-8, err_msg=key)


@every_cell
def test_autograd_agrees_with_differences_of_the_cell_itself(options):
    cell = make(options)
    x, first, mask = random_inputs(cell)
    names = [name for name, weight in cell.named_parameters() if weight.requires_grad]
    inputs = [x, first, *(cell.get_parameter(name).detach() for name in names)]

    def run(x, first, *weights):
        given = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(cell, given, (x, as_first(first), mask))[0]

    assert torch.autograd.gradcheck(run, [tensor.clone().requires_grad_() for tensor in inputs])


@every_cell
def test_step_by_step_is_the_same_as_fused(options):
    cell = make(options)
    x, first, mask = random_inputs(cell)
    with torch.no_grad():
        fused, fused_last = run_cell(cell, x, as_first(first))
        stepwise, stepwise_last = run_cell(cell, x, as_first(first), torch.ones_like(mask))
    assert_allclose(fused, stepwise, rtol=1e-12, atol=1e-14)
    for one, other in zip(fused_last, stepwise_last, strict=True):
        assert one.shape == other.shape
        assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@every_cell
def test_two_segments_are_one_sequence(options):
    cell = make(options)
    x, _, _ = random_inputs(cell)
    with torch.no_grad():
        whole, _ = run_cell(cell, x)
        begin, carried = run_cell(cell, x[:1])
        end, _ = run_cell(cell, x[1:], carried)
    assert_allclose(torch.cat([begin, end]), whole, rtol=1e-12, atol=1e-14)


# -- the table of cells ------------------------------------------------------------------------------------------------


def test_options_are_declared_once_and_alike():
    declared = {field.name: field for field in dataclasses.fields(CellOptions) if field.name != "cell"}
    taken = {
        (cell, option.name): option.default
        for cell, maker in CELLS.items()
        for option in inspect.signature(maker).parameters.values()
        if option.kind is option.KEYWORD_ONLY
    }
    assert {(field.metadata["only_with"]["cell"], name): field.default for name, field in declared.items()} == taken


@every_cell
def test_gates_are_named_and_weights_start_gate_by_gate(options):
    cell = make(options)
    gates = gates_of(cell)
    assert next(names for kind, names in GATES.items() if isinstance(cell, kind)) == gates
    assert len(cell.weight_hh_l0) == len(gates) * N_UNITS
    cell.initialise(torch.Generator().manual_seed(0))
    bound = np.sqrt(6 / (N_UNITS + N_FEATURES))
    weights = [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0]
    for gate, W, U, b in zip(gates, *(weight.detach().chunk(len(gates)) for weight in weights), strict=True):
        assert 0.5 * bound < W.abs().max() <= bound
        assert_allclose(U @ U.T, np.eye(N_UNITS), atol=1e-6)
        assert (b == (1.0 if gate == "forget" else 0.0)).all()


def test_nothing_is_known_of_the_gates_of_a_users_cell():
    assert gates_of(nn.Linear(1, 1)) is None
    assert gates_of(nn.LSTM(1, 1)) == ("input", "forget", "candidate", "output")


def test_peepholes_start_closed():
    plain, peeping = CELLS["lstm"](2, 4), CELLS["lstm"](2, 4, peephole=True)
    for cell in (plain, peeping):
        cell.initialise(torch.Generator().manual_seed(0))
    x = torch.randn(3, 2, 2, generator=torch.Generator().manual_seed(1))
    assert_allclose(plain(x)[0].detach(), peeping(x)[0].detach(), atol=1e-6)


# -- in an estimator ---------------------------------------------------------------------------------------------------

TINY = {"units": 6, "max_epochs": 3, "random_state": 0}
X = np.random.default_rng(0).normal(size=(60, 5, 2))
y = 3000 + 500 * X[:, -2:, 0].sum(axis=1)


def fitted(**options):
    return RecurrentRegressor(**{**TINY, **options}).fit(X, y)


@every_cell
@pytest.mark.parametrize(
    "changed",
    [
        {"units": 7},
        {"dropout": 0.3},
        {"recurrent_dropout": 0.3},
        {"bidirectional": True},
        {"l1": 0.1},
        {"l2": 0.1},
        {"filters": 4},
        {"filters": 4, "kernel_size": 2},
        {"filters": 4, "pool_size": 2},
        {"units": (6, 6)},
        {"units": (4,) * 6},
        {"units": (6, 6), "residual": True},
        {"units": (6, 6), "residual": True, "bidirectional": True, "recurrent_dropout": 0.3},
    ],
    ids=str,
)
def test_every_parameter_is_alive_with_every_cell(options, changed):
    one_less = dict(list(changed.items())[:-1])
    assert not np.allclose(fitted(**options, **changed).predict(X), fitted(**options, **one_less).predict(X))


@pytest.mark.parametrize(
    ("cell", "option", "value"),
    [
        ("simple_rnn", "activation", "relu"),
        ("gru", "reset_after", False),
        ("lstm", "forget_bias", -1.0),
        ("lstm", "peephole", True),
    ],
)
def test_every_option_is_alive(cell, option, value):
    plain, changed = fitted(cell=cell), fitted(cell=cell, **{option: value})
    assert not np.allclose(plain.predict(X), changed.predict(X))
    with pytest.raises(ValueError, match="cell_options changed"):
        plain.set_params(warm_start=True, **{option: value}).fit(X, y)


@every_cell
@pytest.mark.parametrize("depth", range(1, 7))
def test_every_weight_learns_in_stacks_of_up_to_six_layers(depth, options):
    options = dict(options)
    network = NetworkArchitecture(
        2, 1, options.pop("cell"), (6,) * depth, options, dropout=0.1, recurrent_dropout=0.1
    ).build(seed=0)
    network(torch.from_numpy(X)).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.requires_grad != (weight.grad is None), name
        assert weight.grad is None or weight.grad.abs().max() > 0, name


@every_cell
def test_a_stream_predicts_like_predict(options):
    model = fitted(**options, units=(6, 6), residual=True, recurrent_dropout=0.2)
    stream = model.start_stream()
    for step in range(5):
        assert_allclose(stream.step(X[0, step]), model.predict(X[:1, : step + 1])[0], rtol=1e-9)


@every_cell
def test_a_saved_model_predicts_the_same(options):
    model = fitted(**options)
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.predict(X), model.predict(X))
    state = model.__getstate__()["model_"]
    assert {type(weight) for weight in state.pop("weights").values()} == {np.ndarray}
    assert not any(isinstance(value, torch.Tensor) for value in [*state.values(), *model.__getstate__().values()])


@every_cell
def test_no_global_generator_is_used_and_seeds_repeat(options):
    before = torch.get_rng_state()
    one, other = (fitted(**options, recurrent_dropout=0.4, dropout=0.2) for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert_array_equal(one.predict(X), other.predict(X))


@every_cell
def test_labels_are_learnt(options):
    labels = np.where(y > 3000, "high", "low")
    model = RecurrentClassifier(**options, units=16, max_epochs=40, random_state=0).fit(X, labels)
    assert model.score(X, labels) > 0.95


# -- options reach the estimators --------------------------------------------------------------------------------------

OPTIONS = {
    "SimpleRNN": {"activation"},
    "GRU": {"reset_after"},
    "LSTM": {"forget_bias", "peephole"},
    "CNNLSTM": {"forget_bias", "peephole"},
    "Recurrent": {"cell", "activation", "reset_after", "forget_bias", "peephole"},
}


@pytest.mark.parametrize("task", ["Regressor", "Classifier"])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_named_class_has_the_options_of_its_cell_only(name, task):
    kind = getattr(sklrnn, name + task)
    every = set().union(*OPTIONS.values())
    assert set(kind().get_params()) & every == OPTIONS[name]
    assert {option for option in every if f"\n{option} : " in kind.__doc__} == OPTIONS[name]
    assert set(clone(kind()).get_params()) == set(kind().get_params())


def test_the_generic_class_says_which_cell_an_option_is_of():
    assert 'Only with ``cell="lstm"``.' in " ".join(RecurrentRegressor.__doc__.split())
    assert "Only with" not in LSTMRegressor.__doc__


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"cell": "gru", "peephole": True},
            "peephole=True of RecurrentRegressor is an option of cell='lstm', got cell='gru'. Set cell='lstm', or "
            "leave",
        ),
        ({"cell": "minimal_gru", "reset_after": False}, "reset_after=False .* option of cell='gru', got cell='minimal"),
        ({"cell": nn.GRU, "activation": "relu"}, "activation='relu' .* option of cell='simple_rnn'"),
        ({"cell": "lstm", "forget_bias": np.nan}, "The 'forget_bias' parameter"),
        ({"cell": "simple_rnn", "activation": "sigmoid"}, "The 'activation' parameter"),
        ({"cell": "gru", "reset_after": "no"}, "The 'reset_after' parameter"),
        ({"cell": "grus"}, "The 'cell' parameter"),
    ],
)
def test_options_are_checked(given, message):
    with pytest.raises(ValueError, match=message):
        RecurrentRegressor(**given).fit(X, y)


def test_an_option_of_another_cell_is_no_parameter_of_a_named_class():
    with pytest.raises(TypeError, match="peephole"):
        GRURegressor(peephole=True)


def test_options_can_be_searched():
    search = GridSearchCV(GRURegressor(**TINY), {"reset_after": [True, False]}, cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    search = GridSearchCV(SimpleRNNRegressor(**TINY), {"activation": np.array(["tanh", "relu"])}, cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_options_are_kept_as_plain_values():
    model = fitted(cell="lstm", peephole=np.True_, forget_bias=np.float32(2.0))
    assert model.model_.architecture.cell_options == {"forget_bias": 2.0, "peephole": True}
    assert {type(value) for value in model.model_.architecture.cell_options.values()} == {float, bool}


# -- cells of ones own -------------------------------------------------------------------------------------------------


class OwnCell(nn.Module):
    """Somebody's simple recurrent layer, without any help."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.both = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, first=None):
        h = x.new_zeros(x.shape[1], self.both.out_features) if first is None else first
        states = []
        for x_t in x:
            h = self.both(torch.cat([x_t, h], dim=1)).tanh()
            states.append(h)
        return torch.stack(states), h


class OwnMaskedCell(OwnCell):
    def forward(self, x, first=None, state_mask=None):
        return super().forward(x if state_mask is None else x * state_mask[:, :1], first)


class LeakyCell(StepwiseCell):
    gates = ("candidate",)

    def step(self, inputs, seen, recurrent, state):
        return 0.5 * state + 0.5 * (inputs + seen @ recurrent).tanh()


@pytest.mark.parametrize("cell", [OwnCell, LeakyCell, nn.LSTM])
def test_a_cell_of_ones_own_is_as_good_as_ours(cell):
    options = {"cell": cell, "units": (6, 6), "residual": True, "bidirectional": True}
    model = fitted(**options)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert_array_equal(fitted(**options).predict(X), model.predict(X))
    stream, one_way = (fitted(cell=cell).start_stream(), fitted(cell=cell))
    predictions = [stream.step(step) for step in X[0]]
    assert_allclose(predictions[-1], one_way.predict(X[:1])[0], rtol=1e-9)


def test_a_cell_of_ones_own_may_drop_parts_of_its_state():
    with pytest.raises(
        ValueError, match="recurrent_dropout=0.5 needs a cell that can drop .* OwnCell.forward takes no"
    ):
        fitted(cell=OwnCell, recurrent_dropout=0.5)
    for cell in (OwnMaskedCell, LeakyCell):
        assert not np.allclose(fitted(cell=cell).predict(X), fitted(cell=cell, recurrent_dropout=0.5).predict(X))


def test_a_stepwise_cell_starts_as_the_others_do():
    cell = fitted(cell=LeakyCell, learning_rate=1e-30).module_.recurrent[0].forwards
    assert_allclose((cell.weight_hh_l0 @ cell.weight_hh_l0.T).detach(), np.eye(6), atol=1e-5)
    assert_allclose(cell.bias_ih_l0.detach(), np.zeros(6), atol=1e-20)


class HalfACell(StepwiseCell):
    gates = ("one", "other")

    def step(self, inputs, seen, recurrent, state):
        return inputs + seen @ recurrent


def no_module(input_size, hidden_size):
    return None


def two_directions(input_size, hidden_size):
    return nn.GRU(input_size, hidden_size, bidirectional=True)


def one_tensor(input_size, hidden_size):
    return nn.Linear(input_size, hidden_size)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (nn.GRU(2, 6), "got a module: GRU.2, 6.. Pass the class, GRU, or a function"),
        (no_module, "must return a torch.nn.Module, got NoneType"),
        (two_directions, r"cell=GRU must keep the calling convention .* its states are \(2, 3, 12\)"),
        (HalfACell, r"cell=HalfACell must keep .* trying it failed with RuntimeError|its states are \(2, 3, 12\)"),
        (dict, "when it is called with .input_size, hidden_size., but <class 'dict'> failed with TypeError"),
        (one_tensor, r"cell=Linear must keep the calling convention .* trying it failed with TypeError"),
    ],
)
def test_a_cell_that_breaks_the_convention(cell, message):
    with pytest.raises(ValueError, match=message):
        fitted(cell=cell)
