"""Panels in Parquet files and datasets of PyArrow: batches are read into columns of numpy, one after the other."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklrnn.inputs.block_source import open_parquet

Array = NDArray[Any]

# Rows of a batch.
_ROWS_AT_ONCE = 2**16


class PanelColumns(NamedTuple):
    """The rows of a panel in the order of the files: the numbers of their series and times, and values as floats.

    ``series``, None if there is a single one, and ``times`` are the distinct names and times, sorted.
    """

    series: pd.Index | None
    series_codes: Array
    times: pd.Index
    time_codes: Array
    values: dict[str, Array]


def open_files(source: Any) -> Any:
    """A dataset of PyArrow, given as such or as the path of a Parquet file or a folder of them; None for all else."""
    if isinstance(source, str | os.PathLike):
        return open_parquet(source, partitioning="hive")
    return source if hasattr(source, "get_fragments") else None


def read_columns(source: Any, series: str | None, time: str, names: Sequence[str]) -> PanelColumns:
    """Read the columns of series, times and values batch by batch; no other column is read."""
    parts = _parts_of(source)
    types = _common_types(source, parts, series, time, names)
    n_rows = sum(part.count_rows() for part in parts)
    names_of_series, times = _Names(n_rows), _Times(n_rows)
    values = {name: np.empty(n_rows) for name in names}
    start = 0
    for columns in _read(parts, types):
        rows = slice(start, start + len(columns[time]))
        for name in (series, time):
            if name is not None:
                _check_known(columns[name], name, start)
        if series is not None:
            names_of_series.add(columns[series].dictionary_encode(), rows)
        times.add(columns[time].to_numpy(zero_copy_only=False), rows)
        for name, column in values.items():
            column[rows] = columns[name].to_numpy(zero_copy_only=False)
        start = rows.stop
    if start != n_rows:
        raise RuntimeError(f"The files have {n_rows} rows, but {start} were read: they changed meanwhile.")
    level = None if series is None else names_of_series.sort()
    return PanelColumns(level, names_of_series.codes, times.sort(getattr(types[time], "tz", None)), times.codes, values)


class _Names:
    """Names of series, which are numbered batch by batch, so that no column of them all is needed."""

    def __init__(self, n_rows: int) -> None:
        self.codes = np.zeros(n_rows, dtype=np.int32)
        self._numbers: dict[Any, int] = {}

    def add(self, encoded: Any, rows: slice) -> None:
        known = self._numbers
        numbers = [known.setdefault(name, len(known)) for name in encoded.dictionary.to_pylist()]
        self.codes[rows] = np.array(numbers, dtype=np.int32)[encoded.indices.to_numpy()]

    def sort(self) -> pd.Index:
        """All names in order, by which ``codes`` then number the rows."""
        level = pd.Index(list(self._numbers))
        order = level.argsort()
        numbers = np.argsort(order)
        for start in range(0, len(self.codes), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            self.codes[rows] = numbers[self.codes[rows]]
        return level[order]


class _Times:
    """Times, numbered in the same way; there may be as many as rows."""

    def __init__(self, n_rows: int) -> None:
        self.codes = np.empty(n_rows, dtype=np.int32)
        self._batches: list[tuple[slice, Array]] = []

    def add(self, times: Array, rows: slice) -> None:
        distinct, self.codes[rows] = np.unique(times, return_inverse=True)
        self._batches.append((rows, distinct))

    def sort(self, zone: str | None) -> pd.Index:
        """All distinct times in order, by which ``codes`` then number the rows."""
        level = np.unique(np.concatenate([distinct for _, distinct in self._batches] or [np.empty(0, dtype=np.int64)]))
        for rows, distinct in self._batches:
            self.codes[rows] = np.searchsorted(level, distinct)[self.codes[rows]]
        return pd.Index(level) if zone is None else pd.DatetimeIndex(level).tz_localize("UTC").tz_convert(zone)


def _parts_of(source: Any) -> list[Any]:
    try:
        return list(source.get_fragments())
    except ValueError:  # PyArrow gives no files of a dataset that is filtered
        return [source]


def _read(parts: list[Any], types: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The columns of one batch after the other."""
    for part in parts:
        if not part.count_rows():
            continue
        for batch in _batches_of_file(part, types) if hasattr(part, "row_groups") else _batches(part, types):
            if len(batch):
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield {name: _column(columns, part, name, len(batch)).cast(kind) for name, kind in types.items()}


