"""What ``tests/long_runs.py`` measures: here in a short run, and that it finds what is left behind."""

import gc
import importlib.util
import mmap
import subprocess
import sys
import threading
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("long_runs.py")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the script needs /proc")


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("long_runs", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    gc.freeze()  # the script collects garbage often: not among all that pytest and other tests hold
    yield script
    gc.unfreeze()


@pytest.mark.slow
def test_memory_threads_and_handles_stay_what_they_were():
    command = [sys.executable, str(SCRIPT), "--fits=40", "--forecasters=15", "--steps=3000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_memory_that_is_kept_is_found(script):
    kept = []

    def keep(number):
        memory = mmap.mmap(-1, 2**21)  # an array could take memory that was used and freed before
        memory.write(bytes(2**21))
        kept.append(memory)

    (found,) = script.complaints("maps", keep, 40)
    assert "40 maps: memory grew by" in found


def test_threads_that_are_left_are_found(script):
    done = threading.Event()
    try:
        found = script.complaints("waits", lambda number: threading.Thread(target=done.wait).start(), 12)
    finally:
        done.set()
    assert found == ["12 waits: 2 python_threads are left", "12 waits: 2 threads are left"]


def test_files_that_stay_open_are_found(script, tmp_path):
    files = []
    try:
        found = script.complaints("files", lambda number: files.append((tmp_path / str(number)).open("w")), 12)
    finally:
        for file in files:
            file.close()
    assert found == ["12 files: 2 handles are left"]
