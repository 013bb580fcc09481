"""The programs that type checkers must find right do run."""

import inspect
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

spec = spec_from_file_location("right", Path(__file__).with_name("right.py"))
right = module_from_spec(spec)
spec.loader.exec_module(right)

PROGRAMS = [value for name, value in vars(right).items() if inspect.isfunction(value) and value.__module__ == "right"]


def test_there_are_more_than_ten():
    assert len(PROGRAMS) >= 10


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program_runs(program):
    program()