def _batches_of_file(part: Any, types: dict[str, Any]) -> Iterator[Any]:
    """A Parquet file read in order, which takes less memory than its group of rows, that a dataset would read whole."""
    from pyarrow import parquet

    names, groups = [name for name in types if name in part.physical_schema.names], [g.id for g in part.row_groups]
    with part.open() as file:
        opened = parquet.ParquetFile(file)
        yield from opened.iter_batches(_ROWS_AT_ONCE, row_groups=groups, columns=names, use_threads=False)


def _batches(part: Any, types: dict[str, Any]) -> Iterator[Any]:
    """Another file, or the rows of a dataset that are left by a filter."""
    schema = part.physical_schema if hasattr(part, "physical_schema") else part.schema
    names = [name for name in types if name in schema.names]
    # What PyArrow would read ahead otherwise takes more memory than the panel.
    yield from part.to_batches(columns=names, batch_size=_ROWS_AT_ONCE, batch_readahead=1, use_threads=False)


def _column(columns: dict[str, Any], part: Any, name: str, n_rows: int) -> Any:
    """A column of a batch; the name of a folder such as ``unique_id=a`` is one, too."""
    import pyarrow as pa
    from pyarrow import dataset

    if name in columns:
        return columns[name]
    return pa.repeat(dataset.get_partition_keys(part.partition_expression)[name], n_rows)


def _common_types(source: Any, parts: list[Any], series: str | None, time: str, names: Sequence[str]) -> dict[str, Any]:
    """The types that columns are read as. Each file must have them all, with types that fit together."""
    import pyarrow as pa

    types: dict[str, Any] = {}
    for number, part in enumerate(parts):
        path = getattr(part, "path", f"number {number}")
        for name in filter(None, (series, time, *names)):
            kind = _type_in(part, source, name, path)
            if name in names:
                _check_number(kind, name, path)
                types[name] = pa.float64()
            else:
                types[name] = _unify(name, types.get(name, kind), kind, path)
    kind = types.get(time, pa.int64())
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind)):
        raise TypeError(
            f"The times in column {time!r} must be dates or whole numbers, got {kind}. Convert them first: read the "
            "files with pandas or polars, and pass the table."
        )
    return types


def _type_in(part: Any, source: Any, name: str, path: str) -> Any:
    """The type of a column in a file; a dictionary (categories) counts as the type of its values."""
    schema = getattr(part, "physical_schema", source.schema)
    if name not in schema.names:
        from pyarrow import dataset

        if name not in dataset.get_partition_keys(part.partition_expression):
            raise ValueError(f"There is no column {name!r} in the file {path}, which has {schema.names}.")
        schema = source.schema
    kind = schema.field(name).type
    return getattr(kind, "value_type", kind)


def _unify(name: str, known: Any, kind: Any, path: str) -> Any:
    import pyarrow as pa

    schemas = [pa.schema([(name, each)]) for each in (known, kind)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(name).type
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise ValueError(
            f"Column {name!r} is {kind} in the file {path}, but {known} in a file before it. Write all files with the "
            "same type."
        ) from error


def _check_number(kind: Any, name: str, path: str) -> None:
    import pyarrow as pa

    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_null)
    if not any(check(kind) for check in checks):
        raise TypeError(
            f"Column {name!r} must hold numbers, got {kind} in the file {path}. Encode it, or leave it out: X=[...] "
            "names the columns that are read."
        )


def _check_known(column: Any, name: str, start: int) -> None:
    if column.null_count:
        row = start + int(np.argmin(column.is_valid().to_numpy(zero_copy_only=False)))
        raise ValueError(f"Every row needs a value in column {name!r}, but row {row} has none. Drop it.")
