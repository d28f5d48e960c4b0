"""A folder of documents as a table: a row a file, in the order of their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifier.errors import InputError
from classifier.rows import CHUNK, Chunk, Table
from classifier.uploads import MAX_BYTES, read_upload

_KINDS = (".txt", ".docx", ".pdf")


def open_folder(path: Path) -> Table:
    """All files of the folder and the folders in it (but hidden ones), with the columns `file` and `text`."""
    files = sorted(
        found for found in path.rglob("*") if found.is_file() and not found.is_symlink() and not any(p.startswith(".") for p in found.relative_to(path).parts)
    )
    if not any(found.suffix.lower() in _KINDS for found in files):
        raise InputError(f"{path}: this folder holds no .txt, .docx or .pdf file.")

    def read() -> Iterator[Chunk]:
        for first in range(0, len(files), CHUNK):
            cells, faults = [], []
            for file in files[first : first + CHUNK]:
                text, fault = "", None
                try:
                    text = document_text(file)
                except InputError as error:
                    fault = f"error: {str(error).rstrip('.')}"
                except OSError as error:
                    fault = f"error: cannot be read ({error.strerror})"
                cells.append([file.relative_to(path).as_posix(), text])
                faults.append(fault)
            yield Chunk(cells, faults)

    return Table(("file", "text"), len(files), "a folder of documents", read, first_row=1)


def document_text(path: Path) -> str:
    """The text of one document, by the same reader as the page's: what a file is, its bytes say.

    Text that is not UTF-8 is taken for Windows-1252, as in tables.
    """
    if path.suffix.lower() not in _KINDS:
        raise InputError("the file is no .txt, .docx or .pdf document")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"the file is larger than {MAX_BYTES // 1_000_000} MB")
    return read_upload(path.read_bytes(), path.name, otherwise="windows-1252")
