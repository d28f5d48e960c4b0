"""The command line as users meet it: answers on stdout, one sentence and exit code 1 on bad input, never a traceback."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from hashlib import sha256
from html import escape
from pathlib import Path

import numpy as np
import pytest
from stub_assessor import StubAssessor

from classifier.cli import main
from classifier.contract import COLUMNS
from classifier.sections import Section, read_sections

DRAFT = "A taxpayer asked for the due date of his return. I looked into his file, called the branch, found the error and called him back the next day."


def run(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "classifier", *arguments], input=stdin, capture_output=True, cwd=cwd)


def test_assess_reads_a_file_and_stdin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draft.txt"
    path.write_text(DRAFT, "utf-8")
    assert main(["assess", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "level " in shown and "Client: " in shown and "A person decides" in shown
    piped = run("assess", "-", "--json", stdin=DRAFT.encode())
    assert piped.returncode == 0
    answer = json.loads(piped.stdout)
    assert answer["ratings"]["level"]["level"] in range(5)
    assert len(answer["ratings"]["level"]["probabilities"]) == 5


def test_the_other_framework_comes_first_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draft.txt"
    path.write_text(DRAFT, "utf-8")
    assert main(["assess", str(path), "--framework", "pspc"]) == 0
    assert capsys.readouterr().out.startswith("Client service competency (Public Services and Procurement Canada)")


def test_a_refusal_is_an_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draft.txt"
    path.write_text("Hello there", "utf-8")
    assert main(["assess", str(path)]) == 0
    assert "Not assessed: too short" in capsys.readouterr().out


BAD = {
    "missing": ["assess", "nowhere.txt"],
    "folder": ["assess", "."],
    "binary": ["assess", "binary.bin"],
    "encoding": ["assess", "latin.txt"],
    "framework": ["assess", "draft.txt", "--framework", "xyz"],
    "no model": ["assess", "draft.txt", "--model", "."],
    "csv missing": ["score", "nowhere.csv", "out.csv", "--text", "a"],
    "csv empty": ["score", "empty.csv", "out.csv", "--text", "a"],
    "csv no rows": ["score", "header.csv", "out.csv", "--text", "a"],
    "csv no column": ["score", "good.csv", "out.csv", "--text", "wrong"],
    "csv folder": ["score", ".", "out.csv", "--text", "a"],
    "csv nowhere to write": ["score", "good.csv", "no/such/out.csv", "--text", "a"],
    "corpus broken": ["train", "broken", "model"],
    "corpus missing": ["check", "nowhere"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "draft.txt").write_text(DRAFT, "utf-8")
    (tmp_path / "binary.bin").write_bytes(bytes(range(256)))
    (tmp_path / "latin.txt").write_bytes("I helped a client\nin the caf\xe9".encode("latin-1"))
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_text("a,b\n", "utf-8")
    (tmp_path / "good.csv").write_text(f'a,b\n"{DRAFT}",1\n', "utf-8")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.jsonl").write_text("{oops\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_one_sentence(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    before = sorted(p.name for p in folder.rglob("*"))
    assert main(BAD[name]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    message = shown.err.strip().splitlines()[-1]
    assert message.endswith(".") and "Traceback" not in shown.err
    assert sorted(p.name for p in folder.rglob("*")) == before, "something half-written was left"


def test_the_row_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    main(BAD["encoding"])
    assert "latin.txt: line 2 is not UTF-8" in capsys.readouterr().err
    main(BAD["corpus broken"])
    assert "a.jsonl:1: not JSON" in capsys.readouterr().err


def test_score_keeps_columns_and_order_and_adds_the_contract(tmp_path: Path) -> None:
    rows = [["007", DRAFT, "=1+1"], ["008", "", ""], ["009", 'A client asked,\n"when?" and I told her that it is due on the 30th.', "é"]]
    with (tmp_path / "in.csv").open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows([["id", "answer", "note"], *rows])
    assert main(["score", str(tmp_path / "in.csv"), str(tmp_path / "out.csv"), "--text", "answer"]) == 3
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8-sig") as stream:
        found = list(csv.DictReader(stream))
    assert list(found[0]) == ["id", "answer", "note", *COLUMNS]
    rows[0][2] = "'=1+1"  # no longer a formula
    assert [[r["id"], r["answer"], r["note"]] for r in found] == rows
    assert [r["status"] for r in found] == ["ok", "refused: empty", "ok"]
    assert sum(float(found[0][f"level_p{k}"]) for k in range(5)) == pytest.approx(1, abs=0.001)
    assert found[0]["level"] in found[0]["level_set"].split("|")
    for finding in json.loads(found[0]["evidence"]):
        assert set(finding) == {"key", "start", "end", "quote", "confidence"}
        assert rows[0][1][finding["start"] : finding["end"]] == finding["quote"]
    assert found[1]["level"] == ""


@pytest.mark.parametrize("verb", ["assess", "serve", "score", "report", "train", "evaluate", "check"])
def test_the_help_of_each_verb_holds_an_example(verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0
    assert f"example: classifier {verb}".encode() in done.stdout


@pytest.mark.parametrize("arguments", [["train", "corpus/en", "m"], ["evaluate", "models/en"]])
def test_without_scikit_learn_the_extra_is_named(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("classifier.cli.find_spec", lambda name: None)
    assert main(arguments) == 1
    assert capsys.readouterr().err == "Training and evaluating need scikit-learn: pip install '.[train]' in this program's folder.\n"


@pytest.fixture
def few(root: Path, tmp_path: Path) -> Path:
    """A corpus of three writers with thirty examples each."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("t01.jsonl", "t10.jsonl", "t20.jsonl"):
        lines = (root / "corpus" / "en" / name).read_text("utf-8").split("\n")[:30]
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def test_evaluate_prints_and_draws_every_part(
    few: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The bootstrap, the repeated timing and the stress suite take their time, and are tested where they are made.
    monkeypatch.setattr("classifier.evaluation.interval", lambda measure, n, *_: (measure(np.arange(n)),) * 2)
    monkeypatch.setattr("classifier.provenance._RUNS", 2)
    monkeypatch.setattr("classifier.provenance._BATCH", 2)
    monkeypatch.setattr("classifier.cli._stress", lambda *_: [Section("Stress: 1 tests, 1 cases")])
    outside, page = tmp_path / "secret name.jsonl", tmp_path / "page.html"
    outside.write_text("\n".join((root / "corpus" / "en" / "t51.jsonl").read_text("utf-8").split("\n")[:12]), "utf-8")
    monkeypatch.chdir(root)
    assert main(["evaluate", "models/en", "--all", "--corpus", str(few), "--examples", str(outside), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    titles = [section.title for section in read_sections(printed)]
    calibrations = ("Made corpus, writer left out: calibration", "Examples: calibration")
    for expected in ("Data and its limits", *calibrations, "Cost on one machine, others differ", "Versions and hashes", "Stress: 1 tests, 1 cases"):
        assert expected in titles
    shown = page.read_text("utf-8")
    assert all(f">{escape(title)}</h2>" in shown for title in titles)
    assert shown.count("<polyline") == 4, "risk by coverage and reliability, made and outside"
    first = json.loads(outside.read_text("utf-8").split("\n")[0])["text"]
    assert outside.name not in printed + shown and first[:40] not in printed + shown
    assert f"examples from elsewhere: 12 texts; the file is not shown (SHA-256 of its name {sha256(outside.name.encode()).hexdigest()[:12]}…)" in printed
    assert sha256(outside.read_bytes()).hexdigest() in printed


def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """Titles of what is printed, with an assessor that answers at once."""
    monkeypatch.setattr("classifier.cli.load_assessor", lambda folder: StubAssessor())
    assert main(["evaluate", "models/en", *map(str, arguments)]) == 0
    return [section.title for section in read_sections(capsys.readouterr().out)]


def test_stress_and_groups_alone_and_together(
    few: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stress = ["--corpus", few, "--pairs", root / "corpus" / "counterfactuals", "--limit", "1", "--stress"]
    table = tmp_path / "audit.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        texts = [json.loads(line)["text"] for name in ("t01", "t10") for line in (few / f"{name}.jsonl").read_text("utf-8").split("\n")[:30]]
        csv.writer(stream).writerows([["text", "level", "region"], *([text, i % 5, "east" if i % 2 else "west"] for i, text in enumerate(texts))])
    audit = ["--groups", "region", "--audit", table]
    stressed = evaluate(monkeypatch, capsys, *stress)
    assert len(stressed) == 6 and all(title.startswith("Stress: ") for title in stressed)
    audited = evaluate(monkeypatch, capsys, *audit)
    assert audited == ["Fairness by region (n = 60)", "Selection at each level, by region"]
    page = tmp_path / "page.html"
    assert evaluate(monkeypatch, capsys, *stress, *audit, "--html", page) == stressed + audited
    shown = page.read_text("utf-8")
    assert all(f">{escape(title)}</h2>" in shown for title in stressed + audited)


def test_what_goes_into_a_file_is_utf_8_whatever_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    done = run(
        "assess", "-", "--json", stdin="I called the client back → she had her answer the same day, and I explained the form to her in plain words.".encode()
    )
    assert done.returncode == 0 and "→" in done.stdout.decode("utf-8")
