"""Texts that go through a training in place of the one they are made from, labelled by what they still show."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from classifier.corpus import Example
from classifier.knockout import other_words, without
from classifier.spans import located
from classifier.words import words

# Shares of the texts: told of somebody else; without their decisive act or without other words.
TOLD_OF_ANOTHER, CHANGED = 0.15, 0.35

DOERS = (
    "my colleague", "a coworker of mine", "our supervisor", "the other agent", "my teammate", "our team lead", "another employee", "my boss",
    "a senior colleague", "the officer before me",
)  # fmt: skip
SHE, HE = ("she", "her", "her", "hers", "herself"), ("he", "him", "his", "his", "himself")
_FIRST_PERSON = re.compile(r"\b(?:i['’](?:m|ve|d|ll)|i|my|mine|me|myself)\b", re.IGNORECASE)
_BEGINNING = re.compile(r"[.!?:\"\n•\-]\s*$")


def stand_in(example: Example, chance: random.Random) -> Example | None:
    """What goes through in the place of a text in every second epoch; None for most texts."""
    share = chance.random()
    if share < TOLD_OF_ANOTHER and example.ratings["level"] > 0:
        return told_of_another(example, chance)
    return with_words_taken_out(example, chance) if share < TOLD_OF_ANOTHER + CHANGED else None


def told_of_another(example: Example, chance: random.Random) -> Example | None:
    """The text with somebody else in the writer's place, so that the writer did nothing: level 0. None where there is no "I"."""
    doer = chance.choice(DOERS)
    subject, him, his, his_own, himself = SHE if chance.random() < 0.5 else HE
    named = chance.choice([0, 0.5, 1])  # how often the doer is named again, and no pronoun stands instead
    begun = False

    def who() -> str:
        nonlocal begun
        again, begun = begun, True
        return doer if not again or chance.random() < named else subject

    def other(match: re.Match[str]) -> str:
        word = match[0].lower().replace("’", "'")
        if word in ("my", "mine", "me", "myself"):
            new = {"my": his, "mine": his_own, "me": him, "myself": himself}[word]
        else:
            new = who() + {"i": "", "i'm": " is", "i've": " has", "i'd": " had", "i'll": " will"}[word]
        begins = match.start() == 0 or _BEGINNING.search(example.text[max(0, match.start() - 4) : match.start()])
        return new[0].upper() + new[1:] if begins else new

    text = _FIRST_PERSON.sub(other, example.text)
    text = re.sub(rf"\b((?:he|she|{re.escape(doer)})) am\b", r"\1 is", text)
    return replace(example, text=text, ratings={"level": 0}, client=None, evidence=(), flags=(), means=()) if begun else None


def with_words_taken_out(example: Example, chance: random.Random) -> Example | None:
    """The text without its decisive act, or (one time in three) without as many other words; None where there is nothing to take."""
    level = example.ratings["level"]
    marks = located(example.text, example.evidence)
    decisive = [mark for mark in marks if int(mark.key[0]) >= level]
    if not level or not decisive or example.pair:
        return None
    taken, ratings, client = decisive, {"level": max((int(m.key[0]) for m in marks if int(m.key[0]) < level), default=0)}, None
    if chance.random() < 1 / 3:
        count = sum(len(words(example.text[m.start : m.end])) for m in decisive)
        taken, ratings, client = other_words(example.text, marks, count, chance), dict(example.ratings), example.client
    text = without(example.text, taken)
    if not taken or len(words(text)) < 10:
        return None
    left = {kind: tuple(m for m in getattr(example, kind) if m.quote in text) for kind in ("evidence", "flags", "means") if getattr(example, kind)}
    return replace(example, text=text, ratings=ratings, client=client, **left)
