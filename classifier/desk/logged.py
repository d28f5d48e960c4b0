"""What the audit trail holds of texts, suggestions and frameworks: places and hashes, never words."""

from __future__ import annotations

import hashlib
from typing import Any

from classifier.assessment import Assessment
from classifier.desk.trail import canonical
from classifier.framework import DATA, framework_names


def input_hash(text: str) -> str:
    """What the trail calls a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def suggestion_hash(assessment: Assessment) -> str:
    """SHA-256 of the whole suggestion, to the last bit of every probability."""
    return hashlib.sha256(canonical(assessment.to_dict())).hexdigest()


def logged_suggestion(assessment: Assessment) -> dict[str, Any]:
    """A suggestion without any words of the text."""
    found = assessment.to_dict()
    for name in ("evidence", "flags", "means"):
        found[name] = [[f["key"], f["start"], f["end"], f["confidence"]] for f in found[name]]
    for name in ("client_words", "story", "values", "shared"):
        found[name] = [[n["key"], n["start"], n["end"]] for n in found[name]]
    return found


def framework_hashes() -> dict[str, str]:
    """The version of each framework: the hash of its file."""
    return {name: hashlib.sha256((DATA / f"{name}.toml").read_bytes()).hexdigest() for name in framework_names()}
