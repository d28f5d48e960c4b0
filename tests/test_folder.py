"""A folder of documents as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.folder import open_folder


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
    assert chunk.faults == [None, None, "error: the file is binary, not text", "error: the file is no .txt, .docx or .pdf document", None]


def test_a_file_that_is_too_large_costs_its_own_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("x" * 50, "utf-8")
    monkeypatch.setattr("classifier.folder.LARGEST", 10)
    assert next(open_folder(tmp_path).read()).faults[0] == "error: the file is larger than 0 MB"


def test_a_folder_without_documents_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds no \.txt, \.docx or \.pdf file"):
        open_folder(tmp_path)
