"""Scoring a table of examples, in the columns of `contract`."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.assessment import Assessment, Finding
from classifier.assessor import Assessor
from classifier.contract import COLUMNS, TYPES
from classifier.errors import InputError
from classifier.rows import encodable

DTYPES = {str: "string", int: "Int64", float: "float64"}


def score_frame(frame: pd.DataFrame, assessor: Assessor, text: str) -> pd.DataFrame:
    """The frame with the contract's columns added; input columns, index and row order are kept.

    No row stops the others: one that cannot be assessed says why in its `status` (``refused: …``, ``error: …``).

    Parameters
    ----------
    frame : any table; cells of the column `text` that are no text are refused row by row.
    text : name of the column with the examples.

    Examples
    --------
    >>> import pandas as pd
    >>> from classifier import load_assessor, score_frame
    >>> score_frame(pd.DataFrame({"answer": ["Hello"]}), load_assessor(), "answer").status[0]  # doctest: +SKIP
    'refused: too short: 1 words, at least 8 are needed'
    """
    matching = [name for name in frame.columns if name == text]
    if len(matching) != 1:
        has = f"it has {', '.join(map(repr, frame.columns))}" if not matching else f"it has {len(matching)} of this name"
        raise InputError(f"The table has no one column {text!r}; {has}.")
    refuse_taken(list(frame.columns))
    rows = list(_rows(frame[text].tolist(), assessor))
    added = {name: pd.Series([row[i] for row in rows], index=frame.index, dtype=DTYPES[kind]) for i, (name, kind) in enumerate(TYPES.items())}
    return pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)


def refuse_taken(columns: Sequence[str]) -> None:
    """Refuse a table that has a column which scoring would add."""
    taken = [c for c in COLUMNS if c in columns]
    if taken:
        raise InputError(f"The table has columns that scoring would add: {', '.join(taken)}; rename them first.")


def _rows(values: Sequence[Any], assessor: Assessor) -> Iterator[list[Any]]:
    """One row of cells for each value. Values that are no text are not shown to the assessor."""
    texts = [value for value in values if isinstance(value, str)]
    answers = _answers(texts, assessor)
    for value in values:
        if isinstance(value, str):
            yield next(answers)
        else:
            yield unscored("refused: empty" if pd.isna(value) is True else "refused: not text", assessor.version)


def _answers(texts: Sequence[str], assessor: Assessor) -> Iterator[list[Any]]:
    done = 0
    try:
        for answer in assessor.assess_many(texts):
            yield _cells(answer)
            done += 1
    except Exception:  # whatever it is, it must cost one row only: the rest goes one by one, so that it is named on its own row
        for text in texts[done:]:
            yield _one(text, assessor)


def _one(text: str, assessor: Assessor) -> list[Any]:
    try:
        return _cells(assessor.assess(text))
    except Exception as error:
        # The message may quote the text, and the status is printed where logs are made of it.
        place = traceback.extract_tb(error.__traceback__)[-1]
        return unscored(encodable(f"error: {type(error).__name__} in {Path(place.filename).name}:{place.lineno}"), assessor.version)


def unscored(status: str, model: str) -> list[Any]:
    """The cells of a row that is not scored."""
    return [status, *[None] * (len(COLUMNS) - 2), model]


def _cells(assessment: Assessment) -> list[Any]:
    if not assessment.ok or assessment.client is None:
        return unscored(assessment.status, assessment.model)
    level = assessment.ratings["level"]
    degrees = [assessment.ratings[key].level if key in assessment.ratings else None for key in ("involvement", "commitment", "pspc_level")]
    return [
        assessment.status, level.level, *(round(p, 4) for p in level.probabilities), "|".join(map(str, level.level_set)),
        assessment.client.value, *degrees, _json(assessment.flags), _json(assessment.evidence), assessment.model,
    ]  # fmt: skip


def _json(findings: tuple[Finding, ...]) -> str:
    return json.dumps([asdict(finding) | {"confidence": round(finding.confidence, 4)} for finding in findings], ensure_ascii=False)
