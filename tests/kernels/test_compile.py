"""The cache of compiled kernels, on a function that compiles at once."""

from pathlib import Path
from typing import NamedTuple

import numba
import pytest

from sklrnn.kernels._compile import compiled, specialised


class Arguments(NamedTuple):
    first: int
    second: int


def make_loop():
    def loop(first, second, step):
        return first + second + step

    return specialised(loop)


def run(values, step):
    first, second = arguments(*values)  # noqa: F821
    loop(first, second, step)  # noqa: F821


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def load():
    """The kernel as a new process would load or compile it, and whether it came from the cache."""
    kernel = compiled(run, make_loop(), Arguments, 1)
    kernel((1, 2), 3)
    return sum(kernel.stats.cache_hits.values()) == 1


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*.nb?")}


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def test_a_kernel_is_compiled_once(cache):
    assert not load()
    assert load()
    assert {Path(name).suffix for name in files(cache)} == {".nbi", ".nbc"}


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("damaged", [["*.nbc"], ["*.nbi"], ["*.nbi", "*.nbc"]], ids="+".join)
def test_a_truncated_cache_is_repaired_at_once(damaged, share, cache):
    load()
    names = files(cache).keys()
    for pattern in damaged:
        (path,) = cache.rglob(pattern)
        cut(path, share)
    assert not load()  # compiled again ...
    assert load()  # ... and stored, for all later processes
    assert files(cache).keys() == names


def test_data_that_are_missing_are_written_again(cache):
    load()
    (path,) = cache.rglob("*.nbc")
    path.unlink()
    assert not load()
    assert load()


def test_a_damaged_cache_that_cannot_be_written_to_is_no_error(cache, monkeypatch):
    load()
    (path,) = cache.rglob("*.nbc")
    cut(path, 0.5)

    def refuse(*args):
        raise PermissionError("read-only file system")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", refuse)
    assert not load()
    assert not load()
