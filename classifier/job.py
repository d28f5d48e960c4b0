"""Scoring a file: every row of the input comes out with a status, whatever happens on the way."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.batch import refuse_taken, unscored
from classifier.checkpoint import Checkpoint, text_key, unfinished
from classifier.contract import COLUMNS, TYPES
from classifier.document import MIN_WORDS
from classifier.errors import InputError
from classifier.excel import Formula
from classifier.rows import Chunk, Scored, Shown, Table, as_text
from classifier.tables import check_target, open_table, position, shown_column, write_table
from classifier.words import words
from classifier.workers import Score

_NAMED_ROWS = 10
# Disk that a row's answer takes, in the checkpoint and in the output together, as measured on the corpus, and some more.
_BYTES_A_ROW = 6_000


@dataclass
class Summary:
    """What came of the rows: counts, and the first rows that were not scored."""

    rows: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)
    unsure: int = 0
    flagged: int = 0
    not_scored: list[str] = field(default_factory=list)

    @property
    def scored(self) -> int:
        """Rows with an answer."""
        return self.statuses["ok"]

    def add(self, cells: Sequence[Any], row_number: int, name: str, main: str) -> None:
        """Count one row by its cells in the order of `COLUMNS`; number and name are those that the user sees."""
        row = dict(zip(COLUMNS, cells, strict=True))
        self.rows += 1
        self.statuses[kind(row["status"])] += 1
        if row["status"] != "ok":
            if len(self.not_scored) < _NAMED_ROWS:
                self.not_scored.append(f"row {row_number}{name}: {row['status']}")
            return
        if row[main] is not None:
            self.levels[row[main]] += 1
        self.unsure += "|" in row["level_set"]
        self.flagged += row["flags"] != "[]"


def kind(status: str) -> str:
    """A status without its particulars, for counting.

    >>> kind("refused: too short: 3 words, at least 8 are needed")
    'refused: too short'
    """
    return "error" if status.startswith("error:") else ":".join(status.split(":")[:2])


@dataclass(frozen=True)
class Job:
    """What to score, and how the result should look.

    text, id : names of columns; without `text` it is guessed where only one can be meant.
    columns : which of the contract's columns to add (`status` always is).
    main : the scale that is counted and coloured ("level", "pspc_level").
    notice : stands on the summary sheet of a workbook.
    """

    source: Path
    target: Path
    text: str | None = None
    id: str | None = None
    columns: Sequence[str] = COLUMNS
    sheet: str | None = None
    main: str = "level"
    notice: str = ""


def open_job(job: Job) -> tuple[Table, int, int | None]:
    """The input with the positions of its text and its id, checked against all that could be known before scoring."""
    unknown = [name for name in job.columns if name not in COLUMNS]
    if unknown:
        raise InputError(f"There is no column {unknown[0]!r} to add; there are {', '.join(COLUMNS)}.")
    table = open_table(job.source, job.sheet)
    try:
        check_target(job.target, table, len(COLUMNS))
        if job.target.exists() and job.source.samefile(job.target):
            raise InputError(f"{job.target}: the output would replace the input; give it another name.")
        if job.source.is_dir() and job.target.resolve().is_relative_to(job.source.resolve()):
            raise InputError(f"{job.target}: the output lies in the folder that is read; put it elsewhere.")
    except OSError as error:  # a name that is too long, say
        raise InputError(f"{job.target}: cannot be written ({error.strerror}).") from error
    refuse_taken([name for name in table.columns if name in _chosen(job)])
    text = guess_text(table, job.source) if job.text is None else position(table, job.text, job.source)
    identifier = None if job.id is None else position(table, job.id, job.source)
    if identifier == text:
        raise InputError(f"{job.source}: --id names the column with the examples, whose words stay out of messages; name another.")
    return table, text, identifier


def _chosen(job: Job) -> list[str]:
    """The columns to add, in the order of the contract."""
    return [name for name in COLUMNS if name in job.columns or name == "status"]


def guess_text(table: Table, source: Path) -> int:
    """The one column whose filled cells are mostly sentences; that of a folder's documents is known."""
    if source.is_dir():
        return table.columns.index("text")
    if len(table.columns) == 1:
        return 0
    chunk = next(table.read())
    likely = []
    for i in range(len(table.columns)):
        filled = [row[i] for row in chunk.cells if row[i] is not None and row[i] != ""]
        long = sum(isinstance(cell, str) and len(words(cell[:2_000])) >= MIN_WORDS for cell in filled)
        if filled and long >= len(filled) / 2:
            likely.append(i)
    if len(likely) == 1:
        return likely[0]
    names = ", ".join(shown_column(table.columns, i) for i in likely or range(len(table.columns)))
    raise InputError(f"{source}: say with --text which column holds the examples; it could be {names}.")


