"""Every edit of the trail is found; no acknowledged rating is lost by a kill, a second writer or a full disk."""

from __future__ import annotations

import http.client
import json
import random
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from desks import desk_of, rating, read_through, suggestion

from classifier.desk import trail
from classifier.desk.database import writing
from classifier.desk.faults import AlteredError
from classifier.desk.record import Model
from classifier.desk.release import release
from classifier.desk.replay import replay
from classifier.desk.store import Desk
from classifier.desk.verify import verify

# Rates examples one after another as long as it lives, and says so after each; started as a program of its own.
RATER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from desks import rating
from classifier.desk.store import Desk
from classifier.errors import InputError
desk = Desk(Path(sys.argv[1]))
who = desk.enter(sys.argv[2])
if sys.argv[3] != "-":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
for line in desk.queue(who):
    if line.state == "rate":
        try:
            desk.rate(line.id, who, rating(desk, line.id))
        except InputError as error:
            print("failed", error, flush=True)
            break
        print("rated", line.id, flush=True)
"""


def rater(folder: Path, who: str, limit: str = "-") -> subprocess.Popen[str]:
    program = [sys.executable, "-c", RATER, str(folder), who, limit, str(Path(__file__).parent)]
    return subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    desk = desk_of(folder, 4)
    for example in (1, 2, 3, 4):
        for who in ("Ann", "Bo"):
            read_through(desk, example, who, example)
        desk.decide(example, "Ann", rating(desk, example))
    for text in ("A client asked.", "A client wrote."):
        release(desk, 1, "Ann", text)
    assert verify(desk).faults == ()
    desk.close()
    return folder


def test_any_of_500_edited_bytes_is_found(filled: Path) -> None:
    desk = Desk(filled)
    path = filled / trail.NAME
    whole = path.read_bytes()
    draw = random.Random(7)
    missed = []
    try:
        for _ in range(500):
            place, byte = draw.randrange(len(whole)), draw.randrange(1, 256)
            path.write_bytes(whole[:place] + bytes([whole[place] ^ byte]) + whole[place + 1 :])
            if not desk.check_trail().faults:
                missed.append(place)
    finally:
        path.write_bytes(whole)
    assert missed == []
    assert desk.check_trail().faults == ()


@pytest.mark.parametrize("name", ["missing", "twice", "reordered", "cut off", "cut off to nothing", "added", "last line altered", "rewritten with new hashes"])
def test_other_changes_are_found(filled: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(filled, folder)
    path = folder / trail.NAME
    lines = path.read_bytes().splitlines(keepends=True)
    other = {
        "missing": lines[:5] + lines[6:],
        "twice": lines[:5] + lines[4:],
        "reordered": [*lines[:5], lines[6], lines[5], *lines[7:]],
        "cut off": lines[:-1],
        "cut off to nothing": [],
        "added": [*lines, lines[-1]],
        "last line altered": [*lines[:-1], lines[-1].replace(b'"who":"Ann"', b'"who":"Bo"')],
        "rewritten with new hashes": rechained([line.replace(b"Bo", b"Al") for line in lines]),
    }[name]
    assert other != lines
    path.write_bytes(b"".join(other))
    assert verify(Desk(folder)).faults


def rechained(lines: list[bytes]) -> list[bytes]:
    import hashlib
    import json

    previous, made = trail.START, []
    for line in lines:
        made.append(trail.canonical(json.loads(line) | {"previous": previous}) + b"\n")
        previous = hashlib.sha256(made[-1]).hexdigest()
    return made


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE example SET text = text || '.' WHERE id = 2",
        "UPDATE final SET assessor = 'Bo' WHERE example = 3",
        "DELETE FROM reading WHERE example = 1 AND assessor = 'Bo'",
        "DELETE FROM final WHERE example = 4",
        "UPDATE suggestion SET assessment = replace(assessment, '\"level\": 2', '\"level\": 3')",
        "UPDATE suggestion SET model = 'another'",
        "UPDATE reading SET suggestion = NULL, revealed_entry = NULL WHERE example = 2 AND assessor = 'Ann'",
        "UPDATE reading SET blind = 0 WHERE example = 1 AND assessor = 'Ann'",
        "UPDATE reading SET choice = 'accept' WHERE example = 1 AND assessor = 'Ann'",
        "UPDATE reading SET rating = '{}' WHERE example = 1 AND assessor = 'Ann'",
        "UPDATE reading SET conclusion = 'no JSON' WHERE example = 1 AND assessor = 'Ann'",
        "UPDATE release SET record = '{}'",
        "UPDATE release SET record = replace(record, 'client', 'customer')",
        "DELETE FROM release",
    ],
)
def test_a_changed_database_is_found(filled: Path, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(filled, folder)
    desk = Desk(folder)
    with writing(folder) as db:
        for trigger in ("a_final_stays", "a_rating_stays", "a_conclusion_stays"):
            db.execute(f"DROP TRIGGER {trigger}")
        assert db.execute(change).rowcount > 0
    assert len(verify(desk).faults) >= 1


def test_nothing_is_added_to_a_trail_whose_end_was_changed(filled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(filled, folder)
    desk = Desk(folder)
    path = folder / trail.NAME
    path.write_bytes(path.read_bytes()[:-9])
    size = path.stat().st_size
    with pytest.raises(AlteredError, match="audit verify"):
        desk.note("Ann", "exported", {})
    assert path.stat().st_size == size


@pytest.mark.parametrize("torn", [0, 1, 40, 10_000])
def test_a_line_torn_by_a_crash_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: int) -> None:
    desk = desk_of(tmp_path, 1)
    monkeypatch.setattr(Desk, "write_out", lambda self: None)
    desk.note("Ann", "exported", {})
    desk.note("Ann", "exported", {})
    monkeypatch.undo()
    assert desk.check_trail().waiting == 2 and verify(desk).faults == ()
    with writing(tmp_path) as db:
        waiting = b"".join(row["line"] for row in db.execute("SELECT line FROM pending ORDER BY seq"))
    with (tmp_path / trail.NAME).open("ab") as stream:
        stream.write(waiting[:torn])
    assert verify(desk).faults == ()
    again = Desk(tmp_path)
    checked = again.check_trail()
    assert checked.waiting == 0 and checked.faults == () and len(checked.entries) == 4


def served(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """The real server of a desk without a model, and its address."""
    program = [sys.executable, "-m", "classifier", "desk", str(folder), "--no-model", "--port", "0"]
    running = subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    assert running.stderr is not None
    said = running.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert found is not None, said
    return running, found[0]


def send(address: str, content: dict[str, object], cookie: str = "") -> str:
    """POST as the page does; returns the cookie. OSError or HTTPException where the server is gone."""
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    with urllib.request.urlopen(urllib.request.Request(address, json.dumps(content).encode(), headers)) as answer:
        answer.read()
        return str(answer.headers.get("Set-Cookie", "")).split(";")[0]


def test_a_server_killed_during_200_ratings_loses_no_acknowledged_one(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 200)
    draw = random.Random(3)
    content = {"level": 2, "client": "external", "marks": [{"key": "2.4", "start": 0, "end": 5}], "reason": "So."}
    acknowledged: set[int] = set()
    kills = 0
    while len(acknowledged) < 200 and kills < 20:
        running, address = served(tmp_path)
        cookie = send(f"{address}/session", {"name": "Ann"})
        left = [line.id for line in desk.queue("Ann") if line.state == "rate"]
        # Rated before a kill but not acknowledged: there as well, so not asked for again.
        acknowledged |= {n for n in range(1, 201) if n not in left}
        killer = threading.Timer(draw.uniform(0.05, 1.5), running.kill) if kills < 4 else None
        if killer is not None:
            killer.start()
        try:
            for number in left:
                send(f"{address}/examples/{number}/rating", content, cookie)
                acknowledged.add(number)
        except (OSError, http.client.HTTPException):
            assert killer is not None
        if killer is not None:
            killer.join()
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()
        kills += 1
        assert verify(desk).faults == ()
        assert acknowledged <= {r.example for r in desk.readings()}
    assert kills > 1 and len(desk.readings()) == 200


def test_two_writers_at_once(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 60)
    raters = [rater(tmp_path, who) for who in ("Ann", "Bo")]
    said = [r.communicate() for r in raters]
    assert [errors for _, errors in said] == ["", ""] and all("failed" not in output for output, _ in said)
    assert len(desk.readings()) == 120 and verify(desk).faults == ()


@pytest.mark.parametrize("kilobytes", [100, 300])
def test_a_full_disk(tmp_path: Path, kilobytes: int) -> None:
    desk = desk_of(tmp_path, 200)
    output, errors = rater(tmp_path, "Ann", str(1024 * kilobytes)).communicate()
    acknowledged = {int(line.split()[1]) for line in output.splitlines() if line.startswith("rated")}
    assert "failed" in output and "cannot be written" in output, errors
    assert acknowledged <= {r.example for r in desk.readings()}
    assert verify(desk).faults == ()
    # With room again the work goes on, and the entries that waited are written out.
    output, errors = rater(tmp_path, "Ann").communicate()
    assert errors == "" and len(desk.readings()) == 200
    checked = desk.check_trail()
    assert checked.faults == () and checked.waiting == 0


def test_replay_of_100_suggestions_is_identical_and_a_changed_one_is_found(tmp_path: Path) -> None:
    from fixed import FixedAssessor

    model = Model("fixed-1", "0" * 64)
    desk = desk_of(tmp_path, 101, wanted=1)
    desk.enter("Ann")
    for entered in desk.examples():
        desk.rate(entered.id, "Ann", rating(desk, entered.id))
        used = Model("older", "1" * 64) if entered.id == 101 else model
        desk.reveal(entered.id, "Ann", suggestion(desk, entered.id), used)
    found = replay(desk, FixedAssessor().assess, model)
    assert (found.identical, found.differing, found.other_models) == (100, (), 1)

    def other(text: str) -> object:
        from dataclasses import replace

        given = FixedAssessor().assess(text)
        level = given.ratings["level"]
        chances = (level.probabilities[0] + 2**-53, *level.probabilities[1:])
        return replace(given, ratings={**given.ratings, "level": replace(level, probabilities=chances)})

    found = replay(desk, other, model)  # type: ignore[arg-type]
    assert found.identical == 0 and len(found.differing) == 100
