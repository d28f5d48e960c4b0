"""Texts that go through a training in place of the one they are made from, labelled by what they still show.

Readers marked what decides a level, and not always what shows a lower one. So a text that has lost its decisive act shows the
level of the marks that are left or a higher one, but no longer its own.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from classifier.corpus import Example, level_of
from classifier.document import segments
from classifier.knockout import other_words, without
from classifier.spans import decisive_marks, located
from classifier.words import words

# Shares of the texts: told of somebody else; their decisive act told of somebody else; without that act or without other words.
TOLD_OF_ANOTHER, ACT_OF_ANOTHER, CHANGED = 0.1, 0.2, 0.3

DOERS = (
    "my colleague", "a coworker of mine", "our supervisor", "the other agent", "my teammate", "our team lead", "another employee", "my boss",
    "a senior colleague", "the officer before me",
)  # fmt: skip
SHE, HE = ("she", "her", "her", "hers", "herself"), ("he", "him", "his", "his", "himself")
_FIRST_PERSON = re.compile(r"\b(?:i['’](?:m|ve|d|ll)|i|my|mine|me|myself)\b", re.IGNORECASE)
_BEGINNING = re.compile(r"[.!?:\"\n•\-]\s*$")


@dataclass(frozen=True)
class StandIn:
    """An example whose level is at least that of its ratings and at most `most`."""

    example: Example
    most: int


def stand_in(example: Example, chance: random.Random) -> StandIn | None:
    """What goes through in the place of a text in every second epoch; None for most texts."""
    share = chance.random() if example.ratings["level"] else 1
    if share < TOLD_OF_ANOTHER:
        return told_of_another(example, chance)
    if share < TOLD_OF_ANOTHER + ACT_OF_ANOTHER:
        return decisive_act_of_another(example, chance)
    return with_words_taken_out(example, chance) if share < TOLD_OF_ANOTHER + ACT_OF_ANOTHER + CHANGED else None


def told_of_another(example: Example, chance: random.Random) -> StandIn | None:
    """The text with somebody else in the writer's place, so that the writer did nothing: level 0. None where there is no "I"."""
    teller = Teller(chance)
    text = teller.tell(example.text)
    changed = replace(example, text=text, ratings=dict.fromkeys(example.ratings, 0), client=None, evidence=(), flags=(), means=())
    return StandIn(changed, 0) if teller.named else None


def decisive_act_of_another(example: Example, chance: random.Random) -> StandIn | None:
    """The text whose decisive sentences tell of somebody else; None where one of them has no "I"."""
    decisive = decisive_marks(example)
    sentences = [s for s in segments(example.text) if any(s.start < m.end and m.start < s.end for m in decisive)]
    if not decisive or example.pair:
        return None
    teller, made, done = Teller(chance), [], 0
    for sentence in sentences:
        told = teller.tell(example.text[sentence.start : sentence.end])
        if told == example.text[sentence.start : sentence.end]:
            return None
        made += [example.text[done : sentence.start], told]
        done = sentence.end
    marks = zip(example.evidence, located(example.text, example.evidence), strict=True)
    own = tuple(label for label, mark in marks if not any(s.start < mark.end and mark.start < s.end for s in sentences))
    left = _with(example, "".join([*made, example.text[done:]]), {"level": max((level_of(e.key) for e in own), default=0)}, None)
    return StandIn(replace(left, evidence=own), example.ratings["level"] - 1)


def told_of_the_employee(example: Example, chance: random.Random) -> Example:
    """The text in the third person, as the source document tells its worked examples; without marks, whose words may have changed."""
    text = Teller(chance, "the employee").tell(example.text)
    return replace(example, text=text, evidence=(), flags=(), means=())


class Teller:
    """Tells of one other person what was told in the first person; that person is named first, and again now and then."""

    def __init__(self, chance: random.Random, doer: str = "") -> None:
        self.chance, self.doer, self.named = chance, doer or chance.choice(DOERS), False
        self.subject, self.him, self.his, self.his_own, self.himself = SHE if chance.random() < 0.5 else HE
        self.again = chance.choice([0, 0.5, 1])  # how often the doer is named again, and no pronoun stands instead

    def tell(self, text: str) -> str:
        told = _FIRST_PERSON.sub(self._other, text)
        return re.sub(rf"\b((?:he|she|{re.escape(self.doer)})) am\b", r"\1 is", told)

    def _other(self, match: re.Match[str]) -> str:
        word = match[0].lower().replace("’", "'")
        if word in ("my", "mine", "me", "myself"):
            new = {"my": self.his, "mine": self.his_own, "me": self.him, "myself": self.himself}[word]
        else:
            new = self._who() + {"i": "", "i'm": " is", "i've": " has", "i'd": " had", "i'll": " will"}[word]
        begins = match.start() == 0 or _BEGINNING.search(match.string[max(0, match.start() - 4) : match.start()])
        return new[0].upper() + new[1:] if begins else new

    def _who(self) -> str:
        known, self.named = self.named, True
        return self.subject if known and self.chance.random() >= self.again else self.doer


def with_words_taken_out(example: Example, chance: random.Random) -> StandIn | None:
    """The text without its decisive act, or (one time in three) without as many other words; None where there is nothing to take."""
    marks, decisive = located(example.text, example.evidence), decisive_marks(example)
    if not decisive or example.pair:
        return None
    below = max((level_of(m.key) for m in marks if m not in decisive), default=0)
    taken, ratings, client, highest = decisive, {"level": below}, None, example.ratings["level"] - 1
    if chance.random() < 1 / 3:
        count = sum(len(words(example.text[m.start : m.end])) for m in decisive)
        taken, ratings, client, highest = other_words(example.text, marks, count, chance), dict(example.ratings), example.client, example.ratings["level"]
    text = without(example.text, taken)
    return StandIn(_with(example, text, ratings, client), highest) if taken and len(words(text)) >= 10 else None


def _with(example: Example, text: str, ratings: dict[str, int], client: str | None) -> Example:
    """Another text, with the marks whose words it still holds."""
    left = {kind: tuple(m for m in getattr(example, kind) if m.quote in text) for kind in ("evidence", "flags", "means") if getattr(example, kind)}
    return replace(example, text=text, ratings=ratings, client=client, **left)
