"""What a CSV file is taken for: its encoding and its delimiter, and that each is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.delimited import harmless, open_delimited
from classifier.errors import InputError
from classifier.rows import CHUNK, Table

ROWS = 'id{d}réponse{d}n\r\n1{d}"l\'été, c\'est; tout|\tfini"{d}x\r\n2{d}"deux\r\nlignes"{d}y\r\n'


def opened(path: Path, content: bytes) -> Table:
    path.write_bytes(content)
    return open_delimited(path)


def rows_of(table: Table) -> list[list[str]]:
    rows = [list(row) for chunk in table.read() for row in chunk.cells]
    assert len(rows) == table.total
    return rows


def faults_of(table: Table) -> list[str | None]:
    return [fault for chunk in table.read() for fault in chunk.faults]


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


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [b"", b"\n"])
@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b'id,answer\n1,"I called.\n2,I wrote.\n3,I waited.', 2), (b'id,answer\n1,"I\ncalled."\n\n2,I wrote.\n3,"I said ""when?""', 5),
        (b'answer\nI called.\n"', 3), (b'answer\n"""', 2), (b'"answer\nI called.', 1), (b'sep=,\nid,answer\n1,"I called.', 2),
    ],
)  # fmt: skip
def test_a_quotation_mark_that_is_never_closed_is_said_with_its_row(tmp_path: Path, content: bytes, row: int, last: bytes, line_end: bytes) -> None:
    path = tmp_path / "in.csv"
    with pytest.raises(InputError) as raised:
        opened(path, (content + last).replace(b"\n", line_end))
    assert str(raised.value) == f"{path}: row {row} opens a quotation mark that is never closed; close it, or double it to keep it."


@pytest.mark.parametrize(
    ("last", "text"), [(b'"x"', "x"), (b'"x"""', 'x"'), (b'"x\n"""', 'x\n"'), (b'5" pipe"', '5" pipe"'), (b'""', ""), (b'"x" and "y', 'x and "y')]
)
def test_a_quotation_that_is_closed_at_the_very_end_is_whole(tmp_path: Path, last: bytes, text: str) -> None:
    assert rows_of(opened(tmp_path / "in.csv", b"a,b\n1," + last)) == [["1", text]]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_blank_lines_of_a_single_column_are_empty_cells(tmp_path: Path, line_end: bytes) -> None:
    table = opened(tmp_path / "in.csv", b'\nanswer\n\nI called.\n\n\nI wrote.\n""\n\n\n'.replace(b"\n", line_end))
    assert rows_of(table) == [[""], ["I called."], [""], [""], ["I wrote."], [""]]
    assert faults_of(table) == [None] * 6


def test_blank_lines_between_rows_of_several_cells_are_no_rows(tmp_path: Path) -> None:
    table = opened(tmp_path / "in.csv", b"\na,b\n\n1,2\n\n\n3,4\n\n")
    assert rows_of(table) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(("mark", "shown"), [(b"", "UTF-8"), (b"\xef\xbb\xbf", "UTF-8 with a mark")])
def test_a_row_with_bytes_that_are_not_utf8_leaves_the_others_as_they_are(tmp_path: Path, mark: bytes, shown: str) -> None:
    table = opened(tmp_path / "in.csv", mark + "id,answer\n1,café\n".encode() + b"2,caf\xe9\n3,tea\n")
    assert table.described == f"CSV, {shown}, comma"
    assert rows_of(table) == [["1", "café"], ["2", "caf\ufffd"], ["3", "tea"]]
    assert faults_of(table) == [None, "error: the row holds bytes that are not UTF-8, as the rest of the file is", None]


def test_a_mark_means_utf8_even_where_most_bytes_are_not(tmp_path: Path) -> None:
    table = opened(tmp_path / "in.csv", b"\xef\xbb\xbfid,r\xe9ponse\n1,\xe9t\xe9\n2,tea\n")
    assert table.columns == ("id", "r\ufffdponse")
    assert [fault is None for fault in faults_of(table)] == [False, True]


