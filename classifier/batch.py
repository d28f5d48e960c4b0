"""Scoring a table of examples: the columns that `score` adds are a contract."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from classifier.assessment import Assessment, Finding
from classifier.assessor import Assessor
from classifier.errors import InputError

COLUMNS = (
    "status", "level", "level_p0", "level_p1", "level_p2", "level_p3", "level_p4", "level_set",
    "client", "involvement", "commitment", "pspc_level", "flags", "evidence",
)  # fmt: skip


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file (UTF-8, with or without byte order mark); every cell stays the string that it was.

    Raises
    ------
    InputError
        When the file is missing, empty, not UTF-8 or not a table; the sentence names file and row.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder, not a CSV file.")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file.") from error
    except UnicodeDecodeError as error:
        row = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(f"{path}: row {row} is not UTF-8 text; save the table as CSV UTF-8.") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path}: the file is empty; a first row with column names is needed.") from error
    except (pd.errors.ParserError, ValueError) as error:
        raise InputError(f"{path}: not a CSV table ({' '.join(str(error).split())}).") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    if frame.empty:
        raise InputError(f"{path}: the table has column names but no rows.")
    return frame


def score_frame(frame: pd.DataFrame, assessor: Assessor, text: str, progress: Callable[[], object] = lambda: None) -> pd.DataFrame:
    """The frame with the contract's columns added; input columns, index and row order are kept.

    Parameters
    ----------
    frame : any table; cells of the column `text` that are not strings are refused row by row.
    text : name of the column with the examples.
    progress : called after each row.
    """
    if text not in frame.columns:
        raise InputError(f"The table has no column {text!r}; it has {', '.join(map(repr, frame.columns))}.")
    taken = [c for c in COLUMNS if c in frame.columns]
    if taken:
        raise InputError(f"The table has columns that scoring would add: {', '.join(taken)}; rename them first.")
    rows = []
    for value in frame[text]:
        rows.append(_row(assessor.assess(value if isinstance(value, str) else "")))
        progress()
    added = pd.DataFrame(rows, columns=list(COLUMNS), index=frame.index)
    return pd.concat([frame, added], axis=1)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a CSV file beside its place and move it there when it is whole, readable by its owner alone."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            frame.to_csv(stream, index=False)
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from error


def _row(assessment: Assessment) -> list[object]:
    if not assessment.ok or assessment.client is None:
        return [assessment.status, *[""] * (len(COLUMNS) - 1)]
    level = assessment.ratings["level"]
    degrees = [assessment.ratings[key].level if key in assessment.ratings else "" for key in ("involvement", "commitment", "pspc_level")]
    return [
        assessment.status, level.level, *(round(p, 4) for p in level.probabilities), "|".join(map(str, level.level_set)),
        assessment.client.value, *degrees, _json(assessment.flags), _json(assessment.evidence),
    ]  # fmt: skip


def _json(findings: tuple[Finding, ...]) -> str:
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False)
