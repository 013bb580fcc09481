"""Kernels as machine code: where the libraries are that were compiled with the package, and how code is called."""

import ctypes
import hashlib
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sklrnn.kernels._arguments import FUNCTIONS, N_INTS, SIZES, CellShape

SOURCES = Path(__file__).parent
LIBRARIES = SOURCES / "libraries"
_SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"
# What LLVM is told of each instruction set, beside its name. Without the last, it would halve vectors of 512 bits.
FEATURES_OF = {
    "x86-64-v2": "+sse4.2",
    "x86-64-v3": "+avx2,+fma",
    "x86-64-v4": "+avx2,+fma,+avx512f,-prefer-256-bit",
    "neon": "+neon",
}
# NumPy's names of what tells them apart: those of NumPy 2.4 and later, and those before.
_NUMPY_NAMES = {
    "x86-64-v4": ({"X86_V4"}, {"AVX512_SKX"}),
    "x86-64-v3": ({"X86_V3"}, {"AVX2", "FMA3", "F16C"}),
    "x86-64-v2": ({"X86_V2"}, {"SSE42", "POPCNT"}),
}


@dataclass(frozen=True, eq=False)
class Kernel:
    """The compiled functions of a cell, and its sizes."""

    forward: Callable[..., None]
    backward: Callable[..., None]
    finish: Callable[..., None]
    shape: CellShape
    lanes: int
    address_of: Callable[[str], int]  # of a function; what it holds keeps the code in memory

    def padded(self, n: int) -> int:
        """``n`` rounded up to whole vectors."""
        return -(-n // self.lanes) * self.lanes


def kernel_from(address_of: Callable[[str], int]) -> Kernel:
    """The kernel in loaded machine code. Its functions run without the GIL."""
    *shape, lanes = (ctypes.c_int64 * (len(CellShape._fields) + 1)).from_address(address_of(SIZES))
    functions = {name: function_from(address_of, name) for name in FUNCTIONS}
    return Kernel(**functions, shape=CellShape._make(shape), lanes=lanes, address_of=address_of)


def function_from(address_of: Callable[[str], int], name: str = "run") -> Callable[..., None]:
    """A function in loaded machine code, without the GIL."""
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * N_INTS[name])(address_of(name))
    function.address_of = address_of  # type: ignore[attr-defined]  # what it holds keeps the code in memory
    return function


def load_library(path: Path, loaded_from: Callable[..., Any] = kernel_from) -> Any:
    """The kernel in a shared library, or the program with `function_from`."""
    library = ctypes.CDLL(str(path))

    def address_of(name: str) -> int:
        return ctypes.addressof(ctypes.c_char.in_dll(library, name))

    return loaded_from(address_of)


def load_compiled(cell: str, loaded_from: Callable[..., Any] = kernel_from) -> Any:
    """What was compiled with the package; None without a library for this processor and these sources."""
    target = instruction_set()
    if target is None:
        return None
    path = LIBRARIES / library_name(cell, target)
    if path.exists():
        try:
            return load_library(path, loaded_from)
        except (OSError, ValueError) as error:
            _warn(f"The compiled kernel {path} can't be loaded: {error}.")
    elif any(LIBRARIES.glob(f"{cell}-{target}-*{_SUFFIX}")):
        _warn("The compiled kernels of sklrnn are older than their sources.")
    return None


@cache
def _warn(what: str) -> None:
    """Warn once in a process."""
    warnings.warn(
        f"{what} So kernels are compiled at their first use, if numba is installed, which takes some seconds each."
        " `python -m sklrnn.kernels.ahead_of_time` compiles all of them anew.",
        RuntimeWarning,
        stacklevel=2,
    )


def library_name(cell: str, target: str) -> str:
    """The file with a cell for an instruction set: its name says which sources it was compiled from."""
    return f"{cell}-{target}-{version_of(SOURCES, target)}{_SUFFIX}"


def version_of(folder: Path, compiler: str) -> str:
    """A hash of all source files of a folder, and of what compiles them."""
    version = hashlib.sha256(compiler.encode())
    for path in sorted(folder.glob("*.py")):
        version.update(path.read_bytes())
    return version.hexdigest()[:16]


def platform_sets() -> list[str]:
    """The instruction sets that processors of this platform may have."""
    machine = platform.machine().lower()
    if sys.maxsize < 2**32 or sys.platform == "win32":
        return []
    if machine in ("arm64", "aarch64"):
        return ["neon"]
    return list(_NUMPY_NAMES) if machine in ("x86_64", "amd64") else []


def instruction_set() -> str | None:
    """The largest of them that this processor has; None if it has none."""
    known = platform_sets()
    if known == ["neon"]:
        return "neon"
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    has = {*extensions.get("baseline", []), *extensions.get("found", [])}
    return next((name for name in known if any(names <= has for names in _NUMPY_NAMES[name])), None)