def score_file(
    job: Job, opened: tuple[Table, int, int | None], score: Score, model: str, *, round_size: int, resume: bool, progress: Callable[[int], object]
) -> Summary:
    """Score the rows and write the output, beside its place first and moved there when it is whole.

    Parameters
    ----------
    opened : what `open_job` gave.
    score : one of `classifier.workers`.
    model : version of the assessor that `score` uses.
    round_size : texts that are scored together and kept together; a kill costs one round at most.
    resume : go on with an unfinished run, if there is one.
    progress : called with numbers of rows that are done.
    """
    table, text, identifier = opened
    _refuse_full_disk(job.source, job.target, table)
    with unfinished(job.target, resume) as folder:
        checkpoint = Checkpoint(folder, model)
        try:
            for done in _score_texts(table, text, checkpoint, _named(score), job.source, round_size):
                progress(done)
            summary = Summary()
            chosen = _chosen(job)
            places = [COLUMNS.index(name) for name in chosen]

            def rows() -> Iterator[Scored]:
                for chunk in _read(table, job.source):
                    cells = _answers(chunk, text, checkpoint, model)
                    for row, answer in zip(chunk.cells, cells, strict=True):
                        name = "" if identifier is None else f" ({table.columns[identifier]} {_printable(row[identifier])})"
                        summary.add(answer, summary.rows + table.first_row, name, job.main)
                    yield Scored(chunk, [[answer[i] for i in places] for answer in cells])

            part = folder / "output.part"
            # Made by itself first, so that only its owner may read it from the start.
            os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            added = {name: TYPES[name] for name in chosen}
            write_table(part, job.target.suffix.lower(), table, added, rows(), lambda: summary_lines(summary, job, model), job.main)
            with part.open("rb") as written:
                os.fsync(written.fileno())  # so that a power cut leaves the whole file or none
            os.replace(part, job.target)
        except OSError as error:
            raise InputError(f"{job.target}: cannot be written ({error.strerror or error}); the answers so far are kept, go on with --resume.") from error
        finally:
            checkpoint.close()
    return summary


def _refuse_full_disk(source: Path, target: Path, table: Table) -> None:
    size = source.stat().st_size if source.is_file() else 0
    try:
        free = shutil.disk_usage(target.parent).free
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}).") from error
    needed = 2 * size + _BYTES_A_ROW * table.total
    if free < needed:
        raise InputError(f"{target}: the disk has {free // 1_000_000:,} MB left, and about {needed // 1_000_000 + 1:,} MB are needed.")


def _read(table: Table, source: Path) -> Iterator[Chunk]:
    """The table's chunks; what goes wrong is said of the input."""
    try:
        yield from table.read()
    except OSError as error:
        raise InputError(f"{source}: cannot be read any more ({error.strerror or error}); the answers so far are kept, go on with --resume.") from error


def _named(score: Score) -> Score:
    """The same scorer; a connection that it loses is said to be that."""

    def named(frame: pd.DataFrame) -> pd.DataFrame:
        try:
            return score(frame)
        except OSError as error:
            raise InputError(f"The scoring broke off ({type(error).__name__}); the answers so far are kept, go on with --resume.") from error

    return named


def _printable(cell: Any, most: int = 60) -> str:
    """A cell for a message: one line of limited length, without control characters."""
    shown = "".join(character if character.isprintable() else " " for character in as_text(cell))
    return shown if len(shown) <= most else f"{shown[:most]} …"


def _score_texts(table: Table, text: int, checkpoint: Checkpoint, score: Score, source: Path, round_size: int) -> Iterator[int]:
    """Score each text that the checkpoint does not hold, once; yields numbers of rows read and done."""
    fresh: dict[bytes, str] = {}
    rows = 0
    for chunk in _read(table, source):
        for row, fault in zip(chunk.cells, chunk.faults, strict=True):
            rows += 1
            value = row[text]
            if fault is None and isinstance(value, str):
                key = text_key(value)
                if key not in fresh and key not in checkpoint:
                    fresh[key] = value
            if len(fresh) >= round_size:
                _keep(fresh, checkpoint, score)
                yield rows
                fresh, rows = {}, 0
    if fresh:
        _keep(fresh, checkpoint, score)
    yield rows


def _keep(fresh: dict[bytes, str], checkpoint: Checkpoint, score: Score) -> None:
    frame = pd.DataFrame({"text": pd.Series(list(fresh.values()), dtype="object")})
    scored = score(frame)[list(COLUMNS)].astype("object")
    cells = scored.where(scored.notna(), None).to_numpy().tolist()
    checkpoint.update(dict(zip(fresh, cells, strict=True)))


def _answers(chunk: Chunk, text: int, checkpoint: Checkpoint, model: str) -> list[list[Any]]:
    found = []
    for row, fault in zip(chunk.cells, chunk.faults, strict=True):
        value = row[text].value if isinstance(row[text], Shown) else row[text]
        if fault is not None:
            found.append(unscored(fault, model))
        elif isinstance(value, str):
            try:
                found.append(checkpoint[text_key(value)])
            except KeyError:
                found.append(unscored("error: the text was another one when the input was read first", model))
        elif isinstance(value, Formula):
            found.append(unscored("error: formula without a stored value; open the workbook in a spreadsheet and save it", model))
        else:
            found.append(unscored("refused: empty" if value is None or value != value else "refused: not text", model))
    return found


def summary_lines(summary: Summary, job: Job, model: str) -> list[tuple[str, object]]:
    """The summary as pairs of a name and a value, for the workbook's second sheet."""
    lines: list[tuple[str, object]] = [("Summary", ""), ("Rows", summary.rows), ("Scored", summary.scored), ("Model", model)]
    lines += [("", ""), ("Level" if job.main == "level" else job.main, "")]
    lines += [(f"Level {level}", summary.levels[level]) for level in sorted(summary.levels)]
    lines += [("", "")]
    if job.main == "level":  # the plausible levels are those of this scale
        share = round(summary.unsure / summary.scored, 3) if summary.scored else 0
        lines += [("Share of scored rows where more than one level is plausible", share)]
    lines += [("Scored rows with a flag", summary.flagged)]
    lines += [("", ""), ("Rows by status", ""), *sorted(summary.statuses.items())]
    return [*lines, ("", ""), ("Notice", ""), (job.notice, "")] if job.notice else lines
