"""The cache of kernels that were compiled at their first use."""

import os
from pathlib import Path

import pytest

from sklrnn.kernels._jit import cached

NAME, CODE = "cell-version.kernel", bytes(range(256)) * 20


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def is_stored():
    """Whether a new process would find the code in the cache; otherwise it is compiled, and stored if possible."""
    compiled = []
    assert cached(NAME, lambda: compiled.append(CODE) or CODE) == CODE
    return not compiled


def test_a_kernel_is_compiled_once(cache):
    assert not is_stored()
    assert is_stored()
    assert [path.name for path in cache.iterdir()] == [NAME]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_replaced_at_once(share, cache):
    is_stored()
    content = (cache / NAME).read_bytes()
    (cache / NAME).write_bytes(content[: int(share * len(content))])
    assert not is_stored()
    assert is_stored()


def test_a_file_with_another_content_is_replaced(cache):
    is_stored()
    content = bytearray((cache / NAME).read_bytes())
    content[1000] ^= 1
    (cache / NAME).write_bytes(content)
    assert not is_stored()
    assert is_stored()


def test_a_cache_that_cannot_be_written_to_is_no_error(cache, monkeypatch):
    def refuse(*args):
        raise PermissionError("read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert not is_stored()
    assert not is_stored()
    assert not any(cache.iterdir())


def test_beside_a_package_that_cannot_be_written_to_the_cache_is_in_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr("sklrnn.kernels._jit.SOURCES", tmp_path / "not a folder")
    (tmp_path / "not a folder").touch()
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):  # of macOS, Linux and Windows
        monkeypatch.setenv(name, str(tmp_path / "user"))
    assert not is_stored()
    assert is_stored()
    assert [path.parent.name for path in (tmp_path / "user").rglob(NAME)] == ["sklrnn"]


def test_a_cache_that_is_written_at_the_same_time_is_whole(cache, monkeypatch):
    def replace_after_another(temporary, path, replace=os.replace):
        Path(path).write_bytes(b"of another process")
        replace(temporary, path)

    monkeypatch.setattr(os, "replace", replace_after_another)
    assert not is_stored()
    assert is_stored()
