"""An assessor whose answers do not depend on any model: marks known phrases, and gives the level that the text names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

from classifier.assessment import Assessment, Client, Finding, Note, Rating
from classifier.assessor import shipped_model
from classifier.document import refusal

EVIDENCE = {"called her back": "2.4", "told her what it was": "1.1", "looked it up": "2.2", "asked if it had helped": "3.3"}
FLAGS = {"that was not my job": "passes-problem-on", "looked it up as that was easier": "convenience-first"}
DRAFT = (
    "A client asked for her balance. I looked it up as that was easier, called her back and told her what it was. "
    "She also had a question on her return, but that was not my job. We closed the file."
)


def rating(level: int, size: int) -> Rating:
    shares = [0.1 / (size - 1)] * size
    shares[level] = 0.9
    return Rating(level, tuple(shares), tuple(range(max(0, level - 1), level + 1)))


class FixedAssessor:
    """Level 2, or the number after the word "level"; each phrase above is marked where it first stands."""

    version = "fixed-1"
    encoder = SimpleNamespace(folder=shipped_model() / "encoder")

    def assess(self, text: str) -> Assessment:
        reason = refusal(text)
        if reason is not None:
            return Assessment(f"refused: {reason}", self.version)
        named = re.search(r"level (\d)", text)
        level = int(named[1]) if named else 2
        return Assessment(
            "ok",
            self.version,
            {"level": rating(level, 5), "involvement": rating(2, 5), "commitment": rating(3, 5), "pspc_level": rating(1, 4)},
            Client("external", {"external": 0.97, "internal": 0.01, "not_a_client": 0.01, "none": 0.01}),
            evidence=tuple(Finding(key, *found, 0.8) for key, found in self._found(text, EVIDENCE)),
            flags=tuple(Finding(key, *found, 0.9) for key, found in self._found(text, FLAGS)),
            client_words=tuple(Note(key, *found) for key, found in self._found(text, {"A client": "external"})),
            story=tuple(Note(key, *found) for key, found in self._found(text, {"A client asked for her balance.": "situation"})),
            shared=tuple(Note(key, *found) for key, found in self._found(text, {"We closed the file.": "we"})),
        )

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        return map(self.assess, texts)

    def _found(self, text: str, phrases: dict[str, str]) -> Iterator[tuple[str, tuple[int, int, str]]]:
        for phrase, key in phrases.items():
            start = text.find(phrase)
            if start >= 0:
                yield key, (start, start + len(phrase), phrase)
