"""Processes that are started after a fit: none waits for threads that a fork did not copy."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

PRELUDE = """
import os, pickle, signal, sys, threading, time
import numpy as np
import torch
from sklrnn import GRURegressor, LSTMClassifier, RecurrentRegressor
from sklrnn.forecasting import GRUForecaster
from sklrnn.inspection import gates

X = np.random.default_rng(0).normal(size=(600, 20, 3))  # float64
y = X[:, -1, 0]

def in_child(work, seconds=120):
    "The status with which a forked child ends; it is killed if it hangs."
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
"""


def run(code):
    """Run a program in a session of its own; if it takes too long, it ends with all that it started."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PRELUDE + code]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        try:
            printed, _ = process.communicate(timeout=400)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, printed
    return printed


TWO_THREADS = """
torch.set_num_threads(2)
torch.ones(600, 600).double() @ torch.ones(600, 600).double()  # OpenMP starts its threads
model = GRURegressor(units=100, n_jobs=2, max_epochs=2, random_state=0).fit(X, y)
expected = model.predict(X)
"""


def test_a_forked_child_predicts_after_two_threads_worked_in_its_parent():
    run(
        TWO_THREADS
        + """
def work():
    assert np.allclose(model.predict(X), expected, rtol=0, atol=1e-9)
    assert np.allclose(model.predict(X.astype(np.float32)), expected, rtol=0, atol=1e-5)

assert in_child(work) == 0
assert torch.get_num_threads() == 2
"""
    )


def test_a_forked_child_trains_loads_streams_and_inspects():
    run(
        TWO_THREADS
        + """
series = np.sin(np.arange(200.0))
forecaster = GRUForecaster(n_jobs=2, max_epochs=1, random_state=0).fit(series, fh=[1, 2])
ahead = forecaster.predict()
saved = pickle.dumps(model)

def work():
    assert np.allclose(pickle.loads(saved).predict(X), expected, rtol=0, atol=1e-9)
    model.partial_fit(X, y)
    assert np.isfinite(model.start_stream().step(X[0, 0]))
    gates(model, X[:300])
    assert np.allclose(forecaster.predict(), ahead, rtol=0, atol=1e-9)
    LSTMClassifier(units=100, n_jobs=2, max_epochs=1).fit(X, y > 0).predict_proba(X)
    RecurrentRegressor(cell="slstm", units=100, n_jobs=2, max_epochs=1).fit(X, y).predict(X)  # torch's autograd

assert in_child(work) == 0
"""
    )


def test_a_child_that_is_forked_while_another_thread_fits_does_not_wait_for_it():
    run("""
done = threading.Event()

def fit_on():
    while not done.is_set():
        GRURegressor(units=4, n_jobs=2, max_epochs=1).fit(X[:64], y[:64])

threads = [threading.Thread(target=fit_on) for _ in range(2)]
for thread in threads: thread.start()
work = lambda: GRURegressor(units=4, n_jobs=2, max_epochs=1).fit(X[:64], y[:64]).predict(X)
try:
    statuses = [in_child(work) for _ in range(8)]
finally:
    done.set()
assert statuses == [0] * 8, statuses
""")


def test_a_child_that_is_forked_while_another_thread_changes_a_setting_does_not_wait_for_it():
    run("""
from sklrnn.training.process import ScopedSetting

changing = threading.Event()

def change():
    changing.set()
    time.sleep(0.3)
    return lambda: None

setting = ScopedSetting(change)

def use():
    with setting(): pass

thread = threading.Thread(target=use)
thread.start()
changing.wait()
assert in_child(use, seconds=30) == 0
thread.join()
""")


@pytest.mark.parametrize("kernels", ["compiled with the package", "jit"])
def test_a_child_that_is_forked_while_another_thread_loads_a_kernel_does_not_wait_for_it(kernels, monkeypatch):
    if kernels == "jit":
        pytest.importorskip("numba")
        monkeypatch.setenv("SKLRNN_KERNELS", "jit")
    else:
        monkeypatch.delenv("SKLRNN_KERNELS", raising=False)
    run("""
from sklrnn.kernels import _registry

loading = threading.Event()

def slow(load):
    def load_slowly(*of):
        loading.set()
        time.sleep(0.3)
        return load(*of)
    return load_slowly

# A kernel is read from its library or, where there is none or "jit" is set, compiled.
_registry.load_compiled, _registry._compile = slow(_registry.load_compiled), slow(_registry._compile)
thread = threading.Thread(target=_registry.load_kernel, args=["gru"])
thread.start()
assert loading.wait(60)
assert in_child(lambda: _registry.load_kernel("gru"), seconds=30) == 0
thread.join()
""")


@pytest.mark.slow
def test_processes_of_every_kind_work_after_a_fit():
    run(
        TWO_THREADS
        + """
import joblib, multiprocessing

for start in ("fork", "spawn", "forkserver"):
    with multiprocessing.get_context(start).Pool(1) as pool:
        got = pool.apply_async(model.predict, (X,)).get(timeout=240)
    assert np.allclose(got, expected, rtol=0, atol=1e-9), start
for backend in ("multiprocessing", "loky"):
    calls = [joblib.delayed(model.predict)(X) for _ in range(2)]
    for got in joblib.Parallel(2, backend=backend, timeout=240)(calls):
        assert np.allclose(got, expected, rtol=0, atol=1e-9), backend
"""
    )
