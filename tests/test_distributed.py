"""The backend for Dask where there is no Dask; ``tests/distributed`` has its searches."""

import sys

import pytest

from sklrnn.distributed import DaskBackend


def test_without_dask_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r'pip install "sklrnn\[dask\]"'):
        DaskBackend()
