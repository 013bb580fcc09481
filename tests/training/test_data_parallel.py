"""One model trained by two processes is that of one process, and no process waits for one that has ended."""

import importlib.util
import os
import pickle
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch.distributed as dist
from numpy.testing import assert_allclose

import sklrnn
from sklrnn import GRURegressor, data_parallel

ROOT = Path(sklrnn.__file__).parents[1]
PROGRAM = Path(__file__).with_name("data_parallel_program.py")
ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(ROOT),
    "PYTHONWARNINGS": "error::UserWarning",
    "OMP_NUM_THREADS": "1",
    **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
}
SECONDS = 300

pytestmark = pytest.mark.skipif(
    not dist.is_available() or not dist.is_gloo_available(), reason="this build of torch has no gloo"
)


@pytest.fixture(scope="module")
def program():
    """The program as a module of this process."""
    spec = importlib.util.spec_from_file_location(PROGRAM.stem, PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("two_processes")


@pytest.fixture(scope="module")
def killed(folder):
    """What is left of two processes of which one was killed: both exit codes, and what the other found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAM, folder, "killed"],
            env=ENVIRONMENT | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": rank, "WORLD_SIZE": "2"},
        )
        for rank in ("0", "1")
    ]
    try:
        codes = [process.wait(SECONDS) for process in started]
    finally:
        for process in started:
            process.kill()
    return codes, pickle.loads((folder / "killed_0.pickle").read_bytes())


@pytest.fixture(scope="module")
def results(folder, killed):
    """What two processes found that torchrun started, after the others had left their checkpoint."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    phases = "guide", "trained", "alone", "hung", "interrupted"
    ended = subprocess.run(
        [*torchrun, PROGRAM, folder, *phases], env=ENVIRONMENT, timeout=SECONDS, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return {
        phase: [pickle.loads((folder / f"{phase}_{rank}.pickle").read_bytes()) for rank in (0, 1)] for phase in phases
    }


def test_models_are_those_of_one_process(program, results):
    for name, make in program.MODELS.items():
        curves, predicted, _ = make()
        for of_process in results["trained"]:
            assert_allclose(of_process["models"][name][0], curves, rtol=1e-6, err_msg=name)
            size = np.abs(predicted).max()
            assert_allclose(of_process["models"][name][1], predicted, rtol=0, atol=1e-6 * size, err_msg=name)


def test_all_processes_have_the_same_model(results):
    first, second = (of_process["models"] for of_process in results["trained"])
    assert all((first[name][1] == second[name][1]).all() for name in first)


def test_steps_are_made_by_lists_of_operations(results):
    paths = {name: path for name, (_, _, path) in results["trained"][0]["models"].items() if path}
    assert len(paths) > 10
    assert paths.pop("batch normalisation by autograd").startswith("autograd: the optimizer is Adagrad")
    assert {*paths.values()} == {"fused, gradients averaged over 2 processes"}


def test_processes_without_a_seed_draw_the_same_one(results):
    first, second = (of_process["no seed"][1] for of_process in results["trained"])
    assert (first == second).all()


def test_a_callback_of_one_process_stops_all(results):
    assert [of_process["epochs until a callback stops"] for of_process in results["trained"]] == [2, 2]


def test_a_killed_process_ends_the_others_with_an_error(killed):
    codes, found = killed
    assert codes[0] == 0
    assert codes[1] != 0
    assert found["error"].startswith("ConnectionError: Process 0 of 2 lost the others")
    assert "checkpoint=folder goes on from its last checkpoint" in found["error"]


def test_a_fit_goes_on_from_the_checkpoint_of_killed_processes(program, results):
    model = program.resumable(None).fit(program.X, program.Y)
    for of_process in results["trained"]:
        assert of_process["epochs after resuming"] in (3, 4)
        assert_allclose(of_process["resumed"][0], model.loss_curve_, rtol=1e-6)
        assert_allclose(of_process["resumed"][1], model.predict(program.X), atol=1e-6 * np.abs(program.Y).max())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("data", "ValueError: .*process 1 differs from process 0 in X, y or sample_weight. Give each process all"),
        ("blocks", "ValueError: .*process 1 differs from process 0 in X, y or sample_weight"),
        ("parameters", "ValueError: .*process 1 differs from process 0 in learning_rate"),
        ("checkpoint", "ValueError: .*process 1 differs from process 0 in checkpoint"),
        ("random_state", "ValueError: .*process 1 differs from process 0 in random_state"),
        ("batch_size", "ValueError: .*batch_size=1 is less. Set batch_size to 2 or more"),
        ("thread", "RuntimeError: .*fitted in a thread of its own"),
        ("block", "RuntimeError: .*runs already"),
        ("afterwards", "ConnectionError: .*lost each other in an earlier fit"),
    ],
)
def test_all_processes_get_the_same_error(results, name, message):
    for of_process in results["trained"]:
        assert re.match(message, of_process["errors"][name])


def test_an_error_in_one_process_is_told_to_the_others(results):
    first, second = results["trained"]
    assert re.match("ConnectionError: .*has ended or raised an error", first["errors"]["other process"])
    assert second["errors"]["other process"] == "OSError: the disk is full"


def test_a_failed_fit_leaves_the_model_in_all_processes(results):
    assert [of_process["keeps its model"] for of_process in results["trained"]] == [True, True]


def test_a_fit_in_one_process_only_is_an_error_in_both(results):
    first, second = results["alone"]
    message = "process 0 draws the seed of a fit, but process 1 leaves the with block"
    assert message in first["error"]
    assert message in second["left with"]


def test_one_process_reads_what_two_have_finished(program, results, folder):
    in_epochs = []
    model = program.resumable(folder, program.AtEpoch(6, lambda: in_epochs.append(6))).fit(program.X, program.Y)
    assert not in_epochs
    assert (model.predict(program.X) == results["trained"][0]["resumed"][1]).all()


def test_an_interrupt_ends_all_processes_without_a_model(results):
    first, second = results["interrupted"]
    assert first["error"].startswith("ConnectionError: Process 0 of 2 lost the others")
    assert second["error"].startswith("KeyboardInterrupt")


def test_a_process_that_hangs_is_an_error_after_the_time_limit(results):
    assert re.match("ConnectionError: .*did not answer within timeout=10 s", results["hung"][0]["error"])


def test_the_script_of_the_guide_runs(results):
    assert [of_process["output"] for of_process in results["guide"]] == [results["guide"][0]["output"], ""]
    assert "saved" in results["guide"][0]["output"]


def test_without_other_processes_the_error_names_torchrun(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(RuntimeError, match="torchrun --nproc-per-node 2"), data_parallel():
        pass


def test_a_group_of_one_process_trains_as_without(program):
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        with data_parallel() as processes:
            model = GRURegressor(**program.SETTINGS).fit(program.X, program.Y)
    finally:
        dist.destroy_process_group()
    assert (processes.rank, processes.world_size, model.net_.path_) == (0, 1, "compiled")
