"""A file that a user hands over (.txt, .docx, .pdf) to its text. Every file is hostile until shown otherwise.

What a file is, its bytes say, not its name. Nothing is written to disk, no link in a file is followed, no macro is run
and no embedded file is opened.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.document import MAX_CHARACTERS
from classifier.errors import InputError

if TYPE_CHECKING:
    from docx.document import Document

MAX_BYTES = 10_000_000
MAX_EXPANDED = 100_000_000
MAX_RATIO = 100
MAX_MEMBERS = 1_000
PDF_SECONDS = 20

_NEEDED = "pip install '.[web]' in this program's folder"
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class TooLargeError(InputError):
    """A file over one of the limits."""


def read_upload(raw: bytes, name: str, otherwise: str | None = None) -> str:
    """Text of a file's bytes.

    Parameters
    ----------
    name : for messages only.
    otherwise : encoding of plain text that is not UTF-8; without one, such text is refused.

    Raises
    ------
    InputError
        When the file is no text, Word or PDF file, is damaged, holds no text, or is over a limit (`TooLargeError`).
    """
    if len(raw) > MAX_BYTES:
        raise TooLargeError(f"{name}: {len(raw):,} bytes, the limit is {MAX_BYTES:,}.")
    if raw.startswith(b"PK\x03\x04"):
        return docx_text(open_docx(raw, name))[0]
    if raw[:1024].lstrip().startswith(b"%PDF-"):
        return _pdf_text(raw, name)
    return _plain_text(raw, name, otherwise)


def _plain_text(raw: bytes, name: str, otherwise: str | None) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise InputError(f"{name}: damaged UTF-16 text; save the file as UTF-8.") from error
    if b"\0" in raw:
        raise InputError(f"{name}: this is a binary file, not text.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if otherwise is not None:
            return raw.decode(otherwise, "replace")
        row = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{name}: line {row} is not UTF-8 text; save the file as UTF-8.") from error


def _pdf_text(raw: bytes, name: str) -> str:
    program = [sys.executable, "-I", str(Path(__file__).with_name("pdf_text.py")), str(5 * MAX_CHARACTERS)]
    try:
        done = subprocess.run(program, input=raw, capture_output=True, timeout=PDF_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{name}: this PDF takes too long to read; paste its text instead.") from error
    if done.returncode == 3:
        raise InputError(f"{name}: reading PDF files needs pypdf: {_NEEDED}.")
    if done.returncode != 0:
        reason = done.stderr.decode("utf-8", "replace").strip() if done.returncode == 2 else "it needs too much time or memory"
        raise InputError(f"{name}: this PDF cannot be read: {reason}.")
    text = done.stdout.decode("utf-8")
    if not text.strip():
        raise InputError(f"{name}: this PDF holds no text (a scan?); paste the text instead.")
    return text


# Word ---------------------------------------------------------------------------------------------------------------


def open_docx(raw: bytes, name: str) -> Document:
    """The Word document in these bytes, after the archive and each XML part in it have been checked."""
    try:
        import docx
    except ImportError as error:
        raise InputError(f"{name}: reading Word files needs python-docx: {_NEEDED}.") from error
    _check_archive(raw, name)
    try:
        document = docx.Document(io.BytesIO(raw))
    except Exception as error:
        # A broken document raises whatever its breakage leads to; all of it means the same to the user.
        raise InputError(f"{name}: this is not a Word document (.docx), or it is damaged ({type(error).__name__}).") from error
    # Any XML can stand where the document should be, or a document without a body.
    if getattr(document.element, "body", None) is None:
        raise InputError(f"{name}: this is not a Word document (.docx), or it is damaged (it has no body).")
    return document


def _check_archive(raw: bytes, name: str) -> None:
    """Limits on what the archive expands to (zipfile never yields more than an entry declares), and no DTD in any part."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise TooLargeError(f"{name}: an archive of {len(members):,} parts, the limit is {MAX_MEMBERS:,}.")
            expanded = sum(member.file_size for member in members)
            if expanded > MAX_EXPANDED:
                raise TooLargeError(f"{name}: expands to {expanded:,} bytes, the limit is {MAX_EXPANDED:,}.")
            if expanded > MAX_RATIO * len(raw):
                raise TooLargeError(f"{name}: expands {expanded // len(raw)} times, the limit is {MAX_RATIO} times.")
            for member in members:
                if member.flag_bits & 1:
                    raise InputError(f"{name}: this document is locked with a password.")
                if member.filename.lower().endswith((".xml", ".rels")):
                    _check_xml(archive.read(member), f"{name}: {member.filename}")
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{name}: this is not a Word document (.docx), or it is damaged.") from error


def _check_xml(content: bytes, name: str) -> None:
    """No document type, hence no entities: neither nested (a bomb) nor external (another file). Word writes none."""
    plain = content.replace(b"\0", b"")  # UTF-16 as well
    encoding = _ENCODING.search(plain[:400])
    if encoding and encoding[1].lower() not in {b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii"}:
        raise InputError(f"{name}: an XML part in an encoding that Word does not write.")
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise InputError(f"{name}: an XML part with a document type, which Word does not write.")


@dataclass(frozen=True)
class RunSpan:
    """Where the text of one run of a Word document stands: ``text[start:end]`` is `element`'s."""

    element: Any
    start: int
    end: int


def docx_text(document: Document) -> tuple[str, list[RunSpan]]:
    """Text of a Word document as a reader sees it, and where each run stands in it.

    Paragraphs in the order of the file, those in tables included, one a line. Tracked insertions count, deletions do
    not, nor does hidden text. Headers, footers, notes and text boxes are left out.
    """
    parts: list[str] = []
    runs: list[RunSpan] = []
    position = 0
    for number, paragraph in enumerate(_paragraphs(document.element.body)):
        if number:
            parts.append("\n")
            position += 1
        for run in _runs(paragraph):
            text = "".join(run_characters(child) for child in run)
            if text:
                runs.append(RunSpan(run, position, position + len(text)))
                parts.append(text)
                position += len(text)
    return "".join(parts), runs


def run_characters(child: Any) -> str:
    """What one child of a run shows: its text, a tab, a line end; nothing for fields, pictures and note marks."""
    if child.tag == f"{_W}t":
        return child.text or ""
    return {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}.get(child.tag, "")


def _paragraphs(body: Any) -> Iterator[Any]:
    for paragraph in body.iter(f"{_W}p"):
        if not any(a.tag in {f"{_W}txbxContent", f"{_W}moveFrom", f"{_W}del"} for a in paragraph.iterancestors()):
            yield paragraph


def _runs(paragraph: Any) -> Iterator[Any]:
    for run in paragraph.iter(f"{_W}r"):
        between = list(_ancestors_below(run, paragraph))
        if not _hidden(run) and not any(a.tag in {f"{_W}del", f"{_W}moveFrom", f"{_W}txbxContent"} for a in between):
            yield run


def _hidden(run: Any) -> bool:
    """Whether the run itself is formatted as hidden text (w:vanish), which Word neither shows nor prints."""
    vanish = run.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(f"{_W}val") not in {"0", "false", "off"}


def _ancestors_below(element: Any, top: Any) -> Iterator[Any]:
    for ancestor in element.iterancestors():
        if ancestor is top:
            return
        yield ancestor
