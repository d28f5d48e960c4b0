"""Rows of the desk's database as records, and what the state of an example allows."""

from __future__ import annotations

import json
import sqlite3

from classifier.assessment import Assessment
from classifier.desk.faults import MissingError, OutOfOrderError
from classifier.desk.judgement import Judgement
from classifier.desk.record import Entered, Model, Reading, Suggested


def entered_of(db: sqlite3.Connection, example: int) -> Entered:
    """One example; MissingError when there is none."""
    known = abs(example) < 2**63  # SQLite has no larger numbers
    row = db.execute("SELECT id, name, text, input, wanted FROM example WHERE id = ?", (example,)).fetchone() if known else None
    if row is None:
        raise MissingError("There is no such example.")
    return Entered(*row)


def row_of(db: sqlite3.Connection, example: int, who: str) -> sqlite3.Row | None:
    """One assessor's reading as its row."""
    found: sqlite3.Row | None = db.execute("SELECT * FROM reading WHERE example = ? AND assessor = ?", (example, who)).fetchone()
    return found


def suggested_of(db: sqlite3.Connection, suggestion: int) -> Suggested:
    """A stored suggestion."""
    row = db.execute("SELECT model, model_hash, assessment FROM suggestion WHERE id = ?", (suggestion,)).fetchone()
    return Suggested(Model(row["model"], row["model_hash"]), Assessment.from_dict(json.loads(row["assessment"])))


def reading_of(db: sqlite3.Connection, row: sqlite3.Row | None, example: int) -> Reading | None:
    """A reading from its row."""
    if row is None:
        return None
    rating, conclusion = (None if row[name] is None else Judgement.from_dict(json.loads(row[name])) for name in ("rating", "conclusion"))
    suggestion = None if row["suggestion"] is None else suggested_of(db, row["suggestion"])
    return Reading(example, row["assessor"], bool(row["blind"]), rating, row["rated_at"], suggestion, row["choice"], conclusion, row["concluded_at"])


def check_reveal(db: sqlite3.Connection, example: int, who: str, blinding: bool) -> sqlite3.Row | None:
    """The assessor's row; OutOfOrderError unless the suggestion may be shown now."""
    entered = entered_of(db, example)
    row = row_of(db, example, who)
    if row is None or row["rating"] is None:
        if blinding and (row is None or row["revealed_entry"] is None):
            raise OutOfOrderError("Rate the example first; the suggestion is shown afterwards.")
        if row is None:
            check_open(db, entered, who)
    return row


def check_open(db: sqlite3.Connection, entered: Entered, who: str) -> None:
    """OutOfOrderError when the example is decided or has all its readings."""
    if db.execute("SELECT 1 FROM final WHERE example = ?", (entered.id,)).fetchone():
        raise OutOfOrderError("This example has been decided.")
    taken = db.execute("SELECT count(*) FROM reading WHERE example = ? AND assessor <> ? AND rating IS NOT NULL", (entered.id, who)).fetchone()[0]
    if taken >= entered.wanted:
        raise OutOfOrderError("This example has all its readings.")


def all_concluded(db: sqlite3.Connection, entered: Entered) -> tuple[Reading, ...]:
    """All concluded readings; OutOfOrderError when some are wanting."""
    rows = db.execute("SELECT * FROM reading WHERE example = ? AND conclusion IS NOT NULL ORDER BY concluded_entry", (entered.id,)).fetchall()
    if len(rows) < entered.wanted:
        raise OutOfOrderError("This example does not have all its readings yet.")
    return tuple(found for row in rows if (found := reading_of(db, row, entered.id)) is not None)


def state_of(row: sqlite3.Row) -> str:
    """What the assessor of a queue's row can do next."""
    if row["final"] is not None:
        return "decided"
    if not row["rated"]:
        return "rate" if row["taken"] < row["wanted"] else "decide" if row["done"] >= row["wanted"] else "full"
    if not row["concluded"]:
        return "reveal" if row["revealed_entry"] is None else "conclude"
    return "decide" if row["done"] >= row["wanted"] else "waiting"
