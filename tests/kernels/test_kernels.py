"""Kernels compute what torch's layers compute: values, gradients, errors; and they give the same bits each time."""

import copy
import os
import threading
import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from joblib import parallel_config
from sklearn.model_selection import cross_val_score
from torch import nn
from torch.autograd import forward_ad

from sklrnn import GRURegressor
from sklrnn.kernels import _runtime, autograd, run_kernel
from sklrnn.kernels._registry import load_kernel
from sklrnn.nn.cells import GRU, LSTM, MinimalGRU, PeepholeLSTM, SimpleRNN, TextbookGRU

OF_TORCH = {
    "simple_rnn": (SimpleRNN, nn.RNN, {}),
    "relu_rnn": (SimpleRNN, nn.RNN, {"activation": "relu"}),
    "gru": (GRU, nn.GRU, {}),
    "lstm": (LSTM, nn.LSTM, {}),
}
VARIANTS = {"textbook_gru": TextbookGRU, "minimal_gru": MinimalGRU, "peephole_lstm": PeepholeLSTM}
LSTMS = ("lstm", "peephole_lstm")
EPSILON = torch.finfo(torch.float32).eps
every_cell = pytest.mark.parametrize("cell", [*OF_TORCH, *VARIANTS])
every_cell_of_torch = pytest.mark.parametrize("cell", OF_TORCH)


def unrolled(kind):
    """The layer without its kernel: step by step, by autograd."""

    class Unrolled(kind):
        def forward(self, x, first=None, state_mask=None):
            return self.unroll(x, first, state_mask)

    return Unrolled


