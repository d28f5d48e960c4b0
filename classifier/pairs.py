"""Pairs of texts that differ in one thing only, written out: a name, or the writer's English."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classifier.errors import InputError
from classifier.rows import read_records


@dataclass(frozen=True)
class Pair:
    """Two texts with the same content. `kind` says in what they differ; a kind that begins with "name" is about who somebody is."""

    id: str
    kind: str
    a: str
    b: str


def read_pairs(folder: Path) -> list[Pair]:
    """All pairs of a folder of JSON Lines files.

    Raises
    ------
    InputError
        With file and line, when a line is no pair, or when there are none.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, record in read_records(path):
            try:
                pair = Pair(record["id"], record["kind"], record["a"], record["b"])
                if not all(isinstance(value, str) for value in (pair.id, pair.kind, pair.a, pair.b)):
                    raise TypeError("a field is no text")
            except (KeyError, TypeError) as error:
                raise InputError(f"{path}:{number}: not a pair with id, kind, a and b ({error!r}).") from error
            found.append(pair)
    if not found:
        raise InputError(f"{folder}: there are no pairs here (.jsonl files).")
    return found
