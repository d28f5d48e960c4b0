"""Workbooks (.xlsx): a chosen sheet read row by row, and results written as a workbook that a person wants to open."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
import xlsxwriter.exceptions
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from classifier.errors import InputError
from classifier.rows import CHUNK, Chunk, Scored, Shown, Table, as_text, encodable, widened

LONGEST_CELL, MOST_ROWS, MOST_COLUMNS = 32_767, 1_048_575, 16_384
_EXPANDED, _MEMBERS = 2_000_000_000, 10_000
_CUT = " … [cut: a workbook's cell holds no more]"
# A light to dark row of one hue, so that the order is seen without colours too; dark letters on it have a contrast above 7.
_LEVEL_COLOURS = ("#F2F2F2", "#E1EFF6", "#BFDDEC", "#93C5DF", "#66ABD0")
_WIDTHS = {"status": 26, "level": 10, "level_set": 10, "client": 14, "flags": 40, "evidence": 40, "model": 18}
# As wide as is comfortable to read; longer texts are wrapped.
_READING_WIDTH = 60
# Where Excel's own dates begin; earlier ones are written as text.
_FIRST_DATE = datetime(1900, 3, 1)


@dataclass(frozen=True)
class Formula:
    """A formula of which the workbook holds no result: kept as it is written, and no text that could be scored."""

    text: str

    def __str__(self) -> str:
        return self.text


def open_workbook(path: Path, sheet: str | None = None) -> Table:
    """One sheet of a workbook, the first where none is named."""
    with _sheets(path, formulas=True) as book:
        names = [found.title for found in book.worksheets]
        if not names:
            raise InputError(f"{path}: the workbook has no sheet with cells.")
        chosen = names[0] if sheet is None else sheet
        if chosen not in names:
            raise InputError(f"{path}: there is no sheet {chosen!r}; it has {', '.join(map(repr, names))}.")
        formulas = any(cell.data_type == "f" for row in _sheet_rows(path, book[chosen]) for cell in row)
    header, total, width = _measure(path, _rows(path, chosen, formulas))

    def read() -> Iterator[Chunk]:
        rows = islice(_rows(path, chosen, formulas), 1, 1 + total)
        while part := list(islice(rows, CHUNK)):
            cells = [(row + [None] * width)[:width] for row in part]
            yield Chunk(cells, [None] * len(cells))

    others = f" of {len(names)}" if len(names) > 1 else ""
    return Table(widened(header, width), total, f"XLSX, sheet {chosen!r}{others}", read, marked=True)


@contextmanager
def _sheets(path: Path, formulas: bool = False) -> Iterator[Any]:
    """The opened workbook; its cells hold the stored results of formulas, or the formulas themselves."""
    _refuse_bomb(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=not formulas, keep_links=False)
    except OSError:
        raise
    except Exception as error:  # openpyxl lets whatever its XML parts raise through
        raise InputError(f"{path}: not a workbook that can be read ({_named(error)}).") from error
    try:
        yield book
    except (InputError, OSError):
        raise
    except Exception as error:  # parts are read while the rows are
        raise InputError(f"{path}: the workbook is damaged, or holds what cannot be read ({_named(error)}); save the sheet as CSV.") from error
    finally:
        book.close()


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not an .xlsx workbook.") from error
    if len(members) > _MEMBERS or sum(member.file_size for member in members) > _EXPANDED:
        raise InputError(f"{path}: unpacked, this workbook would be larger than {_EXPANDED // 1_000_000_000} GB; save the sheet as CSV.")


def _rows(path: Path, name: str, formulas: bool) -> Iterator[list[Any]]:
    """The rows of a sheet; `formulas` says that it has some, and that they stand where no result is stored."""
    with _sheets(path) as book:
        rows = _sheet_rows(path, book[name])
        if not formulas:
            for row in rows:
                yield [_cell(cell) for cell in row]
            return
        # openpyxl gives the results or the formulas, never both.
        with _sheets(path, formulas=True) as written:
            for row, as_written in zip(rows, _sheet_rows(path, written[name]), strict=True):
                yield [_result_or_formula(*pair) for pair in zip(row, as_written, strict=True)]


def _sheet_rows(path: Path, sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Every row that the sheet has, each down to its own last cell."""
    # Some exporters write a size that is too small, and rows beyond it would be left out without a word.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(), 1):
        if number > 1 + MOST_ROWS:  # rows that are left out count too, so that one high number would fill the time
            raise InputError(f"{path}: the sheet {sheet.title!r} numbers a row beyond {1 + MOST_ROWS:,}, the last that a workbook can have.")
        yield row


def _measure(path: Path, rows: Iterator[list[Any]]) -> tuple[list[str], int, int]:
    """The header, the number of rows down to the last that is not blank, and the width of the widest."""
    first = next(rows, None)
    if first is None or _filled(first) == 0:
        raise InputError(f"{path}: the first row of the sheet is empty; it must hold the column names.")
    header = [as_text(cell) for cell in first[: _filled(first)]]
    total, width = 0, len(header)
    for number, row in enumerate(rows, 1):
        filled = _filled(row)
        if filled:
            total, width = number, max(width, filled)
    return header, total, width


def _filled(row: Sequence[Any]) -> int:
    """How many cells there are up to the last that is not blank."""
    return max((position for position, value in enumerate(row, 1) if value is not None), default=0)


