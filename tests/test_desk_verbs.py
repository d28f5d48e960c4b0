"""The desk on the command line: filling the queue, the audit's two verbs, a backup, learning; what is wrong is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from desks import desk_of, rating, read_through
from fixed import DRAFT, FixedAssessor

import classifier.desk.verbs as verbs
from classifier.cli import main
from classifier.desk.replay import model_of
from classifier.desk.store import Desk


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs, "load_assessor", lambda folder=None: FixedAssessor())


def test_a_table_and_a_folder_fill_the_queue_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "in.csv"
    table.write_text(f'who,answer\nA1,"{DRAFT}"\nA2,"{DRAFT} Again."\n')
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "b.txt").write_text(f"{DRAFT}\r\nAnd more.")
    desk = str(tmp_path / "desk")
    assert main(["desk", desk, "--add", str(table), "--id", "who", "--no-serve"]) == 0
    assert main(["desk", desk, "--add", str(table), "--text", "answer", "--no-serve"]) == 0
    assert main(["desk", desk, "--add", str(tmp_path / "texts"), "--readings", "1", "--no-serve"]) == 0
    errors = capsys.readouterr().err
    assert "2 examples added" in errors and "0 examples added, 2 were there already" in errors
    made = Desk(tmp_path / "desk")
    assert [(e.name, e.wanted) for e in made.examples()] == [("A1", 2), ("A2", 2), ("b.txt", 1)]
    assert made.example(3).text == f"{DRAFT}\nAnd more."


def test_a_row_without_a_text_adds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "in.csv"
    table.write_text(f'answer\n"{DRAFT}"\n" "\n')
    assert main(["desk", str(tmp_path / "desk"), "--add", str(table), "--no-serve"]) == 1
    assert "row 3" in capsys.readouterr().err and Desk(tmp_path / "desk").examples() == ()
    assert main(["desk", str(tmp_path / "desk"), "--add", str(table), "--text", "nothing", "--no-serve"]) == 1
    assert "no column 'nothing'" in capsys.readouterr().err


def test_verify_and_replay_say_what_they_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "desk"
    desk = desk_of(folder)
    desk.enter("Ann")
    for number in (1, 2):
        desk.rate(number, "Ann", rating(desk, number))
        desk.reveal(number, "Ann", FixedAssessor().assess(desk.example(number).text), model_of(FixedAssessor()))  # type: ignore[arg-type]
    assert main(["audit", "verify", str(folder)]) == 0
    said = capsys.readouterr().out
    head = said.split("head ")[1].split(":")[0]
    assert said.startswith("8 entries, head ") and said.strip().endswith("unaltered")
    assert main(["audit", "replay", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == "2 identical, 0 differ"
    desk.rate(3, "Ann", rating(desk, 3))
    assert main(["audit", "verify", str(folder), "--head", head]) == 0
    assert main(["audit", "verify", str(folder), "--head", "0" * 64]) == 3
    path = folder / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"level":3', b'"level":4', 1))
    capsys.readouterr()
    assert main(["audit", "verify", str(folder)]) == 3
    said = capsys.readouterr().out
    assert "altered" in said and "line 6" in said and "is not the one of entry 5" in said


def test_no_desk_is_made_by_looking_for_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["audit", "verify"], ["audit", "replay"]):
        assert main([*arguments, str(tmp_path / "none")]) == 1
    assert main(["learn", str(tmp_path / "none"), "--into", str(tmp_path)]) == 1
    assert main(["desk", str(tmp_path / "none"), "--backup", str(tmp_path / "copy")]) == 1
    assert not (tmp_path / "none").exists() and capsys.readouterr().err.count("there is no desk here") == 4


def test_backup_and_learn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = desk_of(tmp_path / "desk", 1, wanted=1)
    read_through(desk, 1, "Ann")
    desk.decide(1, "Ann", rating(desk, 1))
    assert main(["desk", str(tmp_path / "desk"), "--backup", str(tmp_path / "copy")]) == 0
    assert main(["audit", "verify", str(tmp_path / "copy")]) == 0
    (tmp_path / "corpus").mkdir()
    assert main(["learn", str(tmp_path / "desk"), "--into", str(tmp_path / "corpus")]) == 0
    assert "1 decided examples are left out" in capsys.readouterr().err
    assert main(["learn", str(tmp_path / "desk"), "--into", str(tmp_path / "nowhere")]) == 1


def test_without_a_model_folder_the_desk_is_a_rubric_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    monkeypatch.setattr(verbs, "shipped_model", lambda: tmp_path / "none")
    assert verbs._model(argparse.Namespace(no_model=False, model=None)) is None
    assert "plain rubric" in capsys.readouterr().err
    assert verbs._model(argparse.Namespace(no_model=True, model=None)) is None
