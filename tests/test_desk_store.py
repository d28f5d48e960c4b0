"""The order of the desk: rate, see, conclude, decide; nothing else, also below the program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from desks import CRA, MODEL, desk_of, rating, read_through, suggestion

from classifier.desk import database
from classifier.desk.faults import MissingError, OutOfOrderError
from classifier.desk.judgement import judged
from classifier.desk.rows import entered_of
from classifier.desk.store import Desk
from classifier.desk.verify import verify
from classifier.errors import InputError


def states(desk: Desk, who: str) -> list[str]:
    return [line.state for line in desk.queue(who)]


def whats(desk: Desk) -> list[str]:
    return [entry["what"] for entry in desk.check_trail().entries]


def test_two_assessors_and_a_third_go_the_whole_way(tmp_path: Path) -> None:
    desk = desk_of(tmp_path / "desk", 2)
    assert states(desk, "Ann") == ["rate", "rate"]
    read_through(desk, 1, "Ann", 3)
    read_through(desk, 1, "Bo", 2, "accept")
    assert states(desk, "Ann") == ["decide", "rate"] and states(desk, "Cy") == ["decide", "rate"]
    desk.enter("Cy")
    opened = desk.open_readings(1, "Cy")
    assert [(r.assessor, r.blind, r.rating.level, r.conclusion.level) for r in opened] == [("Ann", True, 3, 3), ("Bo", True, 2, 2)]  # type: ignore[union-attr]
    desk.decide(1, "Cy", rating(desk, 1, 3))
    final = desk.final(1)
    assert final is not None and (final.assessor, final.judgement.level) == ("Cy", 3)
    assert states(desk, "Ann") == ["decided", "rate"]
    assert whats(desk) == ["created", "added", "added", *["rated", "revealed", "concluded"] * 2, "opened", "decided"]
    assert verify(desk).faults == ()


def test_no_suggestion_before_the_rating(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.enter("Ann")
    with pytest.raises(OutOfOrderError, match="Rate the example first"):
        desk.may_reveal(1, "Ann")
    with pytest.raises(OutOfOrderError, match="Rate the example first"):
        desk.reveal(1, "Ann", suggestion(desk, 1), MODEL)
    assert "revealed" not in whats(desk)
    desk.rate(1, "Ann", rating(desk, 1))
    with pytest.raises(OutOfOrderError, match="See the suggestion first"):
        desk.conclude(1, "Ann", "keep")
    assert desk.reveal(1, "Ann", suggestion(desk, 1), MODEL) == suggestion(desk, 1)


def test_the_database_itself_keeps_the_order(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.enter("Ann")
    with database.writing(tmp_path) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO reading (example, assessor, blind, revealed_entry) VALUES (1, 'Ann', 1, 9)")
    desk.rate(1, "Ann", rating(desk, 1))
    with database.writing(tmp_path) as db, pytest.raises(sqlite3.IntegrityError, match="a rating is not changed"):
        db.execute("UPDATE reading SET rating = '{}'")


def test_a_mode_without_blinding_is_logged_as_such(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.enter("Ann")
    desk.reveal(1, "Ann", suggestion(desk, 1), MODEL, blinding=False)
    desk.rate(1, "Ann", rating(desk, 1))
    entries = desk.check_trail().entries
    assert [(e["what"], e["mode"]) for e in entries if "mode" in e] == [("revealed", "open"), ("rated", "open")]
    reading = desk.reading(1, "Ann")
    assert reading is not None and not reading.blind


def test_what_is_said_once_stays(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    read_through(desk, 1, "Ann")
    with pytest.raises(OutOfOrderError, match="not changed afterwards"):
        desk.rate(1, "Ann", rating(desk, 1, 4))
    with pytest.raises(OutOfOrderError, match="concluded"):
        desk.conclude(1, "Ann", "keep", reason="Again.")
    read_through(desk, 1, "Bo")
    desk.decide(1, "Ann", rating(desk, 1))
    with pytest.raises(OutOfOrderError, match="decided"):
        desk.decide(1, "Bo", rating(desk, 1))
    with pytest.raises(OutOfOrderError, match="decided"):
        desk.rate(1, "Cy", rating(desk, 1))


def test_nobody_rates_after_seeing_the_others_and_no_third_reading_is_taken(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 2)
    for example in (1, 2):
        for who in ("Ann", "Bo"):
            read_through(desk, example, who)
    desk.enter("Cy")
    desk.open_readings(1, "Cy")
    for example in (1, 2):
        with pytest.raises(OutOfOrderError):
            desk.rate(example, "Cy", rating(desk, example))


def test_readings_are_opened_and_decided_only_when_all_are_there(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    read_through(desk, 1, "Ann")
    desk.enter("Bo")
    for step in (lambda: desk.open_readings(1, "Bo"), lambda: desk.decide(1, "Bo", rating(desk, 1))):
        with pytest.raises(OutOfOrderError, match="all its readings"):
            step()


def test_a_decision_has_a_person_who_is_known_and_a_reason(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, wanted=1)
    read_through(desk, 1, "Ann")
    with pytest.raises(InputError, match="reason"):
        desk.decide(1, "Ann", rating(desk, 1, reason=""))
    with pytest.raises(InputError):
        desk.decide(1, "Nobody", rating(desk, 1))
    assert desk.final(1) is None and "decided" not in whats(desk)


@pytest.mark.parametrize(("choice", "level", "client"), [("accept", 2, "external"), ("keep", 3, "external"), ("change", 4, "internal")])
def test_what_each_choice_means(tmp_path: Path, choice: str, level: int, client: str) -> None:
    desk = desk_of(tmp_path)
    desk.enter("Ann")
    desk.rate(1, "Ann", rating(desk, 1, 3))
    desk.reveal(1, "Ann", suggestion(desk, 1), MODEL)
    changed = judged(desk.example(1).text, CRA, 4, "internal", [], "") if choice == "change" else None
    with pytest.raises(InputError, match="Give a reason"):
        desk.conclude(1, "Ann", choice, changed)
    held = desk.conclude(1, "Ann", choice, changed, "For this reason.")
    assert (held.level, held.client, held.reason) == (level, client, "For this reason.")


def test_a_rubric_without_a_model(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, wanted=1)
    desk.enter("Ann")
    with pytest.raises(OutOfOrderError):
        desk.conclude_alone(1, "Ann")
    desk.rate(1, "Ann", rating(desk, 1))
    desk.conclude_alone(1, "Ann")
    desk.decide(1, "Ann", rating(desk, 1))
    reading = desk.reading(1, "Ann")
    assert reading is not None and reading.choice == "none" and desk.final(1) is not None


def test_names_and_texts_are_held_once(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 1)
    assert [desk.enter(name) for name in ("Zoë  Roy", "ZOË ROY", "Zoe\u0308 Roy")] == ["Zoë Roy"] * 3
    for name in ("", " ", "a\nb\x00", "x" * 81, "\u202eAnn"):
        with pytest.raises(InputError):
            desk.enter(name)
    assert desk.add([("again", desk.example(1).text.replace("\n", "\r\n"))]) == (0, 1)
    with pytest.raises(InputError, match="no text"):
        desk.add([("fine", "A text."), ("empty", " ")])
    assert len(desk.examples()) == 1


@pytest.mark.parametrize(
    ("level", "client", "marks"),
    [
        (5, "external", []),
        (-1, "external", []),
        (1, "someone", []),
        (1, "none", [("9.9", 0, 3)]),
        (1, "none", [("1.1", 3, 3)]),
        (1, "none", [("1.1", 0, 9**9)]),
    ],
)
def test_a_rating_that_the_framework_does_not_know_is_refused(level: int, client: str, marks: list[tuple[str, int, int]]) -> None:
    with pytest.raises(InputError):
        judged("A client asked.", CRA, level, client, marks, "")


def test_the_trail_holds_no_words_of_the_text(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 1)
    read_through(desk, 1, "Ann")
    written = (tmp_path / "audit.jsonl").read_text("ascii")
    assert "called her back" not in written and "example 1" not in written
    assert desk.example(1).input in written and "She came back to the client." in written


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    desk_of(tmp_path / "desk")
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "desk", *(tmp_path / "desk").iterdir()]} == {0}


def test_a_backup_is_a_whole_desk(tmp_path: Path) -> None:
    desk = desk_of(tmp_path / "desk")
    read_through(desk, 1, "Ann")
    desk.backup(tmp_path / "copy")
    read_through(desk, 2, "Ann")
    copy = Desk(tmp_path / "copy", create=False)
    assert verify(copy).faults == () and len(copy.readings()) == 1 and copy.id == desk.id
    with pytest.raises(InputError, match="something of this name"):
        desk.backup(tmp_path / "copy")


def test_a_database_of_a_newer_version_is_refused_and_an_older_one_is_brought_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(tmp_path)
    read_through(desk, 1, "Ann")
    desk.close()
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, ("CREATE TABLE more (x INTEGER)", "INSERT INTO more VALUES (7)")))
    later = Desk(tmp_path)
    assert len(later.readings()) == 1 and verify(later).faults == ()
    with database.reading(tmp_path) as db:
        assert db.execute("SELECT x FROM more").fetchone()[0] == 7
    later.close()
    monkeypatch.undo()
    with pytest.raises(InputError, match="newer version"):
        Desk(tmp_path)


def test_a_desk_whose_making_was_cut_short_is_made_whole(tmp_path: Path) -> None:
    database.migrate(tmp_path)  # all that a start does before it names the desk
    desk = desk_of(tmp_path, 1)
    assert whats(desk) == ["created", "added"] and verify(desk).faults == ()


def test_a_text_that_no_file_can_hold_is_refused_and_a_number_beyond_the_database_is_no_example(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    with pytest.raises(InputError, match="this is no text"):
        desk.add([("odd", "I called the client back \ud800 and explained the form to her.")])
    for number in (10**20, -(10**20)):
        with database.reading(desk.folder) as db, pytest.raises(MissingError):
            entered_of(db, number)
