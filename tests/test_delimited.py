"""What a CSV file is taken for: its encoding and its delimiter, and that each is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.delimited import harmless, open_delimited
from classifier.errors import InputError
from classifier.rows import CHUNK

ROWS = 'id{d}réponse{d}n\r\n1{d}"l\'été, c\'est; tout|\tfini"{d}x\r\n2{d}"deux\r\nlignes"{d}y\r\n'


@pytest.mark.parametrize(("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 with a mark"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"), ("utf-16-be", "UTF-16-BE"),
        ("utf-32", "UTF-32"), ("cp1252", "Windows-1252"),
    ],
)  # fmt: skip
def test_delimiter_and_encoding_are_found_and_named(tmp_path: Path, delimiter: str, name: str, encoding: str, shown: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(ROWS.format(d=delimiter).encode(encoding))
    table = open_delimited(path)
    assert table.described == f"CSV, {shown}, {name}"
    assert table.columns == ("id", "réponse", "n") and table.total == 2
    assert [list(row) for chunk in table.read() for row in chunk.cells] == [["1", "l'été, c'est; tout|\tfini", "x"], ["2", "deux\r\nlignes", "y"]]


def test_a_single_column_of_sentences_keeps_its_commas(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("answer\nI called, and she was glad.\nI wrote.\nI called, wrote, and waited.\n", "utf-8")
    table = open_delimited(path)
    assert [row[0] for chunk in table.read() for row in chunk.cells] == ["I called, and she was glad.", "I wrote.", "I called, wrote, and waited."]


def test_a_tsv_file_is_cut_at_tabs_whatever_else_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "in.tsv"
    path.write_text("a,b,c\td\n1,2,3\t4\n", "utf-8")
    assert open_delimited(path).columns == ("a,b,c", "d")


def test_bytes_without_a_letter_in_windows_1252_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\ncaf\xe9 \x81,1\n")
    assert next(open_delimited(path).read()).cells == [["café \x81", "1"]]


def test_cells_beyond_the_header_are_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a,b\n1,2\n3\n4,5,6,7\n", "utf-8")
    table = open_delimited(path)
    chunk = next(table.read())
    assert table.columns == ("a", "b", "column 3", "column 4")
    assert chunk.cells == [["1", "2", "", ""], ["3", "", "", ""], ["4", "5", "6", "7"]]
    assert chunk.faults == [None, None, "error: the row has 4 cells and the first row names 2"]


def test_rows_come_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a,b\n" + "1,2\n" * (2 * CHUNK + 1), "utf-8")
    table = open_delimited(path)
    assert [len(chunk.cells) for chunk in table.read()] == [CHUNK, CHUNK, 1]
    assert table.total == 2 * CHUNK + 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"), (b" \n", "the file is empty"), (b"PK\x03\x04abc", "a workbook or another zip file"), (b"%PDF-1.7", "a PDF file"),
        (bytes(range(32)) * 9, "this is a binary file"), (b"a,b\n\"" + b"x" * 10_000_001, "never closed"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_said(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_delimited(path)


@pytest.mark.parametrize(
    "text", ["=1", "+a", "-a", "@a", "\t", "\r", "\n=1", "＝1", "＋1", "－1", "＠a", " =1", "\u00a0=1", "\ufeff=1", "\0=1", "-1+1", "+1-613"]
)
def test_formulas_are_made_harmless(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a", "1", "-5", "+3.25", "-1,000.50", "-12%", "a=1", "'=1", "«-»"])
def test_what_is_no_formula_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text
