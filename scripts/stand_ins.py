"""Texts that go through a training in place of the one they are made from, labelled by what they still show.

Readers marked what decides a level, and not all that shows it: of texts without their decisive act one in three kept its level
(corpus/README.md). So the level of such a text is read anew (`corpus/changed`); only a text told of somebody else throughout needs no reader.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.corpus import Example, Label, level_of
from classifier.document import segments
from classifier.rows import read_records
from classifier.spans import located

TOLD_OF_ANOTHER = 0.1  # of the texts

# Whoever else may have acted: by relation, by role, by name. Where no sentence tells of the writer, it must be a relation: in the
# source's worked examples a role ("the employee") is the one who is assessed.
RELATIONS = (
    "my colleague", "a coworker of mine", "our supervisor", "the other agent", "my teammate", "our team lead", "another employee", "my boss",
    "a senior colleague", "the officer before me", "my manager", "one of my coworkers", "a colleague in another unit", "somebody on my team",
)  # fmt: skip
ROLES = (
    "the duty manager", "our receptionist", "the intern", "a new hire", "the pharmacist on shift", "the volunteer", "the caretaker", "our technician",
    "the day supervisor", "the charge nurse", "a lawyer of ours", "the librarian", "the shift lead", "the woman at counter four", "the deputy",
    "the bookkeeper", "our apprentice", "the advisor before her", "the dispatcher", "a man from the branch downtown", "the regional lead",
    "the junior officer", "the weekend cashier", "the project manager", "the consultant", "our secretary", "the head waiter", "a temp", "the mechanic",
)  # fmt: skip
NAMES = (
    "Marie", "Devon", "Amina", "Kenji", "Olga", "Sean", "Fatou", "Luis", "Ingrid", "Ravi", "Chloe", "Tariq", "Nadine", "Pavel", "Mei", "Joseph",
    "Sinead", "Kwame", "Rosa", "Anders", "Leila", "Gordon", "Yuki", "Emeka", "Hannah", "Dimitri", "Shanice", "Paul", "Zofia", "Arjun", "Beth",
    "Mateo", "Wanda", "Idris", "Claire", "Bao", "Ruth", "Stefan", "Aisha", "Murray", "Camille", "Jorge", "Denise", "Viktor", "Noor", "Keith",
)  # fmt: skip
PLACES = ("from accounts", "at the front desk", "on the evening team", "from the branch in town", "in the next office", "who sits opposite me", "from IT")
TIES = ("my colleague", "who works with me", "who has the desk next to mine", "our newest clerk", "from my team", "a coworker", "who trained me")
THE_ASSESSED = ("the employee", "the agent", "the officer", "the service agent", "the representative", "the clerk")
SHE, HE = ("she", "her", "her", "hers", "herself"), ("he", "him", "his", "his", "himself")
_FIRST_PERSON = re.compile(
    r"\b(?:i['’](?:m|ve|d|ll)|i(?!\.e\b)|my|mine|me|myself)\b(?:(?<=\bi)(?P<gap> (?:\w+ly |also |still |never )?)(?P<verb>am|have|do|(?:have|do)n['’]t)\b)?",
    re.IGNORECASE,
)
_THIRD = {"am": "is", "have": "has", "do": "does"}
_BEGINNING = re.compile(r"[.!?:\"“”\n•\-]\s*$")


def stand_in(example: Example, lessons: dict[str, Example], chance: random.Random) -> Example | None:
    """What goes through in the place of a text in every second epoch: told of somebody else, its lesson (`read_lessons`), or None."""
    if example.ratings["level"] and chance.random() < TOLD_OF_ANOTHER:
        return told_of_another(example, chance)
    return lessons.get(example.id)


def told_of_another(example: Example, chance: random.Random) -> Example | None:
    """The text with somebody else in the writer's place, so that the writer did nothing: level 0. None where there is no "I"."""
    name = chance.choice(NAMES)
    teller = Teller(chance, *chance.choice([(chance.choice(RELATIONS), ""), (f"{name}, {chance.choice(TIES)},", name)]))
    text = teller.tell(example.text)
    changed = replace(example, text=text, ratings=dict.fromkeys(example.ratings, 0), client=None, evidence=(), flags=(), means=())
    return changed if teller.named else None


