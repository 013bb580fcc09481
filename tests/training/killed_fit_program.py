"""What tests/training/test_checkpoint.py starts: fits that are killed, each in a process of its own.

``killed_fit_program.py FOLDER N_KILLS`` kills so many and lets the last end, all with their checkpoints in FOLDER. The
processes are forks of one that has imported the package, so that they are killed in a fit and not in an import.
"""

import multiprocessing
import os
import random
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np

from sklrnn import LSTMRegressor

X = np.random.default_rng(0).normal(size=(600, 20, 2))
Y = X[:, -3:, 0].sum(axis=1)
SETTINGS = {"units": 16, "max_epochs": 30, "dropout": 0.2, "random_state": 0, "early_stopping": True}
PROCESSES = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")


def fit(begins, answer, checkpoint):
    begins.set()
    np.save(answer, LSTMRegressor(**SETTINGS, checkpoint=checkpoint).fit(X, Y).predict(X))


def answer_of(folder, checkpoint=None, seconds=None):
    """What a process predicts, or None if it was killed so many seconds after its fit began."""
    begins, answer = PROCESSES.Event(), folder / "answer.npy"
    process = PROCESSES.Process(target=fit, args=(begins, answer, checkpoint))
    process.start()
    begins.wait()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    process.join()
    return np.load(answer) if process.exitcode == 0 else None


def main(folder, n_kills):
    expected, draw, n_killed = answer_of(folder), random.Random(0), 0
    folders = (folder / str(number) for number in count())
    checkpoints = next(folders)
    while n_killed < n_kills:
        answer = answer_of(folder, checkpoints, draw.uniform(0.0, 0.3))
        n_killed += answer is None
        if answer is not None:  # it was faster: begin another one
            assert (answer == expected).all()
            checkpoints = next(folders)
    assert (answer_of(folder, checkpoints) == expected).all()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
