"""A folder of documents as a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from files import docx_of, pdf_of, with_part

from classifier.errors import InputError
from classifier.folder import open_folder

BOMB = with_part(docx_of("x"), "word/media/a.xml", b" " * 5_000_000)


def test_each_file_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes("été".encode("cp1252"))
    (tmp_path / "a.txt").write_text("\ufeffplain", "utf-8")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "c.TXT").write_text("wide", "utf-16")
    (tmp_path / "d.txt").write_bytes(b"\0\xff\xff")
    (tmp_path / "e.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.txt").write_text("no", "utf-8")
    (tmp_path / "link.txt").symlink_to("/etc/hostname")
    table = open_folder(tmp_path)
    chunk = next(table.read())
    assert table.columns == ("file", "text") and table.total == 5
    assert [list(row) for row in chunk.cells] == [["a.txt", "plain"], ["b.txt", "été"], ["d.txt", ""], ["e.png", ""], ["in/c.TXT", "wide"]]
    assert chunk.faults == [None, None, "error: d.txt: this is a binary file, not text", "error: the file is no .txt, .docx or .pdf document", None]


def test_word_and_pdf_documents_are_read_and_damaged_ones_cost_their_own_row(tmp_path: Path) -> None:
    line = "A client asked for her balance and I told her what it was."
    (tmp_path / "a.docx").write_bytes(docx_of(line, "She was glad."))
    (tmp_path / "b.pdf").write_bytes(pdf_of(line))
    (tmp_path / "c.docx").write_bytes(docx_of(line)[:-200])
    (tmp_path / "d.pdf").write_bytes(b"%PDF-1.7 nothing")
    (tmp_path / "e.docx").write_bytes(BOMB)
    (tmp_path / "f.txt").write_bytes(docx_of(line))  # what a file is, its bytes say
    chunk = next(open_folder(tmp_path).read())
    assert [row[1] for row in chunk.cells] == [f"{line}\nShe was glad.", line, "", "", "", line]
    assert [fault is None for fault in chunk.faults] == [True, True, False, False, False, True]
    assert all(str(chunk.faults[i]).startswith(f"error: {name}: ") for i, name in ((2, "c.docx"), (3, "d.pdf"), (4, "e.docx")))
    assert "the limit is 100 times" in str(chunk.faults[4])


def test_a_file_that_is_too_large_costs_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x" * 50, "utf-8")
    monkeypatch.setattr("classifier.folder.MAX_BYTES", 10)
    assert next(open_folder(tmp_path).read()).faults[0] == "error: the file is larger than 0 MB"


def test_a_folder_without_documents_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds no \.txt, \.docx or \.pdf file"):
        open_folder(tmp_path)