def layers(cell, n_features, units, seed=0, masked=False):
    """A layer of ours and torch's own, or the same unrolled, with the same weights and biases, none of them zero."""
    ours, theirs, options = OF_TORCH.get(cell) or (VARIANTS[cell], unrolled(VARIANTS[cell]), {})
    layer = ours(n_features, units, **options)
    if masked:
        reference = unrolled(ours)(n_features, units, **options)
    else:
        reference = theirs(n_features, units, **({"nonlinearity": "relu"} if options else {}))
    layer.initialise(generator := torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for name in ("bias_ih_l0", "bias_hh_l0", "peephole_l0"):
            if hasattr(layer, name):
                getattr(reference, name).requires_grad_(True)
                weight = getattr(layer, name).requires_grad_(True)
                weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    reference.load_state_dict(layer.state_dict())
    return layer, reference


def initial_states(cell, n_rows, units, seed=1):
    generator = torch.Generator().manual_seed(seed)
    states = [torch.randn(1, n_rows, units, generator=generator) for _ in range(1 + (cell in LSTMS))]
    return states[0] if len(states) == 1 else tuple(states)


def parts(outputs):
    """All states, the final one and perhaps the final cell state, as a list."""
    states, last = outputs
    return [states, *(last if isinstance(last, tuple) else (last,))]


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def ran_in_a_kernel(outputs):
    return any("Recurrence" in type(output.grad_fn).__name__ for output in parts(outputs)) or any(
        "Recurrence" in type(parent).__name__
        for output in parts(outputs)
        for parent, _ in getattr(output.grad_fn, "next_functions", ())
    )


LAYOUTS = {
    "time first": lambda x: x,
    "sample first": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "feature first": lambda x: x.permute(2, 0, 1).contiguous().permute(1, 2, 0),
    "every other": lambda x: x.repeat_interleave(2, 0).repeat_interleave(2, 2)[::2, :, ::2],
}


@st.composite
def tasks(draw):
    cell = draw(st.sampled_from(sorted({*OF_TORCH, *VARIANTS})))
    n_states = 1 + (cell in LSTMS)
    return {
        "cell": cell,
        "n_steps": draw(st.integers(1, 80)),
        "n_rows": draw(st.integers(1, 70)),
        "n_features": draw(st.integers(1, 20)),
        "units": draw(st.integers(1, 70)),
        "layout": draw(st.sampled_from(sorted(LAYOUTS))),
        "with_initial": draw(st.booleans()),
        "masked": draw(st.booleans()),
        # x, four weights, the initial states
        "wanted": draw(st.lists(st.booleans(), min_size=7, max_size=7).filter(any)),
        "used": draw(st.lists(st.booleans(), min_size=1 + n_states, max_size=1 + n_states).filter(any)),
        "n_threads": draw(st.sampled_from([1, 1, 2, 3])),
    }


def gradients(layer, x, initial, wanted, used, mask=None):
    """Outputs, and the gradients that are wanted of a weighted sum of the outputs that are used."""
    inputs = [
        x,
        *layer.parameters(),
        *(() if initial is None else initial if isinstance(initial, tuple) else (initial,)),
    ]
    for tensor, is_wanted in zip(inputs, wanted, strict=False):
        tensor.requires_grad_(is_wanted)
    asked = [tensor for tensor in inputs if tensor.requires_grad]
    outputs = layer(x, initial) if mask is None else layer(x, initial, mask)
    ends = [output for output, is_used in zip(parts(outputs), used, strict=True) if is_used]
    if not asked or not any(end.requires_grad for end in ends):
        return outputs, []
    into = [numbers(*end.shape, seed=2 + i).to(end.dtype) for i, end in enumerate(ends)]
    return outputs, torch.autograd.grad(ends, asked, into, allow_unused=True)


def is_far_from_the_kink(layer, x, initial, mask=None):
    """Whether no sum is so near to zero that rounding decides whether relu passes it."""
    h = x.new_zeros(x.shape[1], layer.hidden_size) if initial is None else initial[0]
    for inputs in x:
        h = h if mask is None else h * mask
        before = inputs @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0 + h @ layer.weight_hh_l0.T
        if before.abs().min() < 1e-6 * before.abs().max():
            return False
        h = before.relu()
    return True


@pytest.fixture
def several_threads_for_any_work(monkeypatch):
    monkeypatch.setattr(_runtime, "_MIN_WORK_PER_THREAD", 1)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def make(task, seed=0):
    """The layers and their inputs; in float64 too."""
    cell = task["cell"]
    layer, reference = layers(cell, task["n_features"], task["units"], masked=task["masked"])
    x = LAYOUTS[task["layout"]](numbers(task["n_steps"], task["n_rows"], task["n_features"], seed=seed))
    initial = initial_states(cell, task["n_rows"], task["units"]) if task["with_initial"] else None
    exact = copy.deepcopy(reference).double()
    initial_exact = (
        None if initial is None else initial.double() if cell not in LSTMS else tuple(s.double() for s in initial)
    )
    return (layer, x, initial), (reference, x, initial), (exact, x.double(), initial_exact)


def state_mask(task):
    """What recurrent dropout draws."""
    kept = numbers(task["n_rows"], task["units"], seed=3) > -0.5
    return 1.5 * kept.float() if task["masked"] else None


def is_smooth(task, right):
    if task["cell"] != "relu_rnn":
        return True
    with torch.no_grad():
        return is_far_from_the_kink(*right, mask=state_mask(task))


def check_against_torch(task, mine, theirs, right):
    used, mask = task["used"], state_mask(task)
    torch.set_num_threads(task["n_threads"])
    mine, my_grads = gradients(*mine, task["wanted"], used, mask)
    if my_grads:
        assert ran_in_a_kernel(mine)
    torch.set_num_threads(1)  # the many small operations of a step would wait for threads longer than they compute
    n_weights = len(list(right[0].parameters()))
    theirs, their_grads = gradients(*theirs, task["wanted"], used, mask)
    wanted, exact_mask = task["wanted"], None if mask is None else mask.double()
    # The reference is always asked for the gradient of x as well: it tells how large gradients of states are.
    right, (of_x, *right_grads) = gradients(*right, [True, *wanted[1:]], used, exact_mask)
    expected_of_all = [*parts(right), *([of_x] if wanted[0] else []), *right_grads]
    ours, theirs = [*parts(mine), *my_grads], [*parts(theirs), *their_grads]
    first_of_states = len(used) + sum(wanted[: 1 + n_weights])
    for at, (got, other, expected) in enumerate(zip(ours, theirs, expected_of_all, strict=True)):
        assert (got is None) == (expected is None)
        if got is not None:
            assert got.shape == expected.shape
            # Where sums cancel, torch's own float32 is no more exact. A gradient of an initial state that vanishes is
            # a product of many factors, whose rounding errors count beside the gradients that have not vanished.
            inexact, largest = 3 * (other - expected).abs().max(), expected.abs().max()
            if at >= first_of_states:
                largest = max(largest, of_x.abs().max())
            # A saturated unit passes on 1 - h^2, which is exact to the last place of a number near 1.
            assert (got - expected).abs().max() <= 1e-5 * largest + inexact + 2 * EPSILON


@settings(deadline=None, max_examples=200)
@given(tasks())
@pytest.mark.usefixtures("several_threads_for_any_work")
def test_values_and_gradients_are_those_of_torch(task):
    mine, theirs, right = make(task)
    assume(is_smooth(task, right))
    check_against_torch(task, mine, theirs, right)


# Beyond the sizes above: several groups of rows, chunks of time, wide layers, threads that get whole tiles.
@every_cell
@pytest.mark.parametrize(
    ("n_steps", "n_rows", "n_features", "units"),
    [(40, 300, 3, 33), (170, 90, 40, 48), (12, 41, 5, 200), (3, 129, 70, 17)],
)
@pytest.mark.parametrize(("n_threads", "masked"), [(1, False), (2, False), (1, True)])
@pytest.mark.usefixtures("several_threads_for_any_work")
def test_values_and_gradients_of_large_layers(cell, n_steps, n_rows, n_features, units, n_threads, masked):
    sizes = {"n_steps": n_steps, "n_rows": n_rows, "n_features": n_features, "units": units}
    task = {"cell": cell, **sizes, "layout": "sample first", "with_initial": True, "n_threads": n_threads}
    task["masked"] = masked
    task |= {"wanted": [True] * 7, "used": [True] * (2 + (cell in LSTMS))}
    tries = (make(task, seed) for seed in range(100))
    check_against_torch(task, *next(made for made in tries if is_smooth(task, made[2])))


@every_cell
def test_a_row_is_equal_to_the_bit_in_any_batch(cell):
    layer, _ = layers(cell, 3, 21)

    def outputs_and_gradient(x):
        outputs = parts(layer(x.requires_grad_()))
        return [*outputs, *torch.autograd.grad(outputs[0].square().sum(), x)]

    for n_rows in (1, 2, 7, 8, 9, 33, 40, 47, 70):
        x = numbers(9, n_rows, 3)
        together = outputs_and_gradient(x)
        for row in range(n_rows):
            for alone, batch in zip(outputs_and_gradient(x[:, row : row + 1].detach()), together, strict=True):
                assert torch.equal(alone, batch[:, row : row + 1])


@every_cell
@pytest.mark.usefixtures("several_threads_for_any_work")
def test_repeats_are_equal_to_the_bit_and_values_for_any_number_of_threads(cell):
    def run(n_threads):
        torch.set_num_threads(n_threads)
        layer, _ = layers(cell, 4, 20)
        outputs, grads = gradients(layer, numbers(30, 90, 4), None, [True] * 5, [True] * (2 + (cell in LSTMS)))
        return parts(outputs), grads

    (values, grads), (again, grads_again), (alone, _) = run(3), run(3), run(1)
    assert all(map(torch.equal, values, again))
    assert all(map(torch.equal, grads, grads_again))
    assert all(map(torch.equal, values, alone))


@every_cell_of_torch
def test_weights_are_exchanged_with_torch(cell):
    layer, reference = layers(cell, 3, 10)
    back = type(layer)(3, 10, **OF_TORCH[cell][2])
    back.load_state_dict(reference.state_dict())
    x = numbers(6, 4, 3)
    assert torch.equal(back(x)[0], layer(x)[0])
    torch.testing.assert_close(layer(x)[0], reference(x)[0], rtol=1e-5, atol=1e-6)


@every_cell
def test_outputs_are_the_same_without_gradients(cell):
    layer, _ = layers(cell, 3, 20)
    x = numbers(12, 35, 3)
    expected = parts(layer(x))
    assert ran_in_a_kernel(layer(x))
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            done = parts(layer(x))
            assert not done[0].requires_grad
        assert all(map(torch.equal, done, expected))


@every_cell
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e12, 1e-42])
@pytest.mark.parametrize("place", ["x", "initial state", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0"])
def test_nan_infinite_and_extreme_values_propagate_as_in_torch(cell, bad, place):
    if place == "initial state" and abs(bad) == float("inf") and cell not in {"simple_rnn", "relu_rnn"}:
        return  # a closed gate lets 2e-19 pass, as a float32 can't tell from 0 until it meets infinity
    layer, reference = layers(cell, 3, 19)
    x, initial = numbers(7, 10, 3), initial_states(cell, 10, 19)
    with torch.no_grad():
        if place == "x":
            x[3, 4, 1] = bad
        elif place == "initial state":
            (initial[-1] if cell in LSTMS else initial)[0, 4, 5] = bad
        else:
            for both in (layer, reference):
                getattr(both, place).view(-1)[6] = bad
    used = [True] * (2 + (cell in LSTMS))
    (mine, grads), (theirs, right) = (gradients(each, x, initial, [True] * 7, used) for each in (layer, reference))
    assert ran_in_a_kernel(mine)
    torch.testing.assert_close(parts(mine), parts(theirs), rtol=1e-4, atol=1e-5, equal_nan=True)
    for got, expected in zip(grads, right, strict=True):
        finite = expected.isfinite()
        assert torch.equal(got.isfinite(), finite)
        if abs(bad) != 1e12:  # otherwise rounding leaves little of the other terms in sums
            torch.testing.assert_close(got[finite], expected[finite], rtol=1e-3, atol=1e-4)


def test_vanishing_gradients_are_flushed_for_the_length_of_a_call_only():
    layer, _ = layers("simple_rnn", 1, 8)
    with torch.no_grad():
        layer.weight_hh_l0.mul_(1e-3)
    x = numbers(60, 4, 1).requires_grad_()
    layer(x)[0][-1].sum().backward()
    assert x.grad[-1].abs().min() > 0
    assert x.grad[0].abs().max() < 1e-37
    assert torch.tensor(1e-40).mul(1.0) > 0


@every_cell
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_can_be_differentiated(cell, masked):
    layer, reference = layers(cell, 2, 6, masked=masked)
    mask = [state_mask({"n_rows": 3, "units": 6, "masked": True})] if masked else []

    def second(each):
        x = numbers(5, 3, 2).requires_grad_()
        states, _ = each(x, None, *mask)
        (slope,) = torch.autograd.grad(states.square().sum(), x, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), [x, *each.parameters()], allow_unused=True)

    for got, expected in zip(second(layer), second(reference), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5 * max(1.0, float(expected.abs().max())))


@every_cell
def test_a_second_backward_pass_gives_the_same(cell):
    layer, _ = layers(cell, 2, 20)
    end = layer(numbers(6, 9, 2))[0].square().sum()
    weights = list(layer.parameters())
    once, twice = (torch.autograd.grad(end, weights, retain_graph=True) for _ in range(2))
    assert all(map(torch.equal, once, twice))


@every_cell
def test_saved_tensors_may_be_moved_and_forward_passes_repeated(cell):
    layer, _ = layers(cell, 2, 20)
    x, weights = numbers(6, 9, 2).requires_grad_(), list(layer.parameters())
    expected = torch.autograd.grad(layer(x)[0].square().sum(), weights)

    def in_columns(tensor):
        return tensor.mT.contiguous().mT if tensor.ndim > 1 else tensor.clone()

    with torch.autograd.graph.saved_tensors_hooks(in_columns, lambda tensor: tensor):
        hooked = layer(x)[0]
    found = torch.autograd.grad(hooked.square().sum(), weights)
    assert all(map(torch.equal, found, expected))
    again = torch.utils.checkpoint.checkpoint(lambda x: layer(x)[0], x, use_reentrant=False)
    assert all(map(torch.equal, torch.autograd.grad(again.square().sum(), weights), expected))


def test_changed_inputs_are_noticed_in_the_backward_pass():
    layer, _ = layers("gru", 2, 20)
    x = numbers(6, 9, 2)
    states, _ = layer(x)
    x.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        states.sum().backward()


def uncovered(change):
    """A layer and an input that only torch can handle."""
    layer, reference = layers("gru", 3, 5)
    x = numbers(4, 6, 3)
    if change == "float64":
        return layer.double(), reference.double(), x.double()
    if change == "bfloat16":
        return layer.bfloat16(), reference.bfloat16(), x.bfloat16()
    if change == "no samples":
        return layer, reference, x[:, :0]
    if change == "one sequence":
        return layer, reference, x[:, 0]
    if change == "negated":
        return layer, reference, torch.complex(x, x).conj().imag
    if change == "packed":
        return layer, reference, nn.utils.rnn.pack_padded_sequence(x, [4, 4, 4, 3, 2, 1])
    if change == "wide for one step":
        return *layers("gru", 3, 130), x[:1]
    layer, reference = layers("gru", 3, 641)
    return layer, reference, x


@pytest.mark.parametrize(
    "change",
    ["float64", "bfloat16", "no samples", "one sequence", "negated", "packed", "wide for one step", "too wide"],
)
def test_torch_runs_what_a_kernel_does_not_cover(change):
    layer, reference, x = uncovered(change)
    assert run_kernel(layer, x) is None
    mine, theirs = layer(x), reference(x)
    if change == "packed":
        mine, theirs = ((packed.data, last) for packed, last in (mine, theirs))
    assert all(map(torch.equal, parts(mine), parts(theirs)))


@pytest.mark.parametrize("x", [torch.ones(4, 6, 3, dtype=torch.int64), torch.ones(4, 6, 3).half(), torch.ones(4, 6, 2)])
def test_errors_are_those_of_torch(x):
    layer, reference = layers("gru", 3, 5)
    with pytest.raises((RuntimeError, ValueError)) as expected:
        reference(x)
    with pytest.raises(type(expected.value)) as found:
        layer(x)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("name", ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"])
def test_weights_of_another_size_are_not_read(name):
    layer, _ = layers("gru", 3, 5)
    setattr(layer, name, nn.Parameter(getattr(layer, name)[:-3].detach().clone()))
    assert run_kernel(layer, numbers(4, 6, 3)) is None


def test_torch_traces_and_transforms_its_own_layer():
    layer, reference = layers("gru", 3, 5)
    x = numbers(4, 6, 3)

    def loss(x):
        return layer(x)[0].square().sum()

    (expected,) = torch.autograd.grad(reference(x.requires_grad_())[0].square().sum(), x)
    x = x.detach()
    torch.testing.assert_close(torch.func.grad(loss)(x), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert run_kernel(layer, x) is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both use parts of torch that it has deprecated, and traces warn of sizes
        with forward_ad.dual_level():
            slope = forward_ad.unpack_dual(loss(forward_ad.make_dual(x, torch.ones_like(x)))).tangent
        traced = torch.jit.trace(layer, x)
    torch.testing.assert_close(slope, expected.sum())
    other = numbers(4, 6, 3, seed=5)
    torch.testing.assert_close(traced(other)[0], reference(other)[0])


def test_kernels_can_be_switched_off(monkeypatch):
    layer, reference = layers("gru", 3, 20)
    x = numbers(9, 6, 3)
    assert ran_in_a_kernel(layer(x))
    monkeypatch.setenv("SKLRNN_KERNELS", "0")
    assert not ran_in_a_kernel(layer(x))
    assert torch.equal(layer(x)[0], reference(x)[0])


@pytest.mark.usefixtures("several_threads_for_any_work")
def test_one_thread_does_the_work_if_no_more_can_start(monkeypatch):
    layer, _ = layers("gru", 3, 20)
    x = numbers(9, 60, 3)
    expected = layer(x)[0]

    def start(thread):
        raise RuntimeError("can't start new thread")

    torch.set_num_threads(4)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert torch.equal(layer(x)[0], expected)


X = np.random.default_rng(0).normal(size=(70, 8)).astype(np.float32)
y = X.sum(axis=1)


def small_fit(seed=0):
    return GRURegressor(units=9, max_epochs=2, random_state=seed).fit(X, y).predict(X)


def test_fits_in_many_threads_are_those_of_one():
    expected = [small_fit(seed) for seed in range(3)]
    found, errors = {}, []

    def work(i):
        try:
            found[i] = [small_fit(seed) for seed in range(3)]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    for i in range(8):
        np.testing.assert_array_equal(found[i], expected)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_cross_validation_gives_the_same_in_parallel(backend):
    model = GRURegressor(units=9, max_epochs=2, random_state=0)
    expected = cross_val_score(model, X, y, cv=3)
    with parallel_config(backend, n_jobs=2):
        np.testing.assert_array_equal(cross_val_score(model, X, y, cv=3), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.usefixtures("several_threads_for_any_work")
def test_a_forked_process_can_use_loaded_kernels():
    torch.set_num_threads(2)
    layer, _ = layers("gru", 3, 20)
    x = numbers(9, 60, 3)
    expected = layer(x)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # later versions of Python warn of forks beside threads
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if torch.equal(layer(x)[0], expected) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_subclass_of_a_cell_with_a_kernel_runs_its_own_equations():
    class Forgetful(MinimalGRU):
        def step(self, inputs, seen, recurrent, state):
            return 0.5 * super().step(inputs, seen, recurrent, state)

    layer = Forgetful(3, 5)
    layer.initialise(torch.Generator().manual_seed(0))
    x = numbers(4, 6, 3)
    assert run_kernel(layer, x) is None
    torch.testing.assert_close(layer(x)[0], layer.unroll(x)[0])


def test_a_mask_that_no_kernel_can_read_is_for_torch():
    layer, _ = layers("gru", 3, 5)
    x = numbers(4, 6, 3)
    for mask in (torch.ones(6, 5).double(), torch.ones(6, 4), torch.ones(5, 6).t(), torch.ones(6, 5).requires_grad_()):
        assert run_kernel(layer, x, None, mask) is None
    assert run_kernel(layer, x, None, torch.ones(6, 5)) is not None


def test_kernels_cover_one_direction_and_layers_with_a_bias():
    both_ways = nn.GRU(3, 5, bidirectional=True)
    assert run_kernel(both_ways, numbers(4, 6, 3)) is None
    assert load_kernel("gru") is not None
    layer = SimpleRNN(3, 5)
    layer.initialise(torch.Generator().manual_seed(0))
    layer(numbers(4, 6, 3))[0].sum().backward()
    assert layer.bias_hh_l0.grad is None
    assert layer.bias_ih_l0.grad is not None
    assert autograd.run_kernel(nn.GRU(3, 5, bias=False), numbers(4, 6, 3)) is None
