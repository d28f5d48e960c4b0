"""Decided examples on their way to the corpus: pseudonymized, and confirmed by an assessor who has seen the result."""

from __future__ import annotations

import json
from typing import Any

from classifier.desk import trail
from classifier.desk.database import reading
from classifier.desk.faults import OutOfOrderError
from classifier.desk.logged import input_hash
from classifier.desk.pseudonyms import labels, pseudonymize
from classifier.desk.store import Desk
from classifier.errors import InputError


def release(desk: Desk, example: int, who: str, text: str) -> int:
    """Record that `who` confirms `text` as free of personal data; returns how many marks were lost because their words are gone.

    A later confirmation takes the place of an earlier one; the trail keeps both.
    """
    entered, final = desk.example(example), desk.final(example)
    if final is None:
        raise OutOfOrderError("This example has not been decided.")
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InputError("The text is empty.")
    made = pseudonymize(entered.text)
    held = final.judgement
    flags, evidence = labels(text, made, held.flags), labels(text, made, held.evidence)
    record = {"text": text, "level": held.level, "client": held.client, "flags": flags, "evidence": evidence}
    with desk.step() as db:
        facts = {"example": example, "input": entered.input, "released": input_hash(text)}
        entry = trail.append(db, who, "released", facts, trail.now())
        db.execute("INSERT OR REPLACE INTO release VALUES (?, ?, ?, ?)", (example, who, json.dumps(record), entry))
    return len(held.flags) + len(held.evidence) - len(flags) - len(evidence)


def released(desk: Desk) -> dict[int, dict[str, Any]]:
    """The confirmed records by the number of their example."""
    with reading(desk.folder) as db:
        return {row["example"]: json.loads(row["record"]) for row in db.execute("SELECT example, record FROM release ORDER BY example")}
