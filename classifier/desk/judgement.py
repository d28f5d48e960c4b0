"""What a person says of an example: level, client, words that show it, and why. Free of any model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from classifier.assessment import Note
from classifier.corpus import CLIENTS
from classifier.errors import InputError
from classifier.framework import Framework

MAX_REASON = 4_000
MAX_MARKS = 200


@dataclass(frozen=True)
class Judgement:
    """One rating of one text by one person.

    evidence, flags : words with a behaviour's or an anti-pattern's key; ``text[start:end] == quote``
    reason : why, in the person's words; it goes into the audit trail
    """

    level: int
    client: str
    evidence: tuple[Note, ...] = ()
    flags: tuple[Note, ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Judgement:
        """The judgement that `to_dict` wrote, also after JSON."""
        evidence, flags = (tuple(Note(**note) for note in raw[name]) for name in ("evidence", "flags"))
        return cls(raw["level"], raw["client"], evidence, flags, raw["reason"])

    def logged(self) -> dict[str, Any]:
        """The same without any words of the text: what the audit trail holds."""
        places = {name: [[note.key, note.start, note.end] for note in getattr(self, name)] for name in ("evidence", "flags")}
        return {"level": self.level, "client": self.client, **places, "reason": self.reason}


def judged(text: str, framework: Framework, level: int, client: str, marks: Iterable[tuple[str, int, int]], reason: str) -> Judgement:
    """A judgement of `text`, checked; each mark is (key, start, end) and its key says whether it is evidence or a flag.

    Raises
    ------
    InputError
        When a value is not one of the framework's, or a mark does not stand in the text.
    """
    scale = framework.scale(framework.main_scale)
    if level not in scale.values:
        raise InputError(f"The level is one of {scale.values[0]} to {scale.values[-1]}.")
    if client not in CLIENTS:
        raise InputError(f"The client is one of {', '.join(CLIENTS)}.")
    if len(reason) > MAX_REASON:
        raise InputError(f"The reason is longer than {MAX_REASON:,} characters.")
    behaviours, anti_patterns = {b.key for b in framework.behaviours}, {a.key for a in framework.anti_patterns}
    found: dict[bool, set[Note]] = {True: set(), False: set()}
    for number, (key, start, end) in enumerate(marks, 1):
        if number > MAX_MARKS:
            raise InputError(f"More than {MAX_MARKS} marks.")
        if key not in behaviours | anti_patterns:
            raise InputError(f"{key!r} is no behaviour and no anti-pattern of {framework.name}.")
        if not 0 <= start < end <= len(text) or not text[start:end].strip():
            raise InputError(f"The mark {key} from {start} to {end} holds no words of the text.")
        found[key in behaviours].add(Note(key, start, end, text[start:end]))
    evidence, flags = (tuple(sorted(found[kind], key=lambda n: (n.start, n.end, n.key))) for kind in (True, False))
    return Judgement(level, client, evidence, flags, reason.strip())
