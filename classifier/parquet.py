"""Parquet, read and written in chunks; the types of the input's columns are kept. Needs the extra `parquet`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.rows import Chunk, Scored, Table, as_text, encodable, unique_names

# One group of rows in the file; rows wait in memory until so many are there.
_GROUP = 4_096


def pyarrow() -> Any:
    """The library, or a sentence that says how to install it."""
    try:
        import pyarrow as found
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet needs pyarrow; install it with: pip install '.[parquet]' in this program's folder.") from error
    return found


def open_parquet(path: Path) -> Table:
    """A Parquet file."""
    pa = pyarrow()
    try:
        with pa.parquet.ParquetFile(path) as file:
            columns, total = tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file ({' '.join(str(error).split())}).") from error

    def read() -> Iterator[Chunk]:
        try:
            with pa.parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=_GROUP):
                    cells = list(zip(*(_values(pa, column) for column in batch.columns), strict=True))
                    yield Chunk(cells, [None] * batch.num_rows, pa.table(batch.columns, schema=batch.schema))
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: the file is damaged ({' '.join(str(error).split())}).") from error

    return Table(columns, total, "Parquet", read, first_row=1)


def _values(pa: Any, column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, pa.ArrowException):  # a date that Python cannot hold
        return list(column.cast(pa.string()).to_pylist())


def write_parquet(path: Path, columns: Sequence[str], kinds: Sequence[type], scored: Iterator[Scored]) -> None:
    """Write Parquet. Columns from a Parquet file keep their types, others are text; `kinds` are the types of the added ones."""
    pa = pyarrow()
    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    names = unique_names(columns)
    writer = None
    waiting: list[Any] = []
    rows = 0
    try:
        for part in scored:
            arrays, fields = _given(pa, part.chunk, len(columns) - len(kinds), names)
            for position, kind in enumerate(kinds):
                values = [_typed(row[position], kind) for row in part.added]
                arrays.append(pa.array(values, types[kind]))
                fields.append(pa.field(names[len(fields)], types[kind]))
            table = pa.table(arrays, schema=pa.schema(fields, part.chunk.arrow.schema.metadata if part.chunk.arrow is not None else None))
            writer = writer or pa.parquet.ParquetWriter(path, table.schema, compression="zstd")
            waiting.append(table)
            rows += len(table)
            if rows >= _GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting, rows = [], 0
        if writer is not None and waiting:
            writer.write_table(pa.concat_tables(waiting))
    finally:
        if writer is not None:
            writer.close()


def _given(pa: Any, chunk: Chunk, width: int, names: Sequence[str]) -> tuple[list[Any], list[Any]]:
    if chunk.arrow is not None:
        return list(chunk.arrow.columns), [field.with_name(name) for field, name in zip(chunk.arrow.schema, names, strict=False)]
    arrays = [pa.array([None if row[i] is None else encodable(as_text(row[i])) for row in chunk.cells], pa.string()) for i in range(width)]
    return arrays, [pa.field(name, pa.string()) for name in names[:width]]


def _typed(value: Any, kind: type) -> Any:
    return encodable(value) if kind is str and value is not None else value
