"""`classifier audit replay`: the logged suggestions once more from the logged model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from classifier.assessment import Assessment
from classifier.assessor import Assessor, read_manifest
from classifier.desk.logged import input_hash, logged_suggestion, suggestion_hash
from classifier.desk.record import Model
from classifier.desk.store import Desk
from classifier.desk.trail import canonical


@dataclass(frozen=True)
class Replayed:
    """How many logged suggestions came out identical, which did not, and those of other models, which were not tried."""

    identical: int
    differing: tuple[str, ...]
    other_models: int


def replay(desk: Desk, assess: Callable[[str], Assessment], model: Model) -> Replayed:
    """Assess each logged input again; identical means equal to the last bit of every probability."""
    texts = {input_hash(entered.text): entered.text for entered in desk.examples()}
    identical, others = 0, 0
    differing = []
    for entry in desk.check_trail().entries:
        if entry.get("what") != "revealed":
            continue
        if entry["model"]["sha256"] != model.sha256:
            others += 1
        elif entry["input"] not in texts:
            differing.append(f"entry {entry['seq']}: the text is not in the desk any more")
        else:
            again = assess(texts[entry["input"]])
            same = suggestion_hash(again) == entry["suggestion_sha256"] and canonical(logged_suggestion(again)) == canonical(entry["suggestion"])
            identical += same
            if not same:
                differing.append(f"entry {entry['seq']}: the suggestion for example {entry['example']} differs")
    return Replayed(identical, tuple(differing), others)


def model_of(assessor: Assessor) -> Model:
    """Version of a loaded model, and the hash over the names and hashes of its files."""
    manifest = read_manifest(assessor.encoder.folder.parent)
    return Model(assessor.version, hashlib.sha256(canonical(manifest["files"])).hexdigest())
