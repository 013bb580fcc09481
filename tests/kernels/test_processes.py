"""Kernels in separate processes: caches, processors, missing libraries, guarded memory, many threads."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.codegen import get_host_cpu_features

import sklrnn
from sklrnn.kernels._library import version_of

ROOT = Path(sklrnn.__file__).parents[1]
PRELUDE = """
import sys, warnings
import torch
from torch import nn
from sklrnn.nn.cells import GRU, LSTM, MinimalGRU, PeepholeLSTM, SimpleRNN, TextbookGRU
from sklrnn.kernels import run_kernel

class Unrolled(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.forward, self.load_state_dict = layer.unroll, layer.load_state_dict
        self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0 = layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0

def unrolled(kind):
    return lambda n_features, units: Unrolled(kind(n_features, units))

def check(name, n_steps=9, n_rows=37, n_features=3, units=19):
    ours, theirs, options, same = {
        "simple_rnn": (SimpleRNN, nn.RNN, {}, {}),
        "relu_rnn": (SimpleRNN, nn.RNN, {"activation": "relu"}, {"nonlinearity": "relu"}),
        "gru": (GRU, nn.GRU, {}, {}),
        "lstm": (LSTM, nn.LSTM, {}, {}),
        "textbook_gru": (TextbookGRU, unrolled(TextbookGRU), {}, {}),
        "minimal_gru": (MinimalGRU, unrolled(MinimalGRU), {}, {}),
        "peephole_lstm": (PeepholeLSTM, unrolled(PeepholeLSTM), {}, {}),
    }[name]
    layer, reference = ours(n_features, units, **options), theirs(n_features, units, **same)
    layer.initialise(torch.Generator().manual_seed(0))
    reference.load_state_dict(layer.state_dict())
    x = torch.randn(n_rows, n_steps, n_features, generator=torch.Generator().manual_seed(1)).transpose(0, 1)
    x.requires_grad_()
    grads = []
    for each in (layer, reference):
        states, _ = each(x)
        inputs = [x, each.weight_ih_l0, each.weight_hh_l0, each.bias_ih_l0]
        grads.append((states, *torch.autograd.grad(states.square().sum(), inputs)))
    for mine, other in zip(*grads):
        assert (mine - other).abs().max() <= 3e-6 * other.abs().max(), name
    return run_kernel(layer, x) is not None
"""


STALE = "ignore:The compiled kernels of sklrnn are older than their sources"


# pandas 2.2 says so where pyarrow is missing.
IGNORE_PYARROW = r"""import warnings
warnings.filterwarnings("ignore", r"\s*Pyarrow will become", DeprecationWarning)
"""


def run(code, *arguments, **environment):
    command = [sys.executable, "-W", "error", "-W", STALE, "-c", IGNORE_PYARROW + PRELUDE + code, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_without_numba_torch_runs_silently():
    code = "sys.modules['numba'] = None\nassert not check('gru')\nassert not check('lstm')"
    run(code, SKLRNN_KERNELS="jit")


def test_with_a_broken_numba_torch_runs_and_one_warning_says_why():
    run(
        """
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "numba.extending":
            raise ImportError("numba needs another numpy")
sys.meta_path.insert(0, Broken())
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert not check("gru")
    assert not check("gru")
    assert not check("lstm")
messages = [str(warning.message) for warning in caught if issubclass(warning.category, RuntimeWarning)]
assert len(messages) == 1 and "numba needs another numpy" in messages[0] and "SKLRNN_KERNELS=0" in messages[0], messages
""",
        SKLRNN_KERNELS="jit",
    )


def test_importing_and_running_in_torch_does_not_load_numba():
    run("""
import sklrnn
from sklrnn import GRURegressor
layer = GRU(2, 3).double()
layer.initialise(torch.Generator().manual_seed(0))
layer(torch.zeros(4, 5, 2, dtype=torch.float64))
assert "numba" not in sys.modules
""")


def test_kernels_from_the_cache_are_those_of_their_cells(tmp_path):
    def stored_after(*names):
        code = "for name in sys.argv[1:]: assert check(name)"
        run(code, *names, SKLRNN_KERNELS="jit", NUMBA_CACHE_DIR=str(tmp_path))
        return {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    compiled = stored_after("simple_rnn", "relu_rnn")
    assert len(compiled) == 2
    for names in (("simple_rnn", "relu_rnn"), ("relu_rnn", "simple_rnn")):
        assert stored_after(*names) == compiled, "what was stored was not loaded"


def test_what_is_compiled_depends_on_all_sources_and_the_processor(tmp_path):
    folder = Path(sklrnn.__file__).parent / "kernels"
    for path in folder.glob("*.py"):
        shutil.copy(path, tmp_path)
    version = version_of(folder, "here")
    assert version_of(tmp_path, "here") == version
    assert version_of(tmp_path, "there") != version
    (tmp_path / "_packing.py").write_text("changed", encoding="utf-8")
    assert version_of(tmp_path, "here") != version


# Each array begins or ends at a page that may not be accessed: a read or a write beyond it ends the process.
FENCED = """
import ctypes, itertools, math, mmap
import numpy as np

libc, page = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
at_the_end = True

def fenced_array(array):
    inside = -(-max(array.nbytes, 1) // page) * page
    memory = mmap.mmap(-1, inside + 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for fence in (start, start + page + inside):
        assert libc.mprotect(ctypes.c_void_p(fence), ctypes.c_size_t(page), 0) == 0
    offset = page + (inside - array.nbytes if at_the_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy

def fenced(tensor):
    return torch.from_numpy(fenced_array(tensor.detach().numpy()))
"""
FENCES = """
import sklrnn.kernels._backward_call as backward_call
import sklrnn.kernels._forward_call as forward_call
import sklrnn.kernels._runtime as runtime
from sklrnn.kernels.autograd import Recurrence, _CELLS
from sklrnn.kernels._registry import load_kernel

def allocate(like, *shape):
    return fenced(torch.full(shape, float("nan")))

forward_call.allocate = backward_call.allocate = allocate
runtime._MIN_WORK_PER_THREAD = 1
torch.manual_seed(0)
SIZES = [
    (1, 1, 1, 1), (2, 3, 2, 5), (5, 7, 3, 15), (3, 8, 1, 16), (4, 9, 17, 17), (3, 31, 16, 31), (6, 33, 5, 32),
    (2, 39, 8, 33), (2, 40, 8, 48), (3, 47, 20, 49), (9, 70, 4, 64), (70, 5, 3, 20), (2, 100, 2, 100), (200, 3, 2, 16),
]
for cell in _CELLS.values():
    if len(sys.argv) > 1 and cell.kernel not in sys.argv[1:]:
        continue
    kernel = load_kernel(cell.kernel)
    for (n_steps, n_rows, n_features, units), with_initial, at_the_end, n_threads, by_rows in itertools.product(
        SIZES, (False, True), (False, True), (1, 3), (False, True)
    ):
        # a mask in half of the cases
        mask = fenced(torch.rand(n_rows, units).round()) if with_initial == by_rows else None
        torch.set_num_threads(n_threads)
        rows = cell.n_gates * units
        x = fenced(torch.randn(n_rows, n_steps, n_features)).transpose(0, 1) if by_rows else fenced(
            torch.randn(n_steps, n_rows, n_features)
        )
        # so small that two hundred steps of relu stay finite
        shapes = ((rows, n_features), (rows, units), (rows,), (rows,), (cell.n_peepholes, units))
        has = (True, True, True, cell.in_torch is not None, cell.n_peepholes > 0)
        weights = [
            fenced(0.4 / math.sqrt(units) * torch.randn(shape)) if exists else None
            for shape, exists in zip(shapes, has, strict=True)
        ]
        initial = [fenced(torch.randn(1, n_rows, units)) for _ in range(cell.n_states)] if with_initial else []
        inputs = [tensor.requires_grad_() for tensor in (x, *weights, *initial) if tensor is not None]
        with torch.no_grad():
            forward_call.run_forward(kernel, x, mask, tuple(initial), runtime.Weights(*weights), save=False)
        outputs = Recurrence.apply(None, cell, kernel, mask, x, *weights, *initial)
        into = [fenced(torch.randn(output.shape)) for output in outputs]
        grads = torch.autograd.grad(outputs, inputs, into)
        assert all(tensor.isfinite().all() for tensor in (*outputs, *grads))
print("no fence was touched")
"""


needs_mprotect = pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")


@needs_mprotect
@pytest.mark.parametrize("kernels", ["", pytest.param("jit", marks=pytest.mark.slow)])
def test_nothing_beyond_an_array_is_read_or_written(kernels):
    assert "no fence was touched" in run(FENCED + FENCES, SKLRNN_KERNELS=kernels)


# To compile a cell takes ten seconds. All are made by the same steps, so here one stands for those of the slow test.
@needs_mprotect
def test_without_a_writable_cache_a_process_compiles_for_itself_and_nothing_beyond_an_array_is_touched(tmp_path):
    (tmp_path / "file").touch()
    environment = {"SKLRNN_KERNELS": "jit", "NUMBA_CACHE_DIR": str(tmp_path / "file")}
    assert "no fence was touched" in run(FENCED + "assert check('gru')" + FENCES, "gru", **environment)


PROGRAM = """
from sklrnn.kernels import program as p
from sklrnn.kernels._program_arguments import LOSSES

def run(*instructions):
    p.make_program(list(instructions)).run(0, 1)

def random(*shape):
    return fenced(torch.randn(shape))

def close(one, other):
    assert torch.allclose(torch.as_tensor(one).double(), torch.as_tensor(other).double(), atol=1e-5), (one, other)

torch.manual_seed(0)
SIZES = [(1, 1, 1), (3, 5, 7), (2, 9, 16), (4, 3, 33)]
for (n_steps, n_rows, n), at_the_end in itertools.product(SIZES, (False, True)):
    source, target, factors = random(n_steps, n_rows, n), random(n_steps, n_rows, n), random(n_rows, n)
    run(p.move(target, source))
    close(target, source)
    run(p.move(target, source, is_reversed=True, adds=True))
    close(target, source + source.flip(0))
    run(p.multiply(target, source, factors))
    close(target, source * factors)
    mean = random(n_rows, n)
    run(p.fill(mean), p.move(mean, source, adds=True, divisor=n_steps))
    close(mean, source.mean(dim=0))
    run(p.take(mean, table := random(1, n_rows, n)))
    close(mean, table[0])
    order = fenced_array(np.random.default_rng(0).permutation(2 * n_rows))
    for kind in (np.float32, np.float64):
        x = fenced_array(np.random.default_rng(0).normal(size=(2 * n_rows, n_steps, n)).astype(kind))
        mean, spread = fenced_array(np.ones(n, kind)), fenced_array(np.arange(1, n + 1).astype(kind))
        run(p.standardise(target, x, mean, spread, (order, n_rows)))
        close(target, np.ascontiguousarray((x[order[:n_rows]].swapaxes(0, 1) - mean) / spread))
    part, weight, bias, raw = random(n_rows, n), random(n_steps, n), random(n_steps), random(n_rows, n_steps)
    grads = [random(*one.shape) for one in (weight, bias, part, raw)]
    run(*p.head_part((weight, grads[0]), (bias, grads[1]), (part, grads[2]), (raw, grads[3]), is_first=True))
    close(raw, part @ weight.T + bias)
    close(grads[0], grads[3].T @ part)
    close(grads[1], grads[3].sum(dim=0))
    close(grads[2], grads[3] @ weight)
    levels = fenced(torch.linspace(0.1, 0.9, n))
    weights = fenced_array(np.ones((2 * n_rows, n_steps), np.float32))
    for kind in LOSSES:
        width = {"quantile": n, "gaussian": 2}.get(kind, 1)
        n_raw = n if kind == "log_loss" else 2 * width
        y = np.random.default_rng(0).integers(n, size=(2 * n_rows, n_steps))
        y = y if kind == "log_loss" else np.repeat(y[:, :, np.newaxis], 4, axis=2).astype(np.float32)
        raw, losses = (random(n_steps * n_rows, n_raw), random(n_steps * n_rows, n_raw)), fenced_array(np.zeros(1))
        samples = fenced_array(y), weights, order
        settings = {"batch_size": n_rows, "losses": losses, "levels": levels, "has_target_weights": kind != "log_loss"}
        run(p.mean_loss(kind, raw, samples, **settings))
        assert np.isfinite(losses).all() and raw[1].isfinite().all(), kind
    weights, gradients, mean, squares = (fenced(torch.rand(16 * n)) for _ in range(4))
    losses, factors, table = map(fenced_array, (np.zeros(1), np.ones(2), np.ones((1, 7), np.float32)))
    run(
        p.penalty(weights, gradients, factors, losses),
        p.clip(gradients, 1e-3),
        p.update(weights, gradients, (mean, squares), table, is_decoupled=True),
        p.average(mean, weights, fenced_array(np.ones(1))),
    )
    close(gradients.norm(), 1e-3)
    close(mean, weights)
print("no fence was touched")
"""


@needs_mprotect
@pytest.mark.parametrize("kernels", ["", "jit"])
def test_no_instruction_of_a_program_reads_or_writes_beyond_its_arrays(kernels):
    assert "no fence was touched" in run(FENCED + PROGRAM, SKLRNN_KERNELS=kernels)


PROCESSORS = {
    "AVX2": ("haswell", "+avx,+avx2,+fma,+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2"),
    "SSE2": ("x86-64", "+sse,+sse2"),
}


@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_older_processors(processor, tmp_path):
    if "+avx2" not in get_host_cpu_features():
        pytest.skip("needs a newer x86 processor")
    name, features = PROCESSORS[processor]
    environment = {
        "SKLRNN_KERNELS": "jit",
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
    }
    lanes = {"AVX2": 8, "SSE2": 4}[processor]
    run(
        f"""
for cell in ("simple_rnn", "relu_rnn", "gru", "lstm", "textbook_gru", "minimal_gru", "peephole_lstm"):
    for n_rows, units in ((1, 1), (7, 4), (37, 19), (40, 64)):
        assert check(cell, n_rows=n_rows, units=units)
from sklrnn.kernels._simd import LANES
assert LANES == {lanes}, LANES
{FENCES}
""",
        **environment,
    )


STRESS = """
import threading
import numpy as np
from sklrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor

X = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
y = X.sum(axis=1)

def fit(i):
    kind = (GRURegressor, LSTMRegressor, SimpleRNNRegressor)[i % 3]
    model = kind(units=5 + i % 20, max_epochs=1, n_jobs=1 + i % 2, random_state=i % 7)
    return model.fit(X, y).predict(X)

N_THREADS, N_FITS = 8, int(sys.argv[1])
found, errors = {}, []

def work(thread):
    try:
        found[thread] = [fit(i) for i in range(N_FITS)]
    except BaseException as error:
        errors.append(repr(error))

threads = [threading.Thread(target=work, args=(i,)) for i in range(N_THREADS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not errors, errors
expected = [fit(i) for i in range(N_FITS)]
assert all(np.array_equal(one, other) for fits in found.values() for one, other in zip(fits, expected))
print("equal")
"""


@pytest.mark.parametrize("n_fits", [6, pytest.param(200, marks=pytest.mark.slow)])
def test_eight_threads_that_start_at_once_fit_the_same_as_one(n_fits):
    assert "equal" in run(STRESS, n_fits)