def test_windows_1252_stays_so_where_two_of_its_letters_happen_to_be_utf8(tmp_path: Path) -> None:
    table = opened(tmp_path / "in.csv", "id,réponse\n1,«\u00a0CAFÉ»\n2,été\n".encode("cp1252"))
    assert rows_of(table) == [["1", "«\u00a0CAFÉ»"], ["2", "été"]]
    assert faults_of(table) == [None, None]


def test_utf8_is_counted_beyond_a_block(tmp_path: Path) -> None:
    table = opened(tmp_path / "in.csv", b"id,answer\n1,x\xe9\n" + "2,é\n".encode() * 300_000)
    assert table.described == "CSV, UTF-8, comma"
    assert faults_of(table)[1:] == [None] * 300_000


@pytest.mark.parametrize("header", [b"a,b", b"a,b,"])
def test_a_delimiter_at_the_end_of_a_line_makes_no_cell(tmp_path: Path, header: bytes) -> None:
    table = opened(tmp_path / "in.csv", header + b"\n1,2,\n3,4,,,\n,,\n5,,,x,\n")
    width = header.count(b",") + 1
    assert table.columns == ("a", "b", *["", "column 3"][3 - width : 4 - width], "column 4")
    assert rows_of(table) == [["1", "2", "", ""], ["3", "4", "", ""], ["", "", "", ""], ["5", "", "", "x"]]
    assert faults_of(table) == [None, None, None, f"error: the row has 4 cells and the first row names {width}"]


def test_rows_that_all_end_with_a_delimiter_do_not_hide_it(tmp_path: Path) -> None:
    table = opened(tmp_path / "in.csv", b"id;answer\n1;I called, and she was glad.;\n2;I wrote, then waited.;\n")
    assert table.columns == ("id", "answer") and table.delimiter == ";"
    assert faults_of(table) == [None, None]


def test_a_single_column_of_texts_that_end_with_a_comma_keeps_it(tmp_path: Path) -> None:
    assert rows_of(opened(tmp_path / "in.csv", b"answer\nI called,\nI wrote,\n")) == [["I called,"], ["I wrote,"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("first", ["sep={}", '"sep={}"', "SEP={}"])
@pytest.mark.parametrize("name", ["in.csv", "in.tsv"])
def test_the_line_by_which_excel_knows_the_delimiter_is_heeded_and_left_out(tmp_path: Path, delimiter: str, encoding: str, first: str, name: str) -> None:
    content = f'{first.format(delimiter)}\r\nid{delimiter}answer\r\n1{delimiter}"a, b; c"\r\n'
    table = opened(tmp_path / name, content.encode(encoding))
    assert table.columns == ("id", "answer") and table.delimiter == delimiter
    assert rows_of(table) == [["1", "a, b; c"]]


def test_rows_come_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("a,b\n" + "1,2\n" * (2 * CHUNK + 1), "utf-8")
    table = open_delimited(path)
    assert [len(chunk.cells) for chunk in table.read()] == [CHUNK, CHUNK, 1]
    assert table.total == 2 * CHUNK + 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"), (b" \n", "the file is empty"), (b"sep=;", "the file is empty"), (b"sep=;\n\n", "the file is empty"),
        (b"PK\x03\x04abc", "a workbook or another zip file"), (b"%PDF-1.7", "a PDF file"),
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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;=1+1", "a;'=1+1"), ("a,=1+1", "a,'=1+1"), ("a\t=1+1", "a\t'=1+1"), ("a|@x;-y", "a|'@x;'-y"), ("a;＝1", "a;'＝1"), (";=1", ";'=1"),
        ("=1;=2", "'=1;'=2"), ("a;-1+1", "a;'-1+1"), ("a;-1,5+1", "a;'-1,5+1"), ("a;-1,b+1", "a;'-1,b+1"),
    ],
)  # fmt: skip
def test_formulas_are_harmless_for_programs_that_cut_at_another_delimiter(text: str, written: str) -> None:
    assert harmless(text) == written
    assert harmless(written) == written


@pytest.mark.parametrize("text", ["calls; - then", "well, - no", "45.5,-73.6", "(45.5,-73.6)", '{"a":[1,-2]}', "1|-2|3", "anna@b.ca;bob@b.ca", "a=1;b=2"])
def test_prose_and_numbers_between_delimiters_are_left_as_they_are(text: str) -> None:
    assert harmless(text) == text
