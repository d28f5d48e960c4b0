"""CSV and TSV: delimiter and encoding found out, read in chunks, written so that no cell runs as a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

from classifier.errors import InputError
from classifier.rows import CHUNK, Chunk, Scored, Table, as_text, encodable, widened

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_OTHERS = {b"PK\x03\x04": "a workbook or another zip file", b"%PDF": "a PDF file", b"PAR1": "a Parquet file", b"\xd0\xcf\x11\xe0": "an old Excel or Word file"}
_SAMPLE = 65_536
_LONGEST_CELL = 10_000_000

# What a spreadsheet takes for a formula (OWASP ASVS 1.2.10), also in full width, also after white space.
_FORMULA = re.compile(r"[\s\0\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """Bytes without a character in Windows-1252 stand for the control characters of the same number, as browsers read them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("control", _undefined)


def open_delimited(path: Path) -> Table:
    """A CSV or TSV file. Each cell stays the string that it was."""
    encoding = _encoding(path)
    tab = path.suffix.lower() == ".tsv"
    with _opened(path, encoding) as stream:
        sample = stream.read(_SAMPLE)
    _refuse_binary(path, sample)
    delimiter = "\t" if tab else _delimiter(sample)
    header, total, width = _measure(path, encoding, delimiter)

    def read() -> Iterator[Chunk]:
        return _chunks(path, encoding, delimiter, len(header), width)

    shown = {"utf-8-sig": "UTF-8 with a mark", "windows-1252": "Windows-1252"}.get(encoding, encoding.upper())
    described = f"{'TSV' if tab else 'CSV'}, {shown}, {_NAMES[delimiter]}"
    return Table(widened(header, width), total, described, read, delimiter=delimiter, marked=encoding != "utf-8")


def _encoding(path: Path) -> str:
    """UTF-8, -16 or -32 by their marks, UTF-16 by its zero bytes, UTF-8 where the whole file is, else Windows-1252."""
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE)
        if not head.strip():
            raise InputError(f"{path}: the file is empty; a first row with column names is needed.")
        for magic, name in _OTHERS.items():
            if head.startswith(magic):
                raise InputError(f"{path}: this is {name}, not a table of text; give it its right ending.")
        marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
        if marked not in {None, "utf-8-sig"}:
            return str(marked)
        even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / max(1, len(head[1::2]))
        if max(even, odd) > 0.4 and min(even, odd) < 0.1:
            return "utf-16-le" if odd > even else "utf-16-be"
        stream.seek(0)
        row = _first_row_not_utf8(stream)
    if marked is not None and row is not None:
        raise InputError(f"{path}: row {row} is not UTF-8 text, though the file begins as UTF-8; save the table as CSV UTF-8.")
    return marked or ("utf-8" if row is None else "windows-1252")


def _first_row_not_utf8(stream: BinaryIO) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    row = 1
    while True:
        block = stream.read(1 << 20)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            return row + error.object[: error.start].count(b"\n")
        if not block:
            return None
        row += block.count(b"\n")


def _opened(path: Path, encoding: str) -> IO[str]:
    errors = {"windows-1252": "control", "utf-8": "strict", "utf-8-sig": "strict"}.get(encoding, "replace")
    return path.open(encoding=encoding, errors=errors, newline="")


def _refuse_binary(path: Path, sample: str) -> None:
    controls = sum(character < " " and character not in "\t\r\n\f" for character in sample)
    if controls > 0.3 * len(sample):
        raise InputError(f"{path}: this is a binary file, not a table of text.")


def _delimiter(sample: str) -> str:
    """The delimiter by which most of the first rows have as many cells as the header, and more than one.

    In doubt the one by which quotation marks close where they should.
    """

    def fit(delimiter: str) -> tuple[bool, bool, float, int]:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row][:200]
        except csv.Error:
            return False, False, 0.0, 0
        if len(sample) >= _SAMPLE and len(rows) > 2:
            rows.pop()  # cut off in its middle
        if not rows:
            return False, False, 0.0, 0
        width = len(rows[0])
        share = sum(len(row) == width for row in rows) / len(rows)
        return width > 1 and share >= 0.5, _closes(sample, delimiter), share, width

    csv.field_size_limit(_LONGEST_CELL)
    return max(_NAMES, key=fit)


def _closes(sample: str, delimiter: str) -> bool:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
    try:
        for _ in reader:
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)  # the sample ends inside a cell
    return True


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_CELL)
    with _opened(path, encoding) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        number = 0
        while True:
            number += 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise InputError(f"{path}: row {number} is no row of a table ({error}); a quotation mark is probably never closed.") from error
            if row:
                yield row


def _measure(path: Path, encoding: str, delimiter: str) -> tuple[list[str], int, int]:
    """The header, the number of rows below it, and the width of the widest row."""
    rows = _rows(path, encoding, delimiter)
    header = next(rows, None)
    if header is None:
        raise InputError(f"{path}: the file is empty; a first row with column names is needed.")
    total, width = 0, len(header)
    for row in rows:
        total, width = total + 1, max(width, len(row))
    return header, total, width


def _chunks(path: Path, encoding: str, delimiter: str, named: int, width: int) -> Iterator[Chunk]:
    cells: list[list[str]] = []
    faults: list[str | None] = []
    rows = _rows(path, encoding, delimiter)
    next(rows)
    for row in rows:
        # Too many cells mean that a delimiter inside a cell cut it, so the text may be half a text.
        faults.append(f"error: the row has {len(row)} cells and the first row names {named}" if len(row) > named else None)
        cells.append(row + [""] * (width - len(row)))
        if len(cells) == CHUNK:
            yield Chunk(cells, faults)
            cells, faults = [], []
    if cells:
        yield Chunk(cells, faults)


def harmless(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula; plain numbers stay.

    >>> [harmless(text) for text in ("=1+1", "-12.5", "- sent the form", "plain")]
    ["'=1+1", '-12.5', "'- sent the form", 'plain']
    """
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def write_delimited(path: Path, columns: Sequence[str], scored: Iterator[Scored], delimiter: str, marked: bool) -> None:
    """Write CSV or TSV in UTF-8; `marked` puts the mark before it by which Excel knows UTF-8."""
    with path.open("w", encoding="utf-8-sig" if marked else "utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow([harmless(encodable(name)) for name in columns])
        for part in scored:
            for cells, added in zip(part.chunk.cells, part.added, strict=True):
                writer.writerow([harmless(encodable(as_text(cell))) for cell in (*cells, *added)])
