"""CSV and TSV: delimiter and encoding found out, read in chunks, written so that no cell runs as a formula."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
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

# A byte that is not UTF-8, as `surrogateescape` keeps it, and any other character beyond ASCII.
_BAD_BYTE = re.compile(r"[\udc80-\udcff]")
_BEYOND_ASCII = re.compile(r"[^\0-\x7f\udc80-\udcff]")
# The line above the header by which Excel knows the delimiter, and which it does not show.
_ANNOUNCED = re.compile(r'"?sep=([,;\t|])"?(?=[\r\n]|\Z)', re.IGNORECASE)
# No file holds this character: it is half a surrogate pair, and not one that stands for a bad byte.
_END = "\udfff"

# What a spreadsheet takes for a formula (OWASP ASVS 1.2.10), also in full width, also after white space.
_SIGNS = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"[\s\0\ufeff\u200b]*{_SIGNS}|[\t\r\n\0]")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*%?")
# A program that cuts at another delimiter than the file's heeds no quotation within a line and begins a cell here. Directly after it only, since prose
# has a space there ("calls; - then"). A number stays where nothing is left to reckon: it reaches to the same delimiter, a closing bracket or the end.
_INNER_FORMULA = re.compile(rf"([,;\t|])(?={_SIGNS})(?!(?>{_NUMBER.pattern})(\1|[)\]}}]|\Z))")


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """Bytes without a character in Windows-1252 stand for the control characters of the same number, as browsers read them."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("control", _undefined)


@dataclass(frozen=True)
class _Form:
    """How a file is read; `announced` where a line above the header names the delimiter."""

    path: Path
    encoding: str
    delimiter: str
    announced: bool


def open_delimited(path: Path) -> Table:
    """A CSV or TSV file. Each cell stays the string that it was."""
    encoding = _encoding(path)
    tab = path.suffix.lower() == ".tsv"
    with _opened(path, encoding) as stream:
        sample = stream.read(_SAMPLE)
    _refuse_binary(path, sample)
    announced = _ANNOUNCED.match(sample)
    delimiter = announced[1] if announced else "\t" if tab else _delimiter(sample)
    form = _Form(path, encoding, delimiter, announced is not None)
    header, total, width = _measure(form)

    def read() -> Iterator[Chunk]:
        return _chunks(form, len(header), width)

    shown = {"utf-8-sig": "UTF-8 with a mark", "windows-1252": "Windows-1252"}.get(encoding, encoding.upper())
    described = f"{'TSV' if tab else 'CSV'}, {shown}, {_NAMES[delimiter]}"
    return Table(widened(header, width), total, described, read, delimiter=delimiter, marked=encoding != "utf-8")


def _encoding(path: Path) -> str:
    """UTF-8, -16 or -32 by their marks, UTF-16 by its zero bytes, UTF-8 where that reads more than it does not, else Windows-1252."""
    with path.open("rb") as stream:
        head = stream.read(_SAMPLE)
        if not head.strip():
            raise InputError(f"{path}: the file is empty; a first row with column names is needed.")
        for magic, name in _OTHERS.items():
            if head.startswith(magic):
                raise InputError(f"{path}: this is {name}, not a table of text; give it its right ending.")
        marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
        if marked is not None:
            return marked
        even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / max(1, len(head[1::2]))
        if max(even, odd) > 0.4 and min(even, odd) < 0.1:
            return "utf-16-le" if odd > even else "utf-16-be"
        stream.seek(0)
        return "utf-8" if _mostly_utf8(stream) else "windows-1252"


