"""The defaults are good enough to start with, on tasks that nothing was tuned for."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "defaults.py"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_of_defaults", PAGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_digits(benchmark):
    assert np.mean([benchmark.digits_accuracy(seed) for seed in range(3)]) >= 0.965


@pytest.mark.slow
def test_adding_problem(benchmark):
    error, constant, _ = benchmark.adding_error(0)
    assert constant == pytest.approx(0.167, abs=0.01)
    assert error < 0.002
