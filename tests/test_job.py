"""Nothing lost: a status for every row, the same bytes after a kill, no half file, nothing that others may read."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import pty
import random
import re
import signal
import stat
import subprocess
import sys
import termios
import time
from collections import Counter
from pathlib import Path

import pytest
from stub_assessor import StubAssessor

import classifier.cli
import classifier.job
from classifier.cli import main
from classifier.contract import COLUMNS
from classifier.tables import open_table

GOOD = "A client asked for her balance, so I looked it up and called her back on day {}."
STUB = Path(__file__).with_name("stub_assessor.py")


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubAssessor:
    made = StubAssessor()
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: made)
    return made


def write(path: Path, rows: list[list[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream).writerows(rows)
    return path


def examples(count: int) -> list[list[str]]:
    """Rows of all kinds: answers, repetitions, refusals."""
    kinds = [GOOD, GOOD, GOOD, "", "Hello {}", "Le client {} a téléphoné et je lui ai répondu que son dossier était complet depuis hier."]
    return [["id", "answer"], *([f"{i:05}", kinds[i % len(kinds)].format(i // 2)] for i in range(count))]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_every_row_has_a_status_and_the_exit_code_tells(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["id", "answer"], ["1", GOOD], ["2", ""], ["3", "x" * 30_000], ["4", GOOD + " POISON"], ["5", GOOD, "one cell too many"], ["6"], ["7", GOOD]]
    source = write(tmp_path / "in.csv", rows)
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--text", "answer", "--id", "id"]) == 3
    found = read(tmp_path / "out.csv")
    assert re.fullmatch(r"error: RuntimeError in stub_assessor\.py:\d+", found[3]["status"])
    assert [row["status"].partition(" in ")[0] for row in found] == [
        "ok",
        "refused: empty",
        "refused: too long: 30,000 characters, the limit is 20,000",
        "error: RuntimeError",
        "error: the row has 3 cells and the first row names 2",
        "refused: empty",
        "ok",
    ]
    assert found[4]["column 3"] == "one cell too many"
    assert all(row["model"] == "stub-1" for row in found)
    assert all(row["level"] == "" and row["flags"] == "" for row in found if row["status"] != "ok")
    shown = capsys.readouterr().err
    assert "2 ok, 2 refused: empty, 2 error, 1 refused: too long -> " in shown
    assert "row 3 (id 2): refused: empty" in shown
    assert main(["score", str(write(tmp_path / "good.csv", [["answer"], [GOOD]])), str(tmp_path / "out.csv")]) == 0


def test_texts_seen_twice_are_scored_once(stub: StubAssessor, tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [["answer"], *([GOOD.format(i % 7)] for i in range(1000))])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 0
    assert stub.calls == 7
    found = read(tmp_path / "out.csv")
    assert len(found) == 1000
    assert all(row == found[i % 7] for i, row in enumerate(found))


def test_the_text_column_is_guessed_only_where_one_can_be_meant(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.csv", [["id", "note", "said"], ["1", "short", GOOD], ["2", "", GOOD]])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 0
    assert "column 'said' (guessed; --text names another)" in capsys.readouterr().err
    source = write(tmp_path / "in.csv", [["id", "asked", "said"], ["1", GOOD, GOOD]])
    assert main(["score", str(source), str(tmp_path / "out2.csv")]) == 1
    assert "it could be 'asked', 'said'." in capsys.readouterr().err
    assert not (tmp_path / "out2.csv").exists()


def test_chosen_columns(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.csv", [["answer"], [GOOD]])
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--columns", "flags,level"]) == 0
    assert list(read(tmp_path / "out.csv")[0]) == ["answer", "status", "level", "flags"]
    assert main(["score", str(source), str(tmp_path / "out2.csv"), "--columns", "levle"]) == 1
    assert "There is no column 'levle' to add" in capsys.readouterr().err


def test_columns_that_scoring_adds_are_not_overwritten(stub: StubAssessor, tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [["answer", "level"], [GOOD, "mine"]])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet", ".jsonl"])
def test_only_the_owner_may_read_the_result(stub: StubAssessor, tmp_path: Path, ending: str) -> None:
    source = write(tmp_path / "in.csv", examples(20))
    old = os.umask(0)
    try:
        assert main(["score", str(source), str(tmp_path / f"out{ending}")]) == 3
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / f"out{ending}").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in.csv", f"out{ending}"])


def test_an_earlier_result_stays_until_the_new_one_is_whole(tmp_path: Path, stub: StubAssessor, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.csv", examples(20))
    target = tmp_path / "out.csv"
    target.write_text("earlier", "utf-8")

    def stop(*_: object) -> None:
        assert target.read_text("utf-8") == "earlier"
        assert stat.S_IMODE((tmp_path / "out.csv.unfinished").stat().st_mode) == 0o700
        assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in (tmp_path / "out.csv.unfinished").iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(classifier.job, "write_table", stop)
    assert main(["score", str(source), str(target)]) == 130
    assert target.read_text("utf-8") == "earlier"
    assert [p.name for p in (tmp_path / "out.csv.unfinished").iterdir()] == ["answers.sqlite"]


def start(source: Path, target: Path, *more: str, seconds: float, log: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"STUB_SECONDS": str(seconds), "STUB_LOG": str(log)}
    return subprocess.Popen([sys.executable, str(STUB), "score", str(source), str(target), *more], stderr=subprocess.PIPE, env=environment)


def texts_scored(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


KILLS = int(os.environ.get("KILLS", "2"))


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])  # the others are resumed below; KILLS=10 for more
def test_killed_and_resumed_gives_the_same_bytes(stub: StubAssessor, tmp_path: Path, ending: str) -> None:
    source = write(tmp_path / "in.csv", examples(400 * KILLS))  # enough that no life between two kills sees the end
    whole, target, log = tmp_path / f"whole{ending}", tmp_path / f"out{ending}", tmp_path / "log"
    assert main(["score", str(source), str(whole)]) == 3
    chance = random.Random(ending)
    scored = [0]
    for _ in range(KILLS):
        process = start(source, target, "--resume", seconds=0.004, log=log)
        while texts_scored(log) == scored[-1] and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.8))
        assert process.poll() is None, "the run ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        scored.append(texts_scored(log))
    assert not target.exists()
    last = start(source, target, "--resume", seconds=0, log=log)
    last.communicate()
    assert last.returncode == 3
    assert target.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.unfinished"))
    assert open_table(target).total == 400 * KILLS


def test_what_was_scored_before_a_kill_is_not_scored_again(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [["answer"], *([GOOD.format(i)] for i in range(400))])
    log, target = tmp_path / "log", tmp_path / "out.csv"
    process = start(source, target, seconds=0.005, log=log)
    while texts_scored(log) < 200:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    refused = start(source, target, seconds=0, log=log)
    assert b"add --resume to go on" in refused.communicate()[1]
    assert refused.returncode == 1
    assert start(source, target, "--resume", seconds=0, log=log).wait() == 0
    scored = Counter(log.read_text().splitlines())
    assert len(scored) == 400
    assert sum(count - 1 for count in scored.values()) <= 64, "more than one round was lost"


def test_the_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    source, log = write(tmp_path / "in.csv", examples(200)), tmp_path / "log"
    assert b"200/200" not in start(source, tmp_path / "quiet.csv", seconds=0.001, log=log).communicate()[1]
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 100))
    environment = os.environ | {"STUB_SECONDS": "0.001", "STUB_LOG": str(log)}
    process = subprocess.Popen([sys.executable, str(STUB), "score", str(source), str(tmp_path / "out.csv")], stderr=end, env=environment)
    os.close(end)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    assert process.wait() == 3
    rate = rb"(?: rows/s|s/ rows)"  # the second on a machine that is busy
    assert re.search(rb"200/200 \[[\d:]+<[\d:]+, +[\d.]+" + rate + rb"\]", shown), shown


def test_two_runs_do_not_write_the_same_output(tmp_path: Path, stub: StubAssessor, capsys: pytest.CaptureFixture[str]) -> None:
    source, log = write(tmp_path / "in.csv", examples(400)), tmp_path / "log"
    process = start(source, tmp_path / "out.csv", seconds=0.02, log=log)
    while texts_scored(log) < 70:
        time.sleep(0.01)
    part = tmp_path / "out.csv.unfinished" / "output.part"
    part.write_text("of the other run")
    for more in (["--resume"], []):
        assert main(["score", str(source), str(tmp_path / "out.csv"), *more]) == 1
        assert "another run is writing this output now." in capsys.readouterr().err
    assert part.exists()
    process.kill()
    process.communicate()


def test_answers_of_another_model_are_not_mixed_in(
    tmp_path: Path, stub: StubAssessor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = write(tmp_path / "in.csv", examples(20)), tmp_path / "out.csv"
    with monkeypatch.context() as patch:
        patch.setattr(classifier.job, "write_table", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["score", str(source), str(target)]) == 130
    stub.version = "stub-2"
    assert main(["score", str(source), str(target), "--resume"]) == 1
    assert "the unfinished run used model stub-1, and this is stub-2" in capsys.readouterr().err


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_a_full_disk_leaves_no_half_file(tmp_path: Path, ending: str) -> None:
    source, log = write(tmp_path / "in.csv", examples(3000)), tmp_path / "log"
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); "
    limited += f"sys.argv[:] = sys.argv[1:]; runpy.run_path({str(STUB)!r}, run_name='__main__')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(STUB.parent), str(STUB.parents[1])])}
    target = tmp_path / f"out{ending}"
    done = subprocess.run([sys.executable, "-c", limited, str(STUB), "score", str(source), str(target)], capture_output=True, env=environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr.decode()
    assert done.stderr.decode().strip().splitlines()[-1].endswith("go on with --resume.")
    left = tmp_path / f"out{ending}.unfinished"
    assert not target.exists() and [p.name for p in left.iterdir() if not p.name.startswith("answers.sqlite")] == []
    again = start(source, target, "--resume", seconds=0, log=log)
    again.communicate()
    assert again.returncode == 3
    assert open_table(target).total == 3000


def test_a_disk_that_is_too_small_is_said_at_once(
    stub: StubAssessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.csv", examples(20))
    monkeypatch.setattr(classifier.job.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10_000}))
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 1
    assert "the disk has 0 MB left, and about 1 MB are needed." in capsys.readouterr().err
    assert stub.calls == 0
    assert [p.name for p in tmp_path.iterdir()] == ["in.csv"]


@pytest.mark.parametrize("target", ["no/such/out.csv", "folder.csv", "out.doc", "out", "in.csv"])
def test_a_target_that_cannot_be_written_is_said_at_once(stub: StubAssessor, tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.csv", examples(20))
    (tmp_path / "folder.csv").mkdir()
    assert main(["score", str(source), str(tmp_path / target)]) == 1
    assert stub.calls == 0
    assert capsys.readouterr().err.strip().splitlines()[-1].endswith(".")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.csv", "in.csv"]


def test_memory_holds_no_more_than_a_round(stub: StubAssessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames given to the scorer never exceed the round, however long the table."""
    sizes = []
    true_score = classifier.batch.score_frame
    monkeypatch.setattr(classifier.workers, "score_frame", lambda frame, **rest: (sizes.append(len(frame)), true_score(frame, **rest))[1])
    source = write(tmp_path / "in.csv", [["answer"], *([GOOD.format(i)] for i in range(2000))])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 0
    assert sum(sizes) == 2000 and max(sizes) <= 64


