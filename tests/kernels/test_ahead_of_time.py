"""Kernels that are compiled with the package: which are loaded, that they compute the same, what may be missing."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sklrnn
from sklrnn.kernels import _library, ahead_of_time
from sklrnn.kernels._library import FEATURES_OF, instruction_set, library_name, load_compiled, platform_sets
from sklrnn.kernels._registry import all_cells

ROOT = Path(sklrnn.__file__).parents[1]
HERE = instruction_set()
pytestmark = pytest.mark.skipif(HERE is None, reason="no kernels are compiled ahead of time for this processor")

# Outputs and gradients of two kernels, over sizes that need whole and partial vectors, tiles and groups.
SAME_BITS = """
import sys
from pathlib import Path
import torch
from sklrnn.kernels._jit import compile_in_memory
from sklrnn.kernels._library import load_library
from sklrnn.kernels._registry import source_of
from sklrnn.kernels.autograd import Recurrence, _CELLS

cell, path, lanes = sys.argv[1:]
ahead, jit = load_library(Path(path)), compile_in_memory(cell, source_of)
assert ahead.lanes == jit.lanes == int(lanes), (ahead.lanes, jit.lanes)
assert ahead.shape == jit.shape
(kind,) = [each for each in _CELLS.values() if each.kernel == cell]
generator = torch.Generator().manual_seed(0)

def random(*shape):
    return torch.randn(shape, generator=generator)

SIZES = [(1, 1, 1, 1), (9, 37, 3, 19), (33, 32, 1, 32), (5, 3, 17, 50), (12, 70, 8, 100)]
for n_steps, n_rows, n_features, units in SIZES:
    n = kind.n_gates * units
    shapes = ((n, n_features), (n, units), (n,), (n,), (kind.n_peepholes, units))
    has = (True, True, True, kind.in_torch is not None, kind.n_peepholes > 0)
    weights = [random(*shape) / units**0.5 if exists else None for shape, exists in zip(shapes, has)]
    initial = [random(1, n_rows, units) for _ in range(kind.n_states)]
    given = (random(n_steps, n_rows, n_features), *weights, *initial)
    inputs = [tensor.requires_grad_() for tensor in given if tensor is not None]
    mask = random(n_rows, units).relu() if n_rows > 1 else None
    found = []
    for kernel in (ahead, jit):
        outputs = Recurrence.apply(None, kind, kernel, mask, *given)
        found.append((*outputs, *torch.autograd.grad(sum(output.square().sum() for output in outputs), inputs)))
    assert all(map(torch.equal, *found)), (n_steps, n_rows, n_features, units)
"""


# pandas 2.2 says so where pyarrow is missing.
IGNORE_PYARROW = r"""import warnings
warnings.filterwarnings("ignore", r"\s*Pyarrow will become", DeprecationWarning)
"""


def run(code, *arguments, **environment):
    command = [sys.executable, "-W", "error", "-c", IGNORE_PYARROW + code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="session")
def library_of(tmp_path_factory):
    """The library of a cell: the installed one for this processor, if there is one, or one that is built now."""
    folder = tmp_path_factory.mktemp("libraries")

    def find(cell, target=HERE):
        installed = _library.LIBRARIES / library_name(cell, target)
        return installed if installed.exists() else ahead_of_time.build([target], [cell], folder)[0]

    return find


def assert_same_bits(cell, target, library):
    lanes = {"x86-64-v2": 4, "x86-64-v3": 8, "x86-64-v4": 16, "neon": 4}[target]
    cpu = {"NUMBA_CPU_NAME": "generic" if target == "neon" else target, "NUMBA_CPU_FEATURES": FEATURES_OF[target]}
    done = run(SAME_BITS, cell, library, lanes, **cpu)
    assert done.returncode == 0, done.stderr


def test_a_library_computes_the_same_bits_as_compilation_at_first_use(library_of):
    assert_same_bits("gru", HERE, library_of("gru"))


@pytest.mark.slow
@pytest.mark.parametrize("target", platform_sets()[platform_sets().index(HERE) :] if HERE else [None])
@pytest.mark.parametrize("cell", all_cells())
def test_the_libraries_for_older_processors_compute_the_same_bits(cell, target, library_of):
    assert_same_bits(cell, target, library_of(cell, target))


def test_a_fit_needs_no_numba(library_of):
    code = """
