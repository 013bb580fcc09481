"""The build hook, without the build backend: what it asks to be compiled, and what it does where that fails."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import sklrnn

ROOT = Path(sklrnn.__file__).parents[1]


@pytest.fixture
def hook(monkeypatch):
    """The hook, whose warnings are in ``said``, with the backend's base class replaced by an empty one."""
    backend = ModuleType("hatchling.builders.hooks.plugin.interface")
    backend.BuildHookInterface = object
    monkeypatch.setitem(sys.modules, backend.__name__, backend)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hook, said = module.KernelBuildHook(), []
    hook.root, hook.said, hook.app = str(ROOT), said, SimpleNamespace(display_warning=said.append)
    return hook


def build(hook, version, monkeypatch, returncode=0, stderr=""):
    """What the hook tells the backend, and the command that it ran."""
    commands = []

    def run(command, **kwargs):
        commands.append(command[1:])
        return subprocess.CompletedProcess(command, returncode, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    build_data = {"artifacts": [], "pure_python": True}
    hook.initialize(version, build_data)
    (command,) = commands
    return build_data, command


def test_a_wheel_holds_kernels_for_all_processors_and_belongs_to_its_platform(hook, monkeypatch):
    build_data, command = build(hook, "standard", monkeypatch)
    assert command == ["-m", "sklrnn.kernels.ahead_of_time", "--all"]
    assert build_data["artifacts"] == ["/sklrnn/kernels/libraries/*"]
    assert not build_data["pure_python"]
    assert build_data["tag"].startswith("py3-none-")
    assert not hook.said


def test_an_editable_install_compiles_for_this_processor(hook, monkeypatch):
    build_data, command = build(hook, "editable", monkeypatch)
    assert command == ["-m", "sklrnn.kernels.ahead_of_time"]
    assert build_data == {"artifacts": [], "pure_python": True}


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_where_nothing_can_be_compiled_the_package_is_built_and_a_warning_says_why(hook, version, monkeypatch):
    build_data, _ = build(hook, version, monkeypatch, returncode=1, stderr="There is no C compiler")
    assert build_data == {"artifacts": [], "pure_python": True}
    assert hook.said == ["Kernels were not compiled: There is no C compiler"]
