"""`classifier audit verify`: the trail against its hashes, and the database against the trail."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from classifier.desk import trail
from classifier.desk.database import writing
from classifier.desk.judgement import Judgement
from classifier.desk.logged import input_hash
from classifier.desk.store import Desk


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
    """Read the whole trail and every rating; nothing is changed or repaired."""
    with writing(desk.folder) as db:
        checked = trail.check(db, desk.folder)
        entries = {entry["seq"]: entry for entry in checked.entries if type(entry.get("seq")) is int}
        faults = (*checked.faults, *_differences(db, entries))
    return Verified(len(checked.entries), checked.hashes, checked.head, checked.waiting, faults)


# Where the database keeps what an entry tells: table, column of the content, column of the entry's number, key in the entry.
_KEPT = (("reading", "rating", "rated_entry", "rating"), ("reading", "conclusion", "concluded_entry", "conclusion"), ("final", "judgement", "entry", "final"))


def _differences(db: sqlite3.Connection, entries: Mapping[int, dict[str, Any]]) -> Iterator[str]:
    kept: set[int] = set()
    for table, column, number, key in _KEPT:
        for row in db.execute(f"SELECT example, assessor, {column} AS content, {number} AS entry FROM {table} WHERE {column} IS NOT NULL"):
            kept.add(row["entry"])
            entry = entries.get(row["entry"], {})
            told = {"example": row["example"], "who": row["assessor"], key: Judgement.from_dict(json.loads(row["content"])).logged()}
            if any(entry.get(name) != value for name, value in told.items()):
                yield f"the database's {key} of example {row['example']} by {row['assessor']} is not the one of entry {row['entry']}"
    for row in db.execute("SELECT id, text, input, entry FROM example"):
        kept.add(row["entry"])
        if not input_hash(row["text"]) == row["input"] == entries.get(row["entry"], {}).get("input"):
            yield f"the text of example {row['id']} is not the one that was added (entry {row['entry']})"
    for seq, entry in entries.items():
        if entry.get("what") in {"added", "rated", "concluded", "decided"} and seq not in kept:
            yield f"entry {seq} ({entry['what']}) has nothing in the database"
