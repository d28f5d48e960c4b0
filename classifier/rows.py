"""Rows of a table on their way from a file to a file: cells as they were, and what is wrong with a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

# Few enough that memory stays small, many enough that reading is not the slow part.
CHUNK = 256

_SURROGATES = re.compile(r"[\ud800-\udfff]")
_ZEROS = re.compile(r"0+")


@dataclass(frozen=True)
class Shown:
    """A cell of a workbook with the number format that it is shown in."""

    value: Any
    number_format: str


@dataclass
class Chunk:
    """Some rows in a row.

    cells : one list a row, as long as the table has columns
    faults : one a row: None, or why the row cannot be scored as it stands (a whole status)
    arrow : the same rows as a pyarrow table, where they come from Parquet, so that their types are kept
    """

    cells: Sequence[Sequence[Any]]
    faults: Sequence[str | None]
    arrow: Any = None


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again in chunks.

    columns : names in order, as they are in the file (names may be empty or occur twice)
    total : number of rows
    described : what the file was taken for, in a few words for the user
    read : starts at the first row each time it is called
    first_row : number of the first row as the user's programs count, 2 where a header stands above it
    delimiter, marked : how text in columns should be written so that the user's programs open it as they opened the input
    """

    columns: tuple[str, ...]
    total: int
    described: str
    read: Callable[[], Iterator[Chunk]]
    first_row: int = 2
    delimiter: str = ","
    marked: bool = True


@dataclass(frozen=True)
class Scored:
    """A chunk of the input with the cells that scoring adds."""

    chunk: Chunk
    added: Sequence[Sequence[Any]]


def as_text(cell: object) -> str:
    """A cell as text, as a person would write it; nothing, as an empty string.

    >>> [as_text(cell) for cell in (None, 7, 2.5, True, Shown(7, "000"), date(2024, 3, 1))]
    ['', '7', '2.5', 'TRUE', '007', '2024-03-01']
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Shown):
        if isinstance(cell.value, int) and _ZEROS.fullmatch(cell.number_format):
            return str(cell.value).zfill(len(cell.number_format))
        if isinstance(cell.value, datetime) and cell.value.time() == time() and "h" not in cell.number_format.lower():
            return cell.value.date().isoformat()
        return as_text(cell.value)
    if cell is None or cell != cell:  # NaN is the one value that differs from itself
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    if isinstance(cell, dict | list):
        return json.dumps(cell, ensure_ascii=False, default=as_text)
    return str(cell)


def encodable(text: str) -> str:
    """The text with lone surrogates, which no file encoding can hold, replaced by the replacement character."""
    return _SURROGATES.sub("\ufffd", text)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names with a number after those that occur again, for formats that need each name once.

    >>> unique_names(["a", "a", ""])
    ['a', 'a (2)', 'column 3']
    """
    found: list[str] = []
    for position, name in enumerate(names, 1):
        base = candidate = encodable(name) or f"column {position}"
        number = 2
        while candidate in found:
            candidate = f"{base} ({number})"
            number += 1
        found.append(candidate)
    return found


def widened(columns: Sequence[str], width: int) -> tuple[str, ...]:
    """The columns with names for cells that stand to the right of the last named one, so that no cell is lost."""
    return (*columns, *(f"column {position}" for position in range(len(columns) + 1, width + 1)))
