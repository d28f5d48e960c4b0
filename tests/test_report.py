"""The page of pictures: right figures, nothing from outside, no small group, no text that runs."""

from __future__ import annotations

import csv
import json
import re
import stat
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from stub_assessor import StubAssessor

import classifier.cli
from classifier.cli import main
from classifier.report import shown_groups

GOOD = "A client asked for her balance, so I looked it up and called her back on day {}."


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: StubAssessor())
    regions = ["East"] * 40 + ["<script>alert(1)</script>"] * 30 + ["North"] * 3
    with (tmp_path / "in.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["region", "answer"], *([region, GOOD.format(i) if i % 10 else ""] for i, region in enumerate(regions))])
    assert main(["score", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--text", "answer"]) == 3
    return tmp_path / "out.csv"


class Balance(HTMLParser):
    """Notes tags that are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in {"meta"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_the_figures_are_those_of_the_table(scored: Path) -> None:
    assert main(["report", str(scored), "--group", "region"]) == 0
    page = scored.with_suffix(".html").read_text("utf-8")
    with scored.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    levels = Counter(row["level"] for row in rows if row["status"] == "ok")
    for level in "01234":
        assert f'<th scope="row">Level {level}</th><td>{levels[level]}</td>' in page
    assert '<th scope="row">refused: empty</th><td>8</td>' in page
    flagged = sum(row["flags"] not in {"", "[]"} for row in rows)
    assert f'<th scope="row">not1</th><td>{flagged}</td>' in page
    unsure = Counter(row["level"] for row in rows if "|" in row["level_set"])
    section = page.split("Where more than one level is plausible")[-1]
    assert all(f'<th scope="row">Level {level}</th><td>{unsure[level]}</td>' in section for level in "01234")
    assert "73 rows, 65 scored. Model: stub-1." in page and "A person decides" in page


def test_the_page_needs_and_runs_nothing(scored: Path) -> None:
    main(["report", str(scored), "--group", "region", "--smallest", "2"])
    page = scored.with_suffix(".html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert "default-src 'none'" in page and '<html lang="en">' in page
    balance = Balance()
    balance.feed(page)
    assert not balance.open and not balance.faults
    assert page.count("<svg role=") == page.count("aria-label=") == page.count("<table>")
    assert stat.S_IMODE(scored.with_suffix(".html").stat().st_mode) == 0o600


def test_small_groups_are_hidden(scored: Path) -> None:
    main(["report", str(scored), "--group", "region"])
    page = scored.with_suffix(".html").read_text("utf-8")
    assert "North" not in page and "East" in page
    assert "2 groups are hidden" in page, "the group of three could be told by subtraction"


def test_groups_that_would_give_the_hidden_ones_away_are_hidden_too() -> None:
    sizes = {"a": 50, "b": 20, "c": 9, "d": 9}
    assert shown_groups({name: Counter({1: n}) for name, n in sizes.items()}, 10) == (["a", "b"], 2)
    assert shown_groups({"a": Counter({1: 5})}, 10) == ([], 1)
    assert shown_groups({"a": Counter({1: 50})}, 10) == (["a"], 0)


@pytest.mark.parametrize("ending", [".xlsx", ".parquet", ".jsonl"])
def test_from_each_format_the_same_page(scored: Path, ending: str) -> None:
    main(["report", str(scored)])
    main(["score", str(scored.with_name("in.csv")), str(scored.with_name(f"out{ending}")), "--text", "answer"])
    other = scored.with_name("other.html")
    assert main(["report", str(scored.with_name(f"out{ending}")), "-o", str(other)]) == 0
    assert other.read_text("utf-8").replace(f"out{ending}", "out.csv") == scored.with_suffix(".html").read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "there is no column 'status'"),
        ("status,level\nok,seven\n", "row 2: the cell in column 'level' is no level"),
        ("status,level\nok,1\nok,inf\n", "row 3: the cell in column 'level' is no level"),
        ("status,level\nok,2.7\n", "row 2: the cell in column 'level' is no level"),
        ("status,level\nok,-0.5\n", "row 2: the cell in column 'level' is no level"),
        ("status,level,flags\nok,1,x\n", "row 2: the cell in column 'flags' is not what"),
    ],
)
def test_a_table_that_was_not_scored_is_said(tmp_path: Path, content: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text(content)
    assert main(["report", str(tmp_path / "x.csv")]) == 1
    assert said in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(("ending", "row"), [(".jsonl", 2), (".parquet", 2), (".csv", 3), (".xlsx", 3)])
def test_rows_are_counted_as_the_table_counts_them(tmp_path: Path, ending: str, row: int, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({"status": ["ok", "ok"], "level": ["1", "seven"]})
    source = tmp_path / f"x{ending}"
    if ending == ".jsonl":
        frame.to_json(source, orient="records", lines=True)
    elif ending == ".parquet":
        frame.to_parquet(source)
    elif ending == ".csv":
        frame.to_csv(source, index=False)
    else:
        frame.to_excel(source, index=False)
    assert main(["report", str(source)]) == 1
    assert f"x{ending}: row {row}: the cell in column 'level' is no level." in capsys.readouterr().err


def page_of(path: Path, content: str) -> str:
    path.write_text(content, "utf-8")
    assert main(["report", str(path)]) == 0
    return path.with_suffix(".html").read_text("utf-8")


def test_what_the_table_does_not_tell_is_left_out(tmp_path: Path) -> None:
    page = page_of(tmp_path / "x.csv", "status,level\nok,1\n")
    assert '<th scope="row">Level 1</th><td>1</td>' in page_of(tmp_path / "y.csv", "status,level\nok,1.0\n")
    assert "Levels" in page and "plausible" not in page and "flag" not in page


def test_that_no_flag_was_found_is_said(tmp_path: Path) -> None:
    page = page_of(tmp_path / "x.csv", "status,level,flags\nok,1,[]\n")
    assert "<h2>Rows with a flag, by kind</h2>\n<p>No scored row has a flag.</p>" in page


def test_a_flag_stands_beside_the_words_of_the_framework(tmp_path: Path) -> None:
    flags = [{"key": "convenience-first"}, {"key": "own<key>"}]
    page = page_of(tmp_path / "x.jsonl", json.dumps({"status": "ok", "level": 1, "flags": json.dumps(flags)}))
    assert '<th scope="row">convenience-first: Doing what is faster and easier for you</th><td>1</td>' in page
    assert '<th scope="row">own&lt;key&gt;</th><td>1</td>' in page
    assert ">convenience-first</text>" in page, "the picture has room for the key only"


def test_a_folder_or_no_name_for_the_table_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["report", name]) for name in ("", ".", "/")] == [1, 1, 1]
    assert capsys.readouterr().err.splitlines()[0] == ".: this is a folder, not a scored table."
