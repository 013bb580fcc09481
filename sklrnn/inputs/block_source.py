"""Data that are larger than memory: blocks that are read one after the other, as often as they are asked for."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

# Rows of a block that is read from a file.
_ROWS_AT_ONCE = 2**16

# The number of a block's part and its own in it; what is made of a block adds numbers.
Key = tuple[int, ...]


class BlockSource:
    """An iterable of blocks, a callable that returns one, a dataset or table of PyArrow, or Parquet files.

    It has parts, in any order of which its blocks can be read: the items of a list, or the files of a dataset. Other
    sources are one part.
    """

    def __init__(self, source: Any) -> None:
        self._parts: Sequence[Callable[[], Iterable[Any]]] = _parts_of(source)
        self._is_list = isinstance(source, list | tuple)

    def __len__(self) -> int:
        return len(self._parts)

    def read(self, order: Iterable[int] | None = None) -> Iterator[tuple[Key, Any]]:
        """Each block with its key; the items of a list are numbered as blocks of one part."""
        for part in range(len(self)) if order is None else order:
            for number, block in enumerate(self._parts[part]()):
                yield (0, part) if self._is_list else (part, number), _as_numpy_or_pandas(block)


def split_block(block: Any, target: Any) -> tuple[Any, Any, Any]:
    """The rows or sequences of a block, their targets, and their weights; targets are None where columns hold them."""
    if isinstance(block, tuple | list) and len(block) in (2, 3):
        if target is not None:
            raise ValueError(
                f"target={target!r} names a column of tables, but the block is a pair of X and y. Leave target out, or "
                "give tables."
            )
        X, y, *weights = (_as_numpy_or_pandas(part) for part in block)
        return X, y, weights[0] if weights else None
    is_table = hasattr(block, "columns") or (target is not None and getattr(block, "ndim", 0) == 2)
    if not is_table:
        raise TypeError(
            "A block must be a pair (X, y), a triple (X, y, sample_weight), or a table with the column that target "
            f"names, got {type(block).__name__}."
        )
    if target is None:
        raise ValueError(
            f"The block is a table of the columns {list(block.columns)}. Name the column to predict as target, or give "
            "pairs (X, y)."
        )
    return block, None, None


def split_target(table: Any, target: Any) -> tuple[Any, Any]:
    """The other columns of a table, and the target: one column or several, by name or in an array by number."""
    if not hasattr(table, "columns"):
        return np.delete(table, target, axis=1), table[:, target]
    missing = [name for name in (target if isinstance(target, list) else [target]) if name not in table.columns]
    if missing:
        raise ValueError(f"target={target!r} is no column of the block. Its columns are {list(table.columns)}.")
    return table.drop(columns=target), table[target]


class InBlock:
    """Says in errors about what a user gave in which block it is."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if type(error) in (ValueError, TypeError):
            part, number, *_ = self._key
            where = f" of file {part}" if part else ""
            raise type(error)(f"In block {number}{where} (counted from 0): {error}") from error


# -- sources -----------------------------------------------------------------------------------------------------------


def _parts_of(source: Any) -> Sequence[Callable[[], Iterable[Any]]]:
    _refuse_single_block(source)
    if isinstance(source, str | os.PathLike):
        source = open_parquet(source)
    if hasattr(source, "get_fragments"):
        fragments = list(source.get_fragments())
        return [partial(_read_fragment, fragment, source.schema) for fragment in fragments]
    if hasattr(source, "to_batches"):
        return [partial(source.to_batches, max_chunksize=_ROWS_AT_ONCE)]
    if callable(source):
        return [partial(_call, source)]
    if isinstance(source, list | tuple):
        return [partial(_single, block) for block in source]
    if not isinstance(source, Iterable):
        raise TypeError(
            "fit_blocks reads an iterable of blocks, a function that returns one, a dataset of PyArrow, or a folder of "
            f"Parquet files, got {type(source).__name__}."
        )
    if iter(source) is source:
        raise ValueError(
            f"The source is a {type(source).__name__}, which can be read once, but each epoch reads all blocks. Pass "
            "the function that makes it (fit_blocks(blocks), not fit_blocks(blocks())), or an object whose __iter__ "
            "starts anew."
        )
    return [lambda: source]


def _refuse_single_block(source: Any) -> None:
    is_pair = isinstance(source, tuple) and any(
        isinstance(part, np.ndarray) or hasattr(part, "iloc") for part in source
    )
    if isinstance(source, np.ndarray) or hasattr(source, "iloc") or is_pair:
        raise TypeError(
            f"fit_blocks reads many blocks, got a single {type(source).__name__}. Data in one piece, in memory or as a "
            "numpy.memmap, are for fit; a single block is passed as [block]."
        )


def _single(block: Any) -> tuple[Any]:
    return (block,)


def _call(source: Callable[[], Any]) -> Iterable[Any]:
    blocks = source()
    if not isinstance(blocks, Iterable):
        raise TypeError(f"The source must return an iterable of blocks when it is called, got {type(blocks).__name__}.")
    return blocks


def open_parquet(path: str | os.PathLike[str], partitioning: str | None = None) -> Any:
    """A Parquet file or a folder of them as a dataset of PyArrow."""
    try:
        from pyarrow import dataset
    except ImportError as error:
        raise ImportError(
            "Parquet files are read by PyArrow, which is not installed: pip install 'sklrnn[parquet]'."
        ) from error
    if not Path(path).exists():
        raise ValueError(f"There is no folder or file {os.fspath(path)!r}.")
    found = dataset.dataset(os.fspath(path), format="parquet", partitioning=partitioning)
    if not found.files:
        raise ValueError(f"The folder {os.fspath(path)!r} holds no Parquet files.")
    return found


def _read_fragment(fragment: Any, schema: Any) -> Iterator[Any]:
    """The rows of a file some at a time: what PyArrow would read ahead otherwise takes more memory than they do."""
    options = {"schema": schema, "batch_size": _ROWS_AT_ONCE, "batch_readahead": 1, "use_threads": False}
    yield from (batch for batch in fragment.to_batches(**options) if batch.num_rows)


def _as_numpy_or_pandas(block: Any) -> Any:
    """Tables of PyArrow and polars as frames of pandas, and tensors as arrays."""
    if isinstance(block, np.ndarray) or hasattr(block, "iloc"):
        return block
    if hasattr(block, "to_pandas") and hasattr(block, "schema") and hasattr(block, "num_rows"):
        return block.to_pandas()
    if hasattr(block, "columns") and hasattr(block, "to_dict") and hasattr(block, "schema"):
        return pd.DataFrame({name: block[name].to_numpy() for name in block.columns})
    return np.asarray(block) if hasattr(block, "requires_grad") else block
