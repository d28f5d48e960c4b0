"""The same values, row by row, wherever the rows are scored and whatever the format."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pandas as pd
import pytest

from classifier.assessor import Assessor, shipped_model
from classifier.batch import score_frame
from classifier.cli import main
from classifier.contract import COLUMNS
from classifier.corpus import Example
from classifier.errors import InputError
from classifier.job import Job, open_job, score_file
from classifier.rows import as_text
from classifier.tables import open_table
from classifier.workers import here, in_processes, on_dask, score_in_worker


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, corpus: list[Example]) -> Path:
    path = tmp_path_factory.mktemp("table") / "in.csv"
    texts = [e.text for e in corpus[::100]] + ["", "too short", corpus[0].text]
    pd.DataFrame({"id": range(len(texts)), "answer": texts}).to_csv(path, index=False)
    return path


def values(path: Path) -> list[list[str]]:
    table = open_table(path)
    return [[as_text(cell) for cell in row] for chunk in table.read() for row in chunk.cells]


@pytest.fixture(scope="module")
def alone(source: Path) -> list[list[str]]:
    target = source.with_name("alone.csv")
    assert main(["score", str(source), str(target), "--text", "answer"]) == 3
    found = values(target)
    assert len(found[0]) == 2 + len(COLUMNS) and sum(row[2] == "ok" for row in found) > 5
    return found


@pytest.mark.parametrize("ending", [".tsv", ".xlsx", ".parquet", ".jsonl"])
def test_each_format_out_and_in(source: Path, alone: list[list[str]], ending: str) -> None:
    """The table as each format, scored from that format and into it."""
    plain, target = source.with_name(f"plain{ending}"), source.with_name(f"scored{ending}")
    frame = pd.read_csv(source, dtype=str, keep_default_na=False)
    if ending == ".xlsx":
        frame.to_excel(plain, index=False)
    elif ending == ".parquet":
        frame.to_parquet(plain, index=False)
    elif ending == ".jsonl":
        frame.to_json(plain, orient="records", lines=True)
    else:
        frame.to_csv(plain, sep="\t", index=False)
    assert main(["score", str(plain), str(target), "--text", "answer"]) == 3
    assert values(target) == alone


def test_two_processes(source: Path, alone: list[list[str]]) -> None:
    target = source.with_name("jobs.csv")
    assert main(["score", str(source), str(target), "--text", "answer", "--jobs", "2"]) == 3
    assert values(target) == alone


def test_a_frame(source: Path, alone: list[list[str]], assessor: Assessor) -> None:
    frame = pd.read_csv(source, dtype=str, keep_default_na=False)
    frame.index = frame.index[::-1]
    scored = score_frame(frame, assessor, "answer")
    assert scored.index.equals(frame.index) and list(scored.columns) == ["id", "answer", *COLUMNS]
    assert [[as_text(None if pd.isna(cell) else cell) for cell in row] for row in scored.to_numpy().tolist()] == alone


def test_cells_that_are_no_text(assessor: Assessor) -> None:
    scored = score_frame(pd.DataFrame({"a": [None, float("nan"), 3, b"x", ["x"], pd.NA]}, dtype=object), assessor, "a")
    assert scored["status"].tolist() == ["refused: empty"] * 2 + ["refused: not text"] * 3 + ["refused: empty"]


def test_a_frame_without_the_column_or_with_two(assessor: Assessor) -> None:
    with pytest.raises(InputError, match="no one column 'b'; it has 'a'"):
        score_frame(pd.DataFrame({"a": []}), assessor, "b")
    with pytest.raises(InputError, match="has 2 of this name"):
        score_frame(pd.DataFrame([["x", "y"]], columns=["a", "a"]), assessor, "a")


def test_an_empty_frame(assessor: Assessor) -> None:
    assert list(score_frame(pd.DataFrame({"a": []}), assessor, "a").columns) == ["a", *COLUMNS]


def test_a_worker_with_another_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"A worker has model .*, and this machine has other-1"):
        score_in_worker(pd.DataFrame({"text": ["x"]}), None, "other-1")


def test_jobs_must_be_a_number_of_processes(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(source), str(source.with_name("x.csv")), "--text", "answer", "--jobs", "0"]) == 1
    assert "--jobs is a number of processes" in capsys.readouterr().err


def test_dask_with_seven_partitions(source: Path, alone: list[list[str]], assessor: Assessor) -> None:
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    target = source.with_name("dask.csv")
    job = Job(source, target, "answer")
    with on_dask(None, assessor.version, None, partitions=7) as scorer:
        score_file(job, open_job(job), scorer, assessor.version, round_size=1000, resume=False, progress=lambda _: None)
    assert values(target) == alone


def test_a_dask_worker_is_killed_and_the_job_ends_right(source: Path, alone: list[list[str]], assessor: Assessor) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    target = source.with_name("killed.csv")
    job = Job(source, target, "answer")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        killed: list[int] = []
        ended = threading.Event()

        def kill() -> None:
            # Once a worker has begun with a partition, end it as the system would.
            with distributed.Client(cluster.scheduler_address) as watcher:
                while not (busy := [address for address, tasks in watcher.processing().items() if tasks]):
                    if ended.wait(0.01):
                        return
                killed.append(watcher.run(os.getpid, workers=busy[:1])[busy[0]])
                os.kill(killed[0], signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        with on_dask(None, assessor.version, cluster.scheduler_address, partitions=7) as scorer:
            score_file(job, open_job(job), scorer, assessor.version, round_size=1000, resume=False, progress=lambda _: None)
        ended.set()
        thread.join()
    assert killed, "the work was done before a worker could be killed"
    assert values(target) == alone


def test_no_scheduler_at_the_address(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    assert main(["score", str(source), str(source.with_name("x.csv")), "--text", "answer", "--dask", "tcp://127.0.0.1:9"]) == 1
    assert "no Dask scheduler answers there" in capsys.readouterr().err


def test_a_killed_process_is_said(source: Path, assessor: Assessor, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"text": ["x"] * 4})
    with in_processes(shipped_model(), assessor.version, 2) as scorer:
        assert list(scorer(frame).status) == ["refused: too short: 1 words, at least 8 are needed"] * 4
        monkeypatch.setattr("classifier.workers.score_in_worker", _die)
        with pytest.raises(InputError, match="ended from outside"):
            scorer(frame)


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_here_is_the_function_itself(assessor: Assessor) -> None:
    with here(assessor) as scorer:
        pd.testing.assert_frame_equal(scorer(pd.DataFrame({"text": ["x"]})), score_frame(pd.DataFrame({"text": ["x"]}), assessor, "text"))