def _cell(cell: Any) -> Any:
    value = cell.value
    if value is None or isinstance(value, str | bool) or cell.number_format == "General":
        return value
    return Shown(value, cell.number_format)


def _result_or_formula(cell: Any, written: Any) -> Any:
    # A result that is stored as an empty text (of =IF(A2="","",A2)) has no value either, but is marked as text.
    if written.data_type != "f" or cell.value is not None or cell.data_type == "str":
        return _cell(cell)
    return Formula(_formula_text(written.value))


def _formula_text(formula: Any) -> str:
    if isinstance(formula, DataTableFormula):  # a what-if table, which has no text of its own
        return f"=TABLE({formula.r1 or ''},{formula.r2 or ''})"
    return str(formula.text if isinstance(formula, ArrayFormula) else formula)


def write_workbook(
    path: Path,
    columns: Sequence[str],
    input_columns: int,
    scored: Iterator[Scored],
    summary: Callable[[], Sequence[tuple[str, object]]],
    shaded: str = "level",
) -> None:
    """Write the rows on one sheet and the summary on a second.

    Parameters
    ----------
    columns, input_columns : all names, and how many of them are the input's.
    summary : asked for after the last row; pairs of what is counted and its value, an empty second for a heading.
    shaded : the added column that is coloured by its level; its cells hold the word "Level" too.
    """
    # Its temporary files, which hold the texts, go into the same private folder as the file itself.
    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False}
    # Beside a text of many lines the other cells are looked for at its first.
    book = xlsxwriter.Workbook(str(path), options | {"default_format_properties": {"font_name": "Calibri", "font_size": 11, "valign": "top"}})
    try:
        book.set_properties({"title": "Scored examples", "created": datetime(2000, 1, 1)})  # the same rows give the same bytes
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        sheet = book.add_worksheet("Scored")
        sheet.freeze_panes(1, 0)
        for position, name in enumerate(columns):
            sheet.set_column(position, position, _WIDTHS.get(name, 12) if position >= input_columns else 18)
        for position, name in enumerate(columns):
            sheet.write_string(0, position, _fitting(name), bold)
        shade = columns.index(shaded, input_columns) if shaded in columns[input_columns:] else None
        number, reading = _write_rows(book, sheet, input_columns, scored, shade)
        for position in reading:
            sheet.set_column(position, position, _READING_WIDTH)
        sheet.autofilter(0, 0, max(1, number), len(columns) - 1)
        _write_summary(book, summary())
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise error.args[0] if error.args and isinstance(error.args[0], OSError) else OSError(str(error)) from error


def _write_rows(book: Any, sheet: Any, input_columns: int, scored: Iterator[Scored], shade: int | None) -> tuple[int, set[int]]:
    """Write all rows; how many there are, and the input's columns that hold texts to be read."""
    formats: dict[str, Any] = {}
    levels = [book.add_format({"num_format": '"Level "0', "bg_color": colour, "font_color": "#000000"}) for colour in _LEVEL_COLOURS]
    wrapped = book.add_format({"text_wrap": True})
    number, reading = 0, set()
    for part in scored:
        for cells, added in zip(part.chunk.cells, part.added, strict=True):
            number += 1
            for position, cell in enumerate((*cells, *added)):
                if position == shade and isinstance(cell, int):
                    sheet.write_number(number, position, cell, levels[min(cell, len(levels) - 1)])
                elif position < input_columns and isinstance(cell, str) and len(cell) > _READING_WIDTH:
                    sheet.write_string(number, position, _fitting(cell), wrapped)
                    reading.add(position)
                else:
                    _write_cell(book, sheet, number, position, cell, formats)
    return number, reading


def _write_cell(book: Any, sheet: Any, row: int, column: int, cell: Any, formats: dict[str, Any]) -> None:
    value, shown = (cell.value, cell.number_format) if isinstance(cell, Shown) else (cell, None)
    if shown is None and isinstance(value, date | time):
        shown = "yyyy-mm-dd hh:mm:ss" if isinstance(value, datetime) else "hh:mm:ss" if isinstance(value, time) else "yyyy-mm-dd"
    if shown is not None and shown not in formats:
        formats[shown] = book.add_format({"num_format": shown})
    form = formats[shown] if shown is not None else None
    if value is None or value != value:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float) and abs(value) < 1e15:  # beyond, a workbook would round the last digits
        sheet.write_number(row, column, value, form)
    elif isinstance(value, timedelta) or (isinstance(value, date | time) and _representable(value)):
        sheet.write_datetime(row, column, value, form)
    else:
        sheet.write_string(row, column, _fitting(as_text(cell)))


def _representable(value: date | time) -> bool:
    if isinstance(value, time):
        return value.tzinfo is None
    if isinstance(value, datetime):
        return value.tzinfo is None and value >= _FIRST_DATE
    return value >= _FIRST_DATE.date()


def _fitting(text: str) -> str:
    text = encodable(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - len(_CUT)] + _CUT


def _write_summary(book: Any, lines: Sequence[tuple[str, object]]) -> None:
    sheet = book.add_worksheet("Summary")
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 24)
    heading, wrapped = book.add_format({"bold": True, "text_wrap": True}), book.add_format({"text_wrap": True, "valign": "top"})
    for row, (name, value) in enumerate(lines):
        sheet.write_string(row, 0, _fitting(name), heading if value == "" else wrapped)
        if isinstance(value, int | float):
            sheet.write_number(row, 1, value)
        elif value != "":
            sheet.write_string(row, 1, _fitting(str(value)))
