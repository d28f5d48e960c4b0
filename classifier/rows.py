"""Rows of a table on their way from a file to a file: cells as they were, and what is wrong with a row. Records of a JSON Lines file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from classifier.errors import InputError

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


def as_level(cell: object, count: int, where: str) -> int:
    """A cell of the column `level` as one of the levels from 0 to `count` - 1.

    Raises
    ------
    InputError
        When it is none. The cell is not repeated: where the columns are mixed up, it is an example.
    """
    try:
        level = float(as_text(cell))
    except ValueError:
        level = -1.0
    if level not in range(count):
        raise InputError(f"{where}: the cell in column 'level' is no level.")
    return int(level)


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, each with the number of its line; blank lines are passed over.

    Raises
    ------
    InputError
        When the file cannot be read or, with its number, when a line is no object.
    """
    for number, line in read_lines(path):
        try:
            yield number, parse_record(line)
        except ValueError as error:
            raise InputError(f"{path}:{number}: {error}.") from error


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a text that are not blank, with their numbers, cut at line feeds only: JSON may hold U+2028 and its like as they are."""
    try:
        return [(number, line) for number, line in enumerate(path.read_text("utf-8").split("\n"), 1) if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error


def parse_record(line: str) -> dict[str, Any]:
    """The JSON object of a line; ValueError, with a reason that can be shown, where it is none."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at character {error.pos})") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read (too deeply nested)") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


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
