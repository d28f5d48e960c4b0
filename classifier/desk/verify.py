"""`classifier audit verify`: the trail against its hashes, and the database against the trail."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from classifier.assessment import Assessment
from classifier.desk import trail
from classifier.desk.database import writing
from classifier.desk.judgement import Judgement
from classifier.desk.logged import input_hash, logged_suggestion, suggestion_hash
from classifier.desk.store import Desk
from classifier.desk.trail import canonical


@dataclass(frozen=True)
class Verified:
    """The number of entries, the hash of the last one and of each, and every fault in a sentence."""

    entries: int
    hashes: tuple[str, ...]
    head: str
    waiting: int
    faults: tuple[str, ...]

    def holds(self, head: str) -> bool:
        """Whether an entry with this hash, noted at an earlier time, is in the trail; all before it are then as they were."""
        return head.lower() in self.hashes


def verify(desk: Desk) -> Verified:
    """Read the whole trail and every step that the database holds; nothing is changed or repaired."""
    with writing(desk.folder) as db:
        checked = trail.check(db, desk.folder)
        entries = {entry["seq"]: entry for entry in checked.entries if type(entry.get("seq")) is int}
        faults = (*checked.faults, *_differences(db, entries))
    return Verified(len(checked.entries), checked.hashes, checked.head, checked.waiting, faults)


# Each row of the database tells what an entry tells: its name, the rows, and what the entry of a row's number must hold.
_Says = Callable[[sqlite3.Row], dict[str, Any]]
_KEPT: tuple[tuple[str, str, _Says], ...] = (
    (
        "text",
        "SELECT id AS example, '' AS who, entry, text, input FROM example",
        lambda row: {"input": row["input"] if row["input"] == input_hash(row["text"]) else None},
    ),
    (
        "rating",
        "SELECT example, assessor AS who, rated_entry AS entry, blind, rating FROM reading WHERE rating IS NOT NULL",
        lambda row: {"mode": _mode(row), "rating": _logged(row["rating"])},
    ),
    (
        "suggestion",
        (
            "SELECT r.example, r.assessor AS who, r.revealed_entry AS entry, r.blind, s.model, s.model_hash, s.assessment"
            " FROM reading AS r JOIN suggestion AS s ON s.id = r.suggestion"
        ),
        lambda row: {"mode": _mode(row), "model": {"version": row["model"], "sha256": row["model_hash"]}, **_suggested(row["assessment"])},
    ),
    (
        "conclusion",
        "SELECT example, assessor AS who, concluded_entry AS entry, choice, conclusion FROM reading WHERE conclusion IS NOT NULL",
        lambda row: {"choice": row["choice"], "conclusion": _logged(row["conclusion"])},
    ),
    ("opening", "SELECT example, assessor AS who, entry FROM opened", lambda row: {}),
    ("final", "SELECT example, assessor AS who, entry, judgement FROM final", lambda row: {"final": _logged(row["judgement"])}),
    (
        "release",
        "SELECT example, assessor AS who, entry, record FROM release",
        lambda row: {"released": input_hash(json.loads(row["record"])["text"])},
    ),
)


def _mode(row: sqlite3.Row) -> str:
    return "blind" if row["blind"] else "open"


def _logged(content: str) -> dict[str, Any]:
    return Judgement.from_dict(json.loads(content)).logged()


def _suggested(content: str) -> dict[str, Any]:
    assessment = Assessment.from_dict(json.loads(content))
    return {"suggestion": logged_suggestion(assessment), "suggestion_sha256": suggestion_hash(assessment)}


def _differences(db: sqlite3.Connection, entries: Mapping[int, dict[str, Any]]) -> Iterator[str]:
    kept: set[int] = set()
    for name, rows, says in _KEPT:
        for row in db.execute(rows):
            kept.add(row["entry"])
            told = f"the database's {name} of example {row['example']}" + (f" by {row['who']}" if row["who"] else "")
            try:
                facts = {"example": row["example"], "who": row["who"], **says(row)}
            except (ValueError, KeyError, TypeError, AttributeError):
                yield f"{told} cannot be read (entry {row['entry']})"
                continue
            entry = entries.get(row["entry"], {})
            # Through JSON, as the entry went, so that a tuple is a list.
            if any(key not in entry or canonical(entry[key]) != canonical(value) for key, value in facts.items()):
                yield f"{told} is not the one of entry {row['entry']}"
    # A later confirmation of a text takes the place of an earlier one.
    released = {entry.get("example"): seq for seq, entry in sorted(entries.items()) if entry.get("what") == "released"}
    for seq, entry in entries.items():
        what = entry.get("what")
        wanted = what in {"added", "rated", "revealed", "concluded", "opened", "decided"} or seq in released.values()
        if wanted and seq not in kept:
            yield f"entry {seq} ({what}) has nothing in the database"