def _mostly_utf8(stream: BinaryIO) -> bool:
    """Whether the bytes beyond ASCII form at least as many characters of UTF-8 as bytes that are none.

    Text in Windows-1252 forms hardly any, so that one damaged row does not turn the others into other letters.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    while True:
        block = stream.read(1 << 20)
        text = decoder.decode(block, final=not block)
        good += len(_BEYOND_ASCII.findall(text))
        bad += len(_BAD_BYTE.findall(text))
        if not block:
            return good >= bad


def _opened(path: Path, encoding: str) -> IO[str]:
    errors = {"windows-1252": "control", "utf-8": "surrogateescape", "utf-8-sig": "surrogateescape"}.get(encoding, "replace")
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
        # A single column's text may end with a comma, which is no delimiter then.
        share = sum(len(_cut(row, width) if width > 1 else row) == width for row in rows) / len(rows)
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


def _records(form: _Form) -> Iterator[list[str]]:
    """Each row of the file, a blank line as a row without cells.

    One line more is read after the file's last: where it is not a row by itself, a quotation that was never closed has swallowed it.
    """
    csv.field_size_limit(_LONGEST_CELL)
    number = 1
    with _opened(form.path, form.encoding) as stream:
        if form.announced:
            stream.readline()
        try:
            for row in csv.reader(chain(stream, [f'"{_END}"']), delimiter=form.delimiter):
                if row == [_END]:
                    return
                if row and _END in row[-1]:
                    raise InputError(f"{form.path}: row {number} opens a quotation mark that is never closed; close it, or double it to keep it.")
                yield row
                number += 1
        except csv.Error as error:
            raise InputError(f"{form.path}: row {number} is no row of a table ({error}); a quotation mark is probably never closed.") from error


def _rows(form: _Form) -> Iterator[list[str]]:
    """The header, then the rows below it.

    A blank line between rows is an empty cell where there is one column, and nothing where there are several; after the last row it is nothing.
    """
    records = _records(form)
    header = next(filter(None, records), None)
    if header is None:
        raise InputError(f"{form.path}: the file is empty; a first row with column names is needed.")
    yield [encodable(name) for name in header]
    blank = 0
    for row in records:
        if not row:
            blank += 1
            continue
        if len(header) == 1:
            yield from repeat([""], blank)
        blank = 0
        yield _cut(row, len(header))


def _cut(row: list[str], named: int) -> list[str]:
    """The row without empty cells beyond the named ones: a delimiter at the end of a line makes them, and they hold nothing."""
    filled = max((position for position, cell in enumerate(row, 1) if cell), default=0)
    return row[: max(named, filled)]


def _measure(form: _Form) -> tuple[list[str], int, int]:
    """The header, the number of rows below it, and the width of the widest row."""
    rows = _rows(form)
    header = next(rows)
    total, width = 0, len(header)
    for row in rows:
        total, width = total + 1, max(width, len(row))
    return header, total, width


def _chunks(form: _Form, named: int, width: int) -> Iterator[Chunk]:
    cells: list[list[str]] = []
    faults: list[str | None] = []
    rows = _rows(form)
    next(rows)
    for row in rows:
        faults.append(_fault(row, named))
        cells.append([encodable(cell) for cell in row] + [""] * (width - len(row)))
        if len(cells) == CHUNK:
            yield Chunk(cells, faults)
            cells, faults = [], []
    if cells:
        yield Chunk(cells, faults)


def _fault(row: list[str], named: int) -> str | None:
    if any(_BAD_BYTE.search(cell) for cell in row):
        return "error: the row holds bytes that are not UTF-8, as the rest of the file is"
    # Too many cells mean that a delimiter inside a cell cut it, so the text may be half a text.
    return f"error: the row has {len(row)} cells and the first row names {named}" if len(row) > named else None


def harmless(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would take for a formula, wherever it cuts cells; plain numbers stay.

    >>> [harmless(text) for text in ("=1+1", "-12.5", "- sent the form", "plain", "a;=1+1")]
    ["'=1+1", '-12.5', "'- sent the form", 'plain', "a;'=1+1"]
    """
    if _NUMBER.fullmatch(text):
        return text
    return ("'" if _FORMULA.match(text) else "") + _INNER_FORMULA.sub(r"\1'", text)


def write_delimited(path: Path, columns: Sequence[str], scored: Iterator[Scored], delimiter: str, marked: bool) -> None:
    """Write CSV or TSV in UTF-8; `marked` puts the mark before it by which Excel knows UTF-8."""
    with path.open("w", encoding="utf-8-sig" if marked else "utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator="\r\n")
        writer.writerow([harmless(encodable(name)) for name in columns])
        for part in scored:
            for cells, added in zip(part.chunk.cells, part.added, strict=True):
                writer.writerow([harmless(encodable(as_text(cell))) for cell in (*cells, *added)])
