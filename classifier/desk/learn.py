"""`classifier learn`: decided examples, pseudonymized and confirmed by an assessor, as corpus records."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.corpus import check_corpus
from classifier.desk.release import released
from classifier.desk.store import Desk
from classifier.errors import InputError

# Every example whose input hash falls into this share is kept out of training, to compare a new model with the old one.
_HELD_OUT = 5


@dataclass(frozen=True)
class Learnt:
    """Files and numbers: for training, held out, and decided examples whose text nobody has confirmed."""

    training: Path
    held_out: Path
    trained: int
    kept: int
    unconfirmed: int


def learn(desk: Desk, into: Path) -> Learnt:
    """Write the confirmed examples of a desk into a corpus folder, one file for training and one held out.

    The whole desk is one writer (`source`), so that no split of the corpus parts it. The files are written anew each time.
    """
    if not into.is_dir():
        raise InputError(f"{into}: there is no such folder.")
    name = f"desk-{desk.id}"
    confirmed = released(desk)
    records: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for entered in desk.examples():
        if entered.id in confirmed:
            held = int(entered.input, 16) % _HELD_OUT == 0
            records[held].append({"id": f"{name}-{entered.id}", "source": name, **confirmed[entered.id]})
    training, held_out = into / f"{name}.jsonl", into / "held-out" / f"{name}.jsonl"
    held_out.parent.mkdir(exist_ok=True)
    _write({training: records[False], held_out: records[True]})
    decided = sum(desk.final(e.id) is not None for e in desk.examples())
    desk.note("", "exported", {"examples": sorted(confirmed), "files_sha256": [hashlib.sha256(p.read_bytes()).hexdigest() for p in (training, held_out)]})
    return Learnt(training, held_out, len(records[False]), len(records[True]), decided - len(confirmed))


def _write(contents: Mapping[Path, Sequence[Mapping[str, Any]]]) -> None:
    """Write each file beside its place and check it; where all pass, move them there."""
    beside: dict[Path, Path] = {}
    try:
        for path, records in contents.items():
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
            beside[path] = Path(name)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
            faults = check_corpus(beside[path])
            if faults:
                raise InputError(f"{path}: nothing was written; the records would not pass the corpus check: {faults[0]}.")
        for path, made in beside.items():
            os.replace(made, path)
    finally:
        for made in beside.values():
            made.unlink(missing_ok=True)
