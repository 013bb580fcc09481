"""Functions that are made inside others, by names of their own.

Compiled code is linked by name. numba tells functions of one name apart by a number that begins anew in each process,
so two of them from two processes' caches can meet under the same name and number, and one is then called in the place
of the other.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable


def specialised(function: Callable[..., Any]) -> Any:
    """Let numba use a function whose name tells what it was made with: numbers, and functions that have such names."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    made_with = ", ".join(f"{name}={_name_of(cell.cell_contents)}" for name, cell in cells)
    function.__qualname__ += "_" + hashlib.sha256(made_with.encode()).hexdigest()[:16]
    return register_jitable(function)


def _name_of(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"A kernel is made with numbers and functions, got {value!r}.")
