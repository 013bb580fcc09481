"""The lower bounds of the dependencies are the versions that ``.ci/run-oldest`` tests."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = (ROOT / ".ci" / "constraints-oldest.txt").read_text(encoding="utf-8")
TESTED = {name: Version(version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", PINS, re.MULTILINE)}


def lower_bounds(requirements):
    for requirement in map(Requirement, requirements):
        for bound in requirement.specifier:
            if bound.operator == ">=":
                yield requirement.name, Version(bound.version)


def test_each_lower_bound_of_a_dependency_is_a_tested_version():
    extras = PROJECT["optional-dependencies"]
    used = PROJECT["dependencies"] + [
        each for name in ("compare", "data", "fast", "onnx", "plot", "serve") for each in extras[name]
    ]
    bounds = dict(lower_bounds(used))
    assert {name: TESTED.get(name) for name in bounds} == bounds
