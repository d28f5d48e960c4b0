"""Workbooks: what was in the cells stays, nothing runs, and the file is one that a person wants to open."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from files import part, with_part
from stub_assessor import StubAssessor

import classifier.cli
from classifier.cli import main
from classifier.errors import InputError
from classifier.excel import LONGEST_CELL, MOST_ROWS
from classifier.rows import as_text
from classifier.tables import open_table

GOOD = "A client asked for her balance, so I looked it up and called her back the same day."
PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(1,1)", "\t=1+1", "\r=1+1", "＝1+1", "＋1+1", "－1+1", "＠SUM(1,1)",
    '=HYPERLINK("http://example.com","x")', "=cmd|' /C calc'!A0",
)  # fmt: skip


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: StubAssessor())


@pytest.fixture
def book(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Export"
    sheet.append(["id", "number", "hired", "at", "share", "answer", "text id"])
    for row in range(2, 6):
        sheet.append([row, 7, date(2023, 5, row), datetime(2023, 5, row, 13, 30), 0.25, GOOD if row != 4 else None, "007"])
        sheet.cell(row, 2).number_format = "000"
        sheet.cell(row, 5).number_format = "0%"
    made.create_sheet("Other").append(["answer"])
    made["Other"].append([GOOD])
    made.save(tmp_path / "in.xlsx")
    return tmp_path / "in.xlsx"


def patch(path: Path, pattern: str, replacement: str) -> None:
    """Change the XML of the first sheet to what another program might have written; the pattern must occur in it."""
    name = "xl/worksheets/sheet1.xml"
    changed, times = re.subn(pattern, replacement, part(path.read_bytes(), name).decode())
    assert times
    path.write_bytes(with_part(path.read_bytes(), name, changed.encode()))


def read(path: Path) -> list[list[str]]:
    return [[as_text(cell) for cell in row] for chunk in open_table(path).read() for row in chunk.cells]


def made_of(path: Path, *rows: list[object]) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.save(path)
    return path


def test_a_person_can_read_the_result(book: Path) -> None:
    target = book.with_name("out.xlsx")
    assert main(["score", str(book), str(target)]) == 3
    made = openpyxl.load_workbook(target)
    assert made.sheetnames == ["Scored", "Summary"]
    sheet = made["Scored"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:V5"
    header = [cell.value for cell in sheet[1]]
    level = sheet.cell(2, header.index("level") + 1)
    assert isinstance(level.value, int) and level.number_format == '"Level "0' and level.fill.fgColor.rgb != "00000000"
    assert sheet.column_dimensions["A"].width and sheet.column_dimensions["A"].width > 9
    summary = {row[0].value: row[1].value for row in made["Summary"].iter_rows()}
    assert summary["Rows"] == 4 and summary["Scored"] == 3 and summary["ok"] == 3 and summary["refused: empty"] == 1
    assert any("A person decides" in str(name) for name in summary)


def test_dates_and_leading_zeros_are_untouched(book: Path) -> None:
    main(["score", str(book), str(book.with_name("out.xlsx"))])
    before, after = openpyxl.load_workbook(book)["Export"], openpyxl.load_workbook(book.with_name("out.xlsx"))["Scored"]
    for row in range(1, 6):
        for column in range(1, 8):
            old, new = before.cell(row, column), after.cell(row, column)
            assert (new.value, new.number_format) == (old.value, old.number_format)
    main(["score", str(book), str(book.with_name("out.csv"))])
    with book.with_name("out.csv").open(newline="", encoding="utf-8-sig") as stream:
        first = next(csv.DictReader(stream))
    assert [first[k] for k in ("number", "hired", "at", "text id")] == ["007", "2023-05-02", "2023-05-02T13:30:00", "007"]


def test_the_chosen_sheet(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(book), str(book.with_name("out.csv")), "--sheet", "Other"]) == 0
    assert "XLSX, sheet 'Other' of 2, 1 rows" in capsys.readouterr().err
    assert main(["score", str(book), str(book.with_name("out.csv")), "--sheet", "Nowhere"]) == 1
    assert "there is no sheet 'Nowhere'; it has 'Export', 'Other'." in capsys.readouterr().err


def test_the_same_bytes_each_time(book: Path) -> None:
    main(["score", str(book), str(book.with_name("one.xlsx"))])
    main(["score", str(book), str(book.with_name("two.xlsx"))])
    assert book.with_name("one.xlsx").read_bytes() == book.with_name("two.xlsx").read_bytes()


def test_odd_values_find_a_cell(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    long = "y" * (LONGEST_CELL + 5)
    odd = f'{{"answer": "{GOOD}", "a": "\\ud83d", "b": NaN, "c": 123456789012345678901, "d": [1, {{"x": null}}], "e": "\\u0000\\u0007", "f": "{long}"}}\n'
    source.write_text(odd, "utf-8")
    assert main(["score", str(source), str(tmp_path / "out.xlsx"), "--text", "answer"]) == 0
    row = [cell.value for cell in openpyxl.load_workbook(tmp_path / "out.xlsx")["Scored"][2]]
    assert row[1:5] == ["\ufffd", None, "123456789012345678901", '[1, {"x": null}]']
    assert len(row[6]) == LONGEST_CELL and row[6].endswith("holds no more]")


def test_times_and_early_dates(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["answer", "at"])
    made.active.append([GOOD, time(9, 5)])
    made.save(tmp_path / "in.xlsx")
    assert main(["score", str(tmp_path / "in.xlsx"), str(tmp_path / "out.xlsx")]) == 0
    assert openpyxl.load_workbook(tmp_path / "out.xlsx")["Scored"].cell(2, 2).value == time(9, 5)


def test_a_formula_is_never_written(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["=1+1", "answer"], *([payload, GOOD] for payload in PAYLOADS)])
    main(["score", str(source), str(tmp_path / "out.xlsx")])
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Scored"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    main(["score", str(source), str(tmp_path / "out.csv")])
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as stream:
        first = [row[0] for row in csv.reader(stream)]
    assert all(cell.startswith("'") for cell in first)
    assert [cell.replace("'", "") for cell in first] == ["=1+1", *(payload.replace("'", "") for payload in PAYLOADS)]


def has_calc() -> bool:
    office = shutil.which("soffice")
    return office is not None and (Path(office).resolve().parent / "libsclo.so").is_file()


@pytest.mark.skipif(not has_calc(), reason="LibreOffice Calc is not installed")
@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_libreoffice_opens_twelve_payloads_as_text(tmp_path: Path, ending: str) -> None:
    source = tmp_path / "in.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["payload", "answer"], *([payload, GOOD] for payload in PAYLOADS)])
    main(["score", str(source), str(tmp_path / f"out{ending}"), "--columns", "level"])
    (tmp_path / "shown").mkdir()
    where = f"-env:UserInstallation=file://{tmp_path}/profile"
    # 76 is UTF-8; "formulas as shown, evaluated" is what a user gets who opens the file and confirms the dialog.
    importing = ["--infilter=CSV:44,34,76,1"] if ending == ".csv" else []
    command = ["soffice", where, "--headless", *importing, "--convert-to", "fods", "--outdir", str(tmp_path / "shown"), str(tmp_path / f"out{ending}")]
    done = subprocess.run(command, capture_output=True, timeout=240)
    shown = (tmp_path / "shown" / "out.fods").read_text("utf-8")
    assert done.returncode == 0 and "table:formula=" not in shown
    assert shown.count('office:value-type="string"') >= 2 * len(PAYLOADS)
    for payload in PAYLOADS:
        words = payload.strip().replace("&", "&amp;").replace("'", "&apos;").replace('"', "&quot;")
        assert words in shown or payload.strip() in shown or words.replace("&apos;", "'").replace("&quot;", '"') in shown


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"no zip at all"])
def test_a_broken_workbook_is_one_sentence(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.xlsx").write_bytes(content)
    assert main(["score", str(tmp_path / "in.xlsx"), str(tmp_path / "out.csv")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_zip_that_is_no_workbook_and_one_that_would_fill_the_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "in.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"0" * 1_000_000)
    assert main(["score", str(tmp_path / "in.xlsx"), str(tmp_path / "out.csv")]) == 1
    assert "not a workbook that can be read" in capsys.readouterr().err
    monkeypatch.setattr("classifier.excel._EXPANDED", 900_000)
    assert main(["score", str(tmp_path / "in.xlsx"), str(tmp_path / "out.csv")]) == 1
    assert "unpacked, this workbook would be larger" in capsys.readouterr().err


def test_blank_rows_in_the_middle_are_kept_and_at_the_end_are_not(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (["answer", "n"], [GOOD, 1], [None, None], [GOOD, 2], [None, None]):
        made.active.append(row)
    made.active.cell(9, 1).number_format = "000"
    made.save(tmp_path / "in.xlsx")
    assert main(["score", str(tmp_path / "in.xlsx"), str(tmp_path / "out.csv")]) == 3
    scored = open_table(tmp_path / "out.csv")
    assert scored.total == 3


@pytest.mark.parametrize("size", ["A1", "A1:B3", "A1:C9", "B2:C3"])
def test_a_wrong_size_of_the_sheet_hides_no_row(tmp_path: Path, size: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[list[object]] = [["answer", "n"], [GOOD, 1, "wide"], [GOOD], [], [None, 3], [GOOD, 4], [None, None]]
    source = made_of(tmp_path / "in.xlsx", *rows)
    patch(source, '<dimension ref="[^"]*"', f'<dimension ref="{size}"')
    assert read(source) == [[GOOD, "1", "wide"], [GOOD, "", ""], ["", "", ""], ["", "3", ""], [GOOD, "4", ""]]
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--text", "answer"]) == 3
    assert "5 rows" in capsys.readouterr().err


def test_a_row_number_that_no_sheet_has_is_said(tmp_path: Path) -> None:
    source = made_of(tmp_path / "in.xlsx", ["answer"], [GOOD])
    patch(source, '<row r="2"', '<row r="99999999999"')
    with pytest.raises(InputError, match=f"in.xlsx: the sheet 'Sheet' numbers a row beyond {MOST_ROWS + 1:,}"):
        open_table(source)


def test_a_formula_without_a_result_is_kept_and_never_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = made_of(tmp_path / "in.xlsx", ["first", "second", "sum", "answer"], [1, 2, "=A2+B2", GOOD], [1, 2, "=A3+B3", f'="{GOOD}"&A3'])
    assert read(source) == [["1", "2", "=A2+B2", GOOD], ["1", "2", "=A3+B3", f'="{GOOD}"&A3']]
    assert main(["score", str(source), str(tmp_path / "out.jsonl"), "--text", "answer"]) == 3
    assert "row 3: error: formula without a stored value" in capsys.readouterr().err
    assert [json.loads(line)["sum"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == ["=A2+B2", "=A3+B3"]
    main(["score", str(source), str(tmp_path / "out.xlsx"), "--text", "answer"])
    cells = [row[2] for row in openpyxl.load_workbook(tmp_path / "out.xlsx")["Scored"].iter_rows(min_row=2)]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=A2+B2", "s"), ("=A3+B3", "s")]


def test_the_stored_result_of_a_formula_stands_for_it(tmp_path: Path) -> None:
    source = made_of(tmp_path / "in.xlsx", ["answer", "n"], [GOOD, "=1+1"], ["=TRIM(B1)", "=B1"], [GOOD, 5])
    patch(source, r'<c r="B2"><f>1\+1</f><v ?/?>(</v>)?', '<c r="B2"><f>1+1</f><v>2</v>')
    patch(source, r'<c r="A3"><f>TRIM\(B1\)</f><v ?/?>(</v>)?', f'<c r="A3" t="str"><f>TRIM(B1)</f><v>{GOOD}</v>')
    patch(source, r'<c r="B3"><f>B1</f><v ?/?>(</v>)?', '<c r="B3" t="str"><f>B1</f><v></v>')
    assert read(source) == [[GOOD, "2"], [GOOD, ""], [GOOD, "5"]]


def test_formulas_for_many_cells_are_kept_as_they_are_written(tmp_path: Path) -> None:
    source = made_of(tmp_path / "in.xlsx", ["answer", "n"], *([GOOD, f"=1+{row}"] for row in range(2, 6)))
    for cell, attributes, text in [
        ("B2", 't="shared" ref="B2:B3" si="0"', "A2+1"), ("B3", 't="shared" si="0"', ""),
        ("B4", 't="array" ref="B4"', "SUM(A1:A2*2)"), ("B5", 't="dataTable" ref="B5" r1="A1"', ""),
    ]:  # fmt: skip
        patch(source, f'<c r="{cell}"><f>[^<]*</f>', f'<c r="{cell}"><f {attributes}>{text}</f>')
    assert [row[1] for row in read(source)] == ["=A2+1", "=A3+1", "=SUM(A1:A2*2)", "=TABLE(A1,)"]


@pytest.mark.parametrize(
    ("pattern", "replacement", "named"),
    [('t="inlineStr"><is>.*?</is>', 't="s"><v>99</v>', "IndexError"), ("<f>[^<]*</f>", '<f t="shared" ref="B2" si="0">"open</f>', "TokenizerError")],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, pattern: str, replacement: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = made_of(tmp_path / "in.xlsx", ["answer", "n"], [GOOD, "=1+1"])
    patch(source, pattern, replacement)
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 1
    said = capsys.readouterr().err
    assert "in.xlsx: the workbook is damaged, or holds what cannot be read" in said and named in said and said.count("\n") == 1


def test_a_failing_disk_is_not_called_damage(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("openpyxl.worksheet._read_only.ReadOnlyWorksheet.iter_rows", fails)
    with pytest.raises(InputError, match=r"in\.xlsx: cannot be read \(Input/output error\)"):
        open_table(book)


def test_the_examples_can_be_read_in_their_column(book: Path) -> None:
    main(["score", str(book), str(book.with_name("out.xlsx"))])
    sheet = openpyxl.load_workbook(book.with_name("out.xlsx"))["Scored"]
    answer, status, short = sheet["F2"], sheet["H2"], sheet["G2"]
    assert (answer.value, status.value, short.value) == (GOOD, "ok", "007")
    assert 60 <= sheet.column_dimensions["F"].width < 62 and answer.alignment.wrap_text
    assert sheet.column_dimensions["G"].width < 20 and not short.alignment.wrap_text
    assert {cell.alignment.vertical for cell in sheet[2]} == {"top"}
