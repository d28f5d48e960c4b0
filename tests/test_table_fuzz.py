"""Any table whatever: never a traceback, never a lost row. FUZZ_TABLES sets how many (200 here, more by hand)."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from stub_assessor import StubAssessor

import classifier.cli
from classifier.cli import main
from classifier.tables import open_table

TABLES = int(os.environ.get("FUZZ_TABLES", "200"))
LIMITS = settings(max_examples=max(1, TABLES // 4), deadline=None, suppress_health_check=list(HealthCheck))
GOOD = "A client asked for her balance, so I looked it up and called her back the same day."

odd_text = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(categories=["Cs", "Cc", "L", "Po"]), max_size=20),
    st.sampled_from([GOOD, "", " ", "\0", "\ufeff", "=1+1", "@x", "\ud83d", "a\r\nb", 'say "when"', "-5", "007", "\x1b[31m", "é;è", "a,b", "x" * 40_000,
     GOOD * 400]),
)  # fmt: skip
header_names = st.sampled_from(["id", "note", "note", "", " ", "é", "Column 1", "answer2", "=x", "text"])
OUTPUTS = st.sampled_from([".csv", ".tsv", ".xlsx", ".parquet", ".jsonl"])


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: StubAssessor())


@contextmanager
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp())
    try:
        yield made
    finally:
        shutil.rmtree(made)


def score(source: Path, ending: str, rows: int | None) -> Path | None:
    """Score the file and check what holds always; the output, or None where the whole table was refused in one sentence."""
    target = source.parent / f"scored{ending}"
    errors = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", errors)
        code = main(["score", str(source), str(target), "--text", "answer"])
    assert code in {0, 1, 3}
    event(f"exit code {code}")
    assert sorted(p.name for p in source.parent.iterdir()) == sorted([source.name, *([target.name] if code != 1 else [])]), "something was left behind"
    if code == 1:
        assert errors.getvalue().strip().splitlines()[-1].endswith("."), errors.getvalue()
        return None
    scored = open_table(target)
    assert "status" in scored.columns
    if rows is not None:
        assert scored.total == rows
    status = scored.columns.index("status")
    for chunk in scored.read():
        assert all(row[status] == "ok" or row[status].startswith(("refused: ", "error: ")) for row in chunk.cells)
    return target


def as_read(rows: list[list[str]], named: int) -> list[list[str]]:
    """The rows that a file with these lines has: without empty cells beyond the header, and with blank lines where these are empty examples."""
    while rows and not rows[-1]:
        rows = rows[:-1]
    kept = [row or [""] for row in rows if row or named == 1]
    return [row[: max([named, *(position for position, cell in enumerate(row, 1) if cell)])] for row in kept]


@given(
    st.lists(header_names, max_size=4),
    st.lists(st.lists(odd_text, min_size=0, max_size=7), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\r\n", "\n", "\r"]),
    OUTPUTS,
)
@LIMITS
def test_delimited(others: list[str], rows: list[list[str]], delimiter: str, encoding: str, line_end: str, ending: str) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    header = [*others, "answer"]
    writer.writerows([header, *rows])
    written = as_read(rows, len(header))
    raw = stream.getvalue().encode(encoding, "replace")
    with folder() as place:
        (place / "in.csv").write_bytes(raw)
        target = score(place / "in.csv", ending, len(written) if written else None)
        if target is None or ending != ".jsonl":
            return
        back = [json.loads(line) for line in target.read_text("utf-8").split("\n") if line]
        for row, found in zip(written, back, strict=True):
            given_back = list(found.values())
            for cell, kept in zip(row, given_back, strict=False):
                assert kept == cell.encode(encoding.replace("-sig", ""), "replace").decode(encoding.replace("-sig", ""))


@given(st.binary(max_size=400), st.sampled_from([b"", codecs.BOM_UTF8, b"answer,b\n", b'answer\n"', "answer;b\n".encode("utf-16")]), OUTPUTS)
@LIMITS
def test_bytes(tail: bytes, head: bytes, ending: str) -> None:
    with folder() as place:
        for name in ("in.csv", "in.jsonl", "in.xlsx", "in.parquet"):
            (place / name).write_bytes(head + tail)
            score(place / name, ending, None)
            for path in place.iterdir():
                path.unlink()


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd_text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
)
json_lines = st.one_of(
    st.dictionaries(st.one_of(header_names, st.just("answer")), json_values, max_size=4).map(json.dumps),
    json_values.map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30).filter(str.strip),
    st.just("[" * 5000),
)


@given(st.lists(json_lines, min_size=1, max_size=10), OUTPUTS)
@LIMITS
def test_json_lines(lines: list[str], ending: str) -> None:
    with folder() as place:
        (place / "in.jsonl").write_text("\n".join([json.dumps({"answer": GOOD}), *lines]) + "\n", "utf-8")
        score(place / "in.jsonl", ending, len(lines) + 1)


columns = st.one_of(
    st.tuples(st.just(pa.int64()), st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60)), min_size=6, max_size=6)),
    st.tuples(st.just(pa.float64()), st.lists(st.one_of(st.none(), st.floats()), min_size=6, max_size=6)),
    st.tuples(st.just(pa.bool_()), st.lists(st.one_of(st.none(), st.booleans()), min_size=6, max_size=6)),
    st.tuples(st.just(pa.binary()), st.lists(st.one_of(st.none(), st.binary(max_size=9)), min_size=6, max_size=6)),
    st.tuples(st.just(pa.date32()), st.lists(st.one_of(st.none(), st.dates(date(1, 1, 1))), min_size=6, max_size=6)),
    st.tuples(st.just(pa.timestamp("ns")), st.lists(st.one_of(st.none(), st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))), min_size=6, max_size=6)),
    st.tuples(st.just(pa.list_(pa.string())), st.lists(st.lists(st.sampled_from(["a", "é", ""]), max_size=2), min_size=6, max_size=6)),
    st.tuples(st.just(pa.string()), st.lists(st.one_of(st.none(), st.text(max_size=20), st.just(GOOD)), min_size=6, max_size=6)),
)


@given(columns, st.lists(st.tuples(header_names, columns), max_size=3), OUTPUTS)
@LIMITS
def test_typed_columns(answers: tuple[pa.DataType, list[object]], others: list[tuple[str, tuple[pa.DataType, list[object]]]], ending: str) -> None:
    named = [("answer", answers), *others]
    table = pa.table([pa.array(values, kind) for _, (kind, values) in named], names=[name for name, _ in named])
    with folder() as place:
        pyarrow.parquet.write_table(table, place / "in.parquet")
        target = score(place / "in.parquet", ending, 6)
        assert target is not None
        if ending == ".parquet":
            back = pyarrow.parquet.read_table(target)
            assert back.schema.types[: len(named)] == table.schema.types
            # Compared as printed, since NaN is not equal to itself.
            assert [str(column.to_pylist()) for column in back.columns[: len(named)]] == [str(column.to_pylist()) for column in table.columns]
