"""Kernels that are compiled at their first use, once on each machine."""

import hashlib
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sklrnn.kernels._arguments import KernelSource
from sklrnn.kernels._compile import COMPILER, load_into_memory, machine_code
from sklrnn.kernels._library import SOURCES, kernel_from, version_of


def compile_in_memory(
    cell: str, source_of: Callable[[str], KernelSource], loaded_from: Callable[..., Any] = kernel_from
) -> Any:
    """Compile the kernel of a cell for this processor, or the program, or load it from the cache."""
    name = f"{cell}-{version_of(SOURCES, COMPILER)}.kernel"
    return loaded_from(load_into_memory(cached(name, lambda: machine_code(source_of(cell), in_memory=True))))


def cached(name: str, make: Callable[[], bytes]) -> bytes:
    """The content of a file of the cache; it is made where there is none, or where it is damaged.

    A failure to read or to write is no error: what was made serves this process.
    """
    for folder in _folders():
        with suppress(OSError):
            stored = (folder / name).read_bytes()
            digest, content = stored[:32], stored[32:]
            if hashlib.sha256(content).digest() == digest:
                return content
    content = make()
    for folder in _folders():
        with suppress(OSError):
            _write(folder / name, hashlib.sha256(content).digest() + content)
            break
    return content


def _folders() -> Iterator[Path]:
    """Where the cache may be, best first."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
        return
    yield SOURCES / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield _cache_of_user() / "sklrnn"


def _cache_of_user() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    name, default = ("LOCALAPPDATA", "AppData/Local") if sys.platform == "win32" else ("XDG_CACHE_HOME", ".cache")
    return Path(os.environ.get(name) or Path.home() / default)


def _write(path: Path, content: bytes) -> None:
    """Write a file at once, so that processes which write it together see whole files only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
