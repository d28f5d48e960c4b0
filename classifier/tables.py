"""Tables in files: the ending of a name chooses the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from classifier.delimited import open_delimited, write_delimited
from classifier.errors import InputError
from classifier.excel import MOST_COLUMNS, MOST_ROWS, open_workbook, write_workbook
from classifier.folder import open_folder
from classifier.jsonlines import open_jsonlines, write_jsonlines
from classifier.parquet import open_parquet, pyarrow, write_parquet
from classifier.rows import Scored, Table

_JSON_LINES = (".jsonl", ".ndjson")
# Names of columns are shorter; where a table has no header, an example stands in the place of a name.
_LONGEST_NAME = 40
ENDINGS = (".csv", ".tsv", ".xlsx", ".parquet", *_JSON_LINES)


def open_table(path: Path, sheet: str | None = None) -> Table:
    """Open a table; its rows are read in chunks, as often as they are asked for.

    Raises
    ------
    InputError
        When the file is missing, empty, of no known format or not what its ending says.
    """
    ending = path.suffix.lower()
    if sheet is not None and ending != ".xlsx":
        raise InputError(f"{path}: only a workbook (.xlsx) has sheets.")
    try:
        if path.is_dir():
            return open_folder(path)
        if not path.exists():
            raise InputError(f"{path}: there is no such file.")
        if not path.is_file():
            raise InputError(f"{path}: this is not a file that can be read twice; save it first.")
        if ending not in ENDINGS:
            raise InputError(f"{path}: the ending says which format it is; {_known()} or a folder are read.")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty; a first row with column names is needed.")
        table = _open_file(path, ending, sheet)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from error
    if not table.total:
        raise InputError(f"{path}: the table has column names but no rows.")
    return table


def position(table: Table, name: str, path: Path) -> int:
    """Place of the one column of this name.

    Raises
    ------
    InputError
        When the table has none, or several.
    """
    found = [i for i, column in enumerate(table.columns) if column == name]
    if not found:
        shown = ", ".join(shown_column(table.columns, i) for i in range(len(table.columns)))
        raise InputError(f"{path}: there is no column {name!r}; it has {shown}.")
    if len(found) > 1:
        raise InputError(f"{path}: {len(found)} columns are named {name!r}; rename all but one.")
    return found[0]


def shown_column(columns: Sequence[str], place: int) -> str:
    """A column for a message: its name, or its number where the name is so long that it may be an example, whose words no message repeats.

    >>> shown_column(("id", "I called her back on the day after she had asked"), 1)
    'number 2 (a name of 48 characters)'
    """
    name = columns[place]
    return repr(name) if len(name) <= _LONGEST_NAME else f"number {place + 1} (a name of {len(name)} characters)"


def _open_file(path: Path, ending: str, sheet: str | None) -> Table:
    if ending == ".xlsx":
        return open_workbook(path, sheet)
    if ending == ".parquet":
        return open_parquet(path)
    return open_jsonlines(path) if ending in _JSON_LINES else open_delimited(path)


def check_target(path: Path, table: Table, added: int) -> None:
    """Say at once what would fail at the end: an unknown ending, a folder in the place, too many rows or columns, a missing library."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: the ending says which format to write; {_known()} are known.")
    if path.is_dir():
        raise InputError(f"{path}: cannot be written (there is a folder of this name).")
    if path.suffix.lower() == ".xlsx" and table.total > MOST_ROWS:
        raise InputError(f"{path}: a workbook holds {MOST_ROWS:,} rows, and the table has {table.total:,}; write .csv or .parquet.")
    if path.suffix.lower() == ".xlsx" and len(table.columns) + added > MOST_COLUMNS:
        raise InputError(f"{path}: a workbook holds {MOST_COLUMNS:,} columns, and the table has {len(table.columns):,}; write .csv or .parquet.")
    if path.suffix.lower() == ".parquet":
        pyarrow()


def write_table(
    path: Path,
    ending: str,
    table: Table,
    added: dict[str, type],
    scored: Iterator[Scored],
    summary: Callable[[], Sequence[tuple[str, object]]],
    shaded: str = "level",
) -> None:
    """Write the table's rows with the added cells to `path`, in the format of `ending`."""
    columns = [*table.columns, *added]
    if ending == ".xlsx":
        write_workbook(path, columns, len(table.columns), scored, summary, shaded)
    elif ending == ".parquet":
        write_parquet(path, columns, list(added.values()), scored)
    elif ending in _JSON_LINES:
        write_jsonlines(path, columns, scored)
    else:
        write_delimited(path, columns, scored, "\t" if ending == ".tsv" else "," if table.delimiter == "\t" else table.delimiter, table.marked)


def _known() -> str:
    return ", ".join(ENDINGS)