def test_the_real_assessor_gives_the_contract(tmp_path: Path) -> None:
    source = write(tmp_path / "in.csv", [["answer"], [GOOD.format(3)]])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 0
    row = read(tmp_path / "out.csv")[0]
    assert list(row) == ["answer", *COLUMNS]
    assert json.loads(row["evidence"]) is not None and "-" in row["model"]


def test_a_folder_has_one_text_column_however_short_its_files_are(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / "a name that has as many words as an example of service would have.txt").write_text("Hello")
    assert main(["score", str(tmp_path / "drafts"), str(tmp_path / "out.csv")]) == 3
    assert "column 'text'\n" in capsys.readouterr().err
    assert read(tmp_path / "out.csv")[0]["status"].startswith("refused: too short")


def test_an_input_that_changes_on_the_way_costs_its_own_rows_only(stub: StubAssessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.csv", [["answer"], [GOOD.format(1)]])
    score = classifier.workers.score_frame

    def grown(frame: object, **rest: object) -> object:
        with source.open("a") as stream:
            stream.write(GOOD.format(2).join('""') + "\n")
        return score(frame, **rest)

    monkeypatch.setattr(classifier.workers, "score_frame", grown)
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 3
    assert [row["status"] for row in read(tmp_path / "out.csv")] == ["ok", "error: the text was another one when the input was read first"]


def test_an_input_that_goes_away_is_said_of_the_input(
    stub: StubAssessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.csv", [["answer"], [GOOD.format(1)]])
    score = classifier.workers.score_frame
    monkeypatch.setattr(classifier.workers, "score_frame", lambda frame, **rest: (source.unlink(), score(frame, **rest))[1])
    assert main(["score", str(source), str(tmp_path / "out.csv")]) == 1
    assert f"{source}: cannot be read any more (No such file or directory)" in capsys.readouterr().err


def test_a_lost_connection_is_not_blamed_on_the_output(
    stub: StubAssessor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(frame: object, **rest: object) -> None:
        raise ConnectionResetError("scheduler gone")

    monkeypatch.setattr(classifier.workers, "score_frame", broken)
    assert main(["score", str(write(tmp_path / "in.csv", examples(3))), str(tmp_path / "out.csv")]) == 1
    assert "The scoring broke off (ConnectionResetError)" in capsys.readouterr().err


def test_a_column_that_is_not_added_may_be_in_the_input(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.csv", [["client", "answer"], ["C1", GOOD]])
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--text", "answer"]) == 1
    assert "columns that scoring would add: client; rename them first." in capsys.readouterr().err
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--text", "answer", "--columns", "level"]) == 0
    assert list(read(tmp_path / "out.csv")[0]) == ["client", "answer", "status", "level"]


def test_a_name_that_no_file_can_have_is_said_at_once(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(write(tmp_path / "in.csv", examples(3))), str(tmp_path / ("x" * 300 + ".csv"))]) == 1
    assert "cannot be written (File name too long)." in capsys.readouterr().err


def test_what_names_a_row_cannot_write_to_the_terminal(stub: StubAssessor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "in.csv", [["id", "answer"], ["\x1b[2J\nforged " + "9" * 100, ""]])
    assert main(["score", str(source), str(tmp_path / "out.csv"), "--text", "answer", "--id", "id"]) == 3
    assert f"row 2 (id  [2J forged {'9' * 48} …): refused: empty" in capsys.readouterr().err
