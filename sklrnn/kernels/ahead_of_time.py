"""Compile the kernels before they are used, each to a shared library: ``python -m sklrnn.kernels.ahead_of_time``.

The build of the package does this. It needs numba, and a C compiler or linker for the last step, but no torch.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sklrnn.kernels._library import FEATURES_OF, LIBRARIES, SOURCES, instruction_set, library_name, platform_sets
from sklrnn.kernels._registry import all_libraries, source_of

_LINKERS = ("cc", "gcc", "clang", "ld")


def build(targets: list[str], cells: list[str], folder: Path) -> list[Path]:
    """Compile the kernels of these cells for these instruction sets, where that is not yet done."""
    folder.mkdir(exist_ok=True)
    wanted = [folder / library_name(cell, target) for target in targets for cell in cells]
    for target in targets:
        for older in {path for cell in cells for path in folder.glob(f"{cell}-{target}-*")} - {*wanted}:
            older.unlink()
    # Cells in one process share some of the work; a process has one thread, and one instruction set.
    n_parts = -(-(os.cpu_count() or 1) // len(targets))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = []
        for target in targets:
            missing = [cell for cell in cells if not (folder / library_name(cell, target)).exists()]
            shares = filter(None, (missing[i::n_parts] for i in range(n_parts)))
            parts += [pool.submit(_build_in_process, target, share, folder) for share in shares]
    for part in parts:
        part.result()
    return wanted


def _build_in_process(target: str, cells: list[str], folder: Path) -> None:
    cpu = {"NUMBA_CPU_NAME": "generic" if target == "neon" else target, "NUMBA_CPU_FEATURES": FEATURES_OF[target]}
    command = [sys.executable, "-m", "sklrnn.kernels.ahead_of_time", "--only", target, str(folder), *cells]
    environment, root = {**os.environ, **cpu}, SOURCES.parents[1]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The kernels for {target} can't be compiled:\n{done.stderr.strip()}")


def _build_here(target: str, cells: list[str], folder: Path) -> None:
    from sklrnn.kernels._compile import machine_code

    for cell in cells:
        link(machine_code(source_of(cell), in_memory=False), folder / library_name(cell, target))


def link(code: bytes, path: Path) -> None:
    """Make a shared library of an object file."""
    linker = find_linker()
    if linker is None:
        raise RuntimeError("no linker")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made_from, made = Path(folder) / "kernel.o", Path(folder) / "kernel"
        made_from.write_bytes(code)
        # Linux finds memset and the like, which is all that it may need, in the process that loads the library.
        options = [] if sys.platform == "darwin" else ["-nostdlib", "-s"]
        command = [linker, "-shared", *options, "-o", str(made), str(made_from)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{linker} failed: {done.stderr.strip()}")
        os.replace(made, path)


def find_linker() -> str | None:
    """The C compiler that ``CC`` names, or another, or a linker."""
    return next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), *_LINKERS))), None)


def why_not() -> str | None:
    """What is missing here for compiling the kernels."""
    if not platform_sets():
        return f"There are none for {sys.platform} on this processor"
    if importlib.util.find_spec("numba") is None:
        return "numba is not installed"
    if find_linker() is None:
        return f"There is no C compiler or linker ({', '.join(_LINKERS)})"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="for all processors of this platform, not only for this one")
    parser.add_argument("--only", nargs="+", metavar=("TARGET", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        target, folder, *cells = asked.only
        _build_here(target, cells, Path(folder))
        return
    this = instruction_set()
    targets = platform_sets() if asked.all else [] if this is None else [this]
    if (reason := why_not()) is not None or not targets:
        raise SystemExit(f"{reason or 'The processor is too old'}, so the kernels will be compiled at their first use.")
    for path in build(targets, all_libraries(), LIBRARIES):
        print(path)


if __name__ == "__main__":
    main()