import sys
from pathlib import Path
import sklrnn.kernels._library as library
sys.modules["numba"] = sys.modules["llvmlite"] = None
library.LIBRARIES = Path(sys.argv[1])
import numpy as np
from sklrnn import GRURegressor
from sklrnn.kernels._registry import _LOADED
X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
GRURegressor(units=5, max_epochs=1).fit(X, X.sum(axis=1)).predict(X)
assert _LOADED["gru"] is not None
"""
    done = run(code, library_of("gru").parent, SKLRNN_KERNELS="")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """A folder for the libraries, without any."""
    monkeypatch.setattr(_library, "LIBRARIES", tmp_path)
    _library._warn.cache_clear()
    return tmp_path


def test_without_libraries_there_is_nothing_to_say(libraries):
    assert load_compiled("gru") is None


@pytest.mark.filterwarnings("default:The compiled kernels")
def test_libraries_of_other_sources_are_not_loaded_and_one_warning_says_so(libraries):
    current = _library.version_of(_library.SOURCES, HERE)
    for cell in ("gru", "lstm"):
        (libraries / library_name(cell, HERE).replace(current, "0" * 16)).touch()
    with pytest.warns(RuntimeWarning, match="older than their sources.*python -m sklrnn.kernels.ahead_of_time") as said:
        found = [load_compiled(cell) for cell in ("gru", "lstm")]
    assert found == [None, None]
    assert len(said) == 1


def test_a_file_that_is_no_library_is_not_loaded_and_a_warning_says_so(libraries):
    (libraries / library_name("gru", HERE)).write_text("no machine code", encoding="utf-8")
    with pytest.warns(RuntimeWarning, match="can't be loaded"):
        assert load_compiled("gru") is None


@pytest.mark.skipif("x86-64-v4" not in platform_sets(), reason="the names are those of an x86")
@pytest.mark.parametrize(
    ("baseline", "found", "expected"),
    [
        (["X86_V2"], ["X86_V3", "X86_V4", "AVX512_ICL"], "x86-64-v4"),
        (["X86_V2"], ["X86_V3"], "x86-64-v3"),
        (["X86_V2"], [], "x86-64-v2"),
        (["SSE", "SSE2", "SSE3"], ["SSSE3", "SSE41", "POPCNT", "SSE42", "AVX", "F16C", "FMA3", "AVX2"], "x86-64-v3"),
        (["SSE", "SSE2", "SSE3"], ["SSSE3", "SSE41", "POPCNT", "SSE42", "AVX"], "x86-64-v2"),
        (["SSE", "SSE2", "SSE3"], [], None),
    ],
)
def test_the_processor_chooses_the_library(baseline, found, expected, monkeypatch):
    extensions = {"SIMD Extensions": {"baseline": baseline, "found": found}}
    monkeypatch.setattr(np, "show_config", lambda mode: extensions)
    assert instruction_set() == expected


def test_building_again_replaces_libraries_of_other_sources_only(tmp_path, monkeypatch):
    def pretend(target, cells, folder):
        for cell in cells:
            (folder / library_name(cell, target)).write_text("new", encoding="utf-8")

    monkeypatch.setattr(ahead_of_time, "_build_in_process", pretend)
    current = tmp_path / library_name("gru", HERE)
    for path in (current, tmp_path / f"lstm-{HERE}-0000.so", tmp_path / "lstm-other-0000.so"):
        path.touch()
    built = ahead_of_time.build([HERE], ["gru", "lstm"], tmp_path)
    assert {*tmp_path.iterdir()} == {*built, tmp_path / "lstm-other-0000.so"}
    assert [path.read_text(encoding="utf-8") for path in built] == ["", "new"]


@pytest.mark.parametrize("missing", ["a linker", "numba"])
def test_a_build_without_what_it_needs_says_so(missing, tmp_path):
    code = "import runpy, sys\nif sys.argv[1] == 'numba':\n    sys.modules['numba'] = None\n"
    code += "sys.argv[1:] = []\nrunpy.run_module('sklrnn.kernels.ahead_of_time', run_name='__main__')"
    done = run(code, missing, **({"PATH": str(tmp_path), "CC": ""} if missing == "a linker" else {}))
    assert done.returncode == 1
    assert ("numba is not installed" if missing == "numba" else "no C compiler or linker") in done.stderr
    assert "compiled at their first use" in done.stderr