def told_of_the_employee(example: Example, chance: random.Random) -> Example:
    """The text in the third person, as the source document tells its worked examples; without marks, whose words may have changed."""
    text = Teller(chance, chance.choice(THE_ASSESSED)).tell(example.text)
    return replace(example, text=text, evidence=(), flags=(), means=())


def somebody_else(chance: random.Random) -> str:
    """One who is not the writer, in a text that tells of the writer, too: a relation, a role, or a name, by itself or with where that person works."""
    name = chance.choice(NAMES)
    return chance.choice([chance.choice(RELATIONS), chance.choice(ROLES), name, name, f"{name} {chance.choice(PLACES)}"])


class Teller:
    """Tells of one other person what was told in the first person; that person is named first, and again now and then."""

    def __init__(self, chance: random.Random, doer: str, short: str = "") -> None:
        self.chance, self.doer, self.short, self.named = chance, doer, short or doer, False
        self.subject, self.him, self.his, self.his_own, self.himself = SHE if chance.random() < 0.5 else HE
        self.again = chance.choice([0, 0.5, 1])  # how often the doer is named again, and no pronoun stands instead

    def tell(self, text: str) -> str:
        told = _FIRST_PERSON.sub(self._other, text)
        return re.sub(r",(?=\s*[,.;:!?])", "", told)  # after a name with what that person is to the writer

    def _other(self, match: re.Match[str]) -> str:
        word = match[0].lower().replace("’", "'").split()[0]
        if word in ("my", "mine", "me", "myself"):
            new = {"my": self.his, "mine": self.his_own, "me": self.him, "myself": self.himself}[word]
        else:
            new = self._who() + {"i": "", "i'm": " is", "i've": " has", "i'd": " had", "i'll": " will"}[word]
            if verb := match["verb"]:
                stem = verb.lower().removesuffix("n't").removesuffix("n’t")
                new += match["gap"] + _THIRD[stem] + verb[len(stem) :]
        begins = match.start() == 0 or _BEGINNING.search(match.string[max(0, match.start() - 4) : match.start()])
        return new[0].upper() + new[1:] if begins else new

    def _who(self) -> str:
        known, self.named = self.named, True
        if not known:
            return self.doer
        return self.subject if self.chance.random() >= self.again else self.short


def read_lessons(path: Path, examples: Iterable[Example]) -> dict[str, Example]:
    """Changed texts whose level was read anew, by the id of the example they were made from, of those that are given.

    The marks that stay are those whose sentence stands as it did (or, where quotes were taken out, whose words do) and that the new
    level can bear.
    """
    of, found = {example.id: example for example in examples}, {}
    for _, lesson in read_records(path):
        if example := of.get(lesson["of"]):
            evidence, flags, means = (
                tuple(mark for mark in marks or () if _stays(mark, example.text, lesson)) for marks in (example.evidence, example.flags, example.means)
            )
            found[example.id] = replace(
                example, text=lesson["text"], ratings={"level": lesson["level"]}, client=None,
                evidence=evidence, flags=flags, means=None if example.means is None else means,
            )  # fmt: skip
    return found


def _stays(mark: Label, text: str, lesson: dict[str, Any]) -> bool:
    (place,) = located(text, [mark])
    parts = [text[s.start : s.end] for s in segments(text) if s.start < place.end and place.start < s.end]
    stands = mark.quote in lesson["text"] and (lesson["way"] == "quotes out" or all(part in lesson["text"] for part in parts))
    return stands and level_of(mark.key) <= lesson["level"]
