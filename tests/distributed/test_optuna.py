"""A study of Optuna that several processes work on."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.cluster


@pytest.fixture
def start_script(page, tmp_path):
    """Start the script of the guide, in a folder of its own; give the process."""
    script = tmp_path / "study.py"
    script.write_text(page.code("Optuna"), encoding="utf-8")
    return lambda: subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def load_study(tmp_path):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))
    return lambda: optuna.load_study(study_name="units", storage=storage)


def test_two_processes_work_on_one_study_and_prune(start_script, load_study):
    first, second = start_script(), start_script()
    for process in (first, second):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    states = [trial.state.name for trial in load_study().trials]
    assert len(states) == 20
    assert set(states) == {"COMPLETE", "PRUNED"}
    n_epochs = [len(trial.intermediate_values) for trial in load_study().trials if trial.state.name == "PRUNED"]
    assert 2 <= min(n_epochs) < 10


def test_a_killed_process_costs_its_trial_and_the_study_goes_on(start_script, load_study):
    killed = start_script()
    for line in killed.stderr:
        if "Trial 1 " in line:  # is finished
            os.kill(killed.pid, signal.SIGKILL)
            break
    killed.communicate()
    _, errors = (process := start_script()).communicate(timeout=300)
    assert process.returncode == 0, errors
    states = [trial.state.name for trial in load_study().trials]
    assert 12 <= len(states) <= 14
    assert states.count("RUNNING") <= 1
