"""JSON Lines: one object a line, read and written in chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.rows import CHUNK, Chunk, Scored, Shown, Table, as_text, unique_names

_FAULT = "error: the line is not a JSON object"


def open_jsonlines(path: Path) -> Table:
    """A JSON Lines file. Columns are all names in order of first use; a line that is no object is kept whole in a column of its own."""
    names: dict[str, None] = {}
    total, broken = 0, False
    for found in _lines(path):
        total += 1
        if isinstance(found, dict):
            names.update(dict.fromkeys(found))
        else:
            broken = True
    if not total:
        raise InputError(f"{path}: the file is empty.")
    if not names:
        raise InputError(f"{path}: not one line is a JSON object.")
    columns = list(names)
    whole = unique_names([*columns, "line"])[-1]
    if broken:
        columns.append(whole)

    def read() -> Iterator[Chunk]:
        cells: list[list[Any]] = []
        faults: list[str | None] = []
        for found in _lines(path):
            good = isinstance(found, dict)
            row = found if isinstance(found, dict) else {whole: found}
            cells.append([row.get(name) for name in columns])
            faults.append(None if good else _FAULT)
            if len(cells) == CHUNK:
                yield Chunk(cells, faults)
                cells, faults = [], []
        if cells:
            yield Chunk(cells, faults)

    return Table(tuple(columns), total, "JSON Lines, UTF-8", read, first_row=1)


def _lines(path: Path) -> Iterator[dict[str, Any] | str]:
    """Each line that is not blank: its object, or the line as text where it holds none."""
    with path.open("rb") as stream:
        for number, raw in enumerate(stream):
            if not raw.strip():
                continue
            try:
                found = json.loads(raw.decode("utf-8-sig" if number == 0 else "utf-8"))
            except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
                found = None
            yield found if isinstance(found, dict) else raw.decode("utf-8", "replace").strip()


def write_jsonlines(path: Path, columns: Sequence[str], scored: Iterator[Scored]) -> None:
    """Write JSON Lines; values keep their types, and what JSON has no type for is written as text."""
    names = unique_names(columns)
    with path.open("wb") as stream:
        for part in scored:
            for cells, added in zip(part.chunk.cells, part.added, strict=True):
                stream.write(_line(dict(zip(names, (*cells, *added), strict=True))) + b"\n")


def _line(row: dict[str, Any]) -> bytes:
    plain = {name: _plain(cell) for name, cell in row.items()}
    try:
        return json.dumps(plain, ensure_ascii=False, default=as_text).encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates, which JSON can hold as \\ud800 only
        return json.dumps(plain, default=as_text).encode("ascii")


def _plain(cell: object) -> object:
    """A cell of a workbook by its value, or as it is shown where that says more (007, a date); NaN as nothing."""
    if isinstance(cell, Shown):
        return cell.value if isinstance(cell.value, float) else as_text(cell)
    return cell if cell == cell else None
