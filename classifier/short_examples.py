"""The table of short texts (tests/examples.toml): words that must be found, near misses in which the key must not be found.

``known_missed`` and ``known_raised`` of an entry number the texts (from 0) on which the shipped model is known to fail; a test
holds them against the model, and `evaluate --table` counts them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.assessor import Assessor
from classifier.corpus import Label
from classifier.errors import InputError
from classifier.spans import located, meet

# Kind of key in the table -> where an assessment has its findings.
KINDS = {"behaviour": "evidence", "anti_pattern": "flags", "means": "means"}


@dataclass(frozen=True)
class Outcome:
    """What an assessor does with one entry: numbers of the texts that it misses, and of the near misses in which it raises the key."""

    kind: str
    entry: Mapping[str, Any]
    missed: list[int]
    raised: list[int]

    @property
    def as_known(self) -> bool:
        """Whether it fails on the texts that are marked so, and on no others."""
        return [self.missed, self.raised] == [self.entry.get("known_missed", []), self.entry.get("known_raised", [])]

    def __str__(self) -> str:
        wanted, near = len(self.entry["found"]), len(self.entry["near_misses"])
        return f"{self.kind} {self.entry['key']:<26} found {wanted - len(self.missed)} of {wanted}, raised in {len(self.raised)} of {near} near misses"


def outcomes(assessor: Assessor, path: Path) -> Iterator[Outcome]:
    """Try every entry of a table.

    Raises
    ------
    InputError
        When the file is no such table.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        entries = [(kind, entry) for kind in KINDS for entry in table[kind]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a table of short examples ({error}).") from error
    for kind, entry in entries:
        missed, raised = [], []
        for number, (example, answer) in enumerate(zip(entry["found"], assessor.assess_many(e["text"] for e in entry["found"]), strict=True)):
            marks = located(example["text"], [Label(entry["key"], example["quote"])])
            if not any(meet(finding, mark) for finding in getattr(answer, KINDS[kind]) for mark in marks):
                missed.append(number)
        for number, answer in enumerate(assessor.assess_many(entry["near_misses"])):
            if any(finding.key == entry["key"] for finding in getattr(answer, KINDS[kind])):
                raised.append(number)
        yield Outcome(kind, entry, missed, raised)
