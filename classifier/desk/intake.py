"""Examples from a table or a folder of documents into the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifier.document import MAX_CHARACTERS
from classifier.errors import InputError
from classifier.excel import Formula
from classifier.job import guess_text
from classifier.rows import as_text
from classifier.tables import open_table, position


def read_intake(path: Path, text: str | None, name: str | None) -> Iterator[tuple[str, str]]:
    """(name, text) of each row; a row that holds no text is an error that names it.

    Parameters
    ----------
    text : the column with the examples; guessed where only one can be meant.
    name : the column that names an example in the queue; "row 7" where none is given.
    """
    table = open_table(path)
    place = position(table, text, path) if text is not None else guess_text(table, path)
    named = position(table, name, path) if name is not None else table.columns.index("file") if path.is_dir() else None
    number = table.first_row - 1
    for chunk in table.read():
        for row, fault in zip(chunk.cells, chunk.faults, strict=True):
            number += 1
            shown = as_text(row[named]) if named is not None else f"row {number}"
            content = as_text(row[place])
            if isinstance(row[place], Formula):
                fault = "a formula without a stored value"
            if fault is not None or not content.strip() or len(content) > MAX_CHARACTERS:
                reason = fault or f"an example has 1 to {MAX_CHARACTERS:,} characters"
                where = shown if name is None else f"row {number}"  # a cell may hold an example, whose words no message repeats
                raise InputError(f"{path}: {where}: {reason.rstrip('.')}; nothing was added.")
            yield shown, content
