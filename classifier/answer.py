"""An assessment arranged for readers: marks on the words, the ladder, what a level asks, what a revision changed.

The page, the report and the Word comments all take their content from here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from classifier.assessment import Assessment
from classifier.document import messages
from classifier.framework import Framework, Scale, framework_names, load_framework

KINDS = ("evidence", "flag", "means", "client", "shared")


@dataclass(frozen=True)
class Mark:
    """A mark on words of the text. `label` is short enough to stand in the text; `source` is the document's own sentence."""

    id: str
    kind: str
    label: str
    start: int
    end: int
    quote: str
    title: str
    source: str
    confidence: float | None = None


@dataclass(frozen=True)
class Piece:
    """A stretch of text under the same marks. `parts` are (text, hidden): a hidden part names a character nobody would see."""

    parts: tuple[tuple[str, bool], ...]
    marks: tuple[Mark, ...]
    opens: tuple[Mark, ...]


@dataclass(frozen=True)
class Step:
    """One step of the ladder."""

    value: int
    name: str
    notion: str
    probability: float
    suggested: bool
    plausible: bool
    target: bool


@dataclass(frozen=True)
class Question:
    """What a level asks and no words show, put as a question to the writer, with the document's sentence."""

    key: str
    level: int
    text: str
    source: str


@dataclass(frozen=True)
class Change:
    """What a revision gained and lost: levels before and after, behaviours and anti-patterns as (key, sentence)."""

    before: int
    after: int
    gained: tuple[tuple[str, str], ...]
    lost: tuple[tuple[str, str], ...]
    flags_new: tuple[tuple[str, str], ...]
    flags_gone: tuple[tuple[str, str], ...]


def marks(assessment: Assessment) -> tuple[Mark, ...]:
    """Every mark on the text, in the order of the text."""
    page = messages()["page"]
    found = []
    for finding in assessment.evidence:
        short, source = _behaviour(finding.key)
        found.append(Mark("", "evidence", finding.key, finding.start, finding.end, finding.quote, short, source, finding.confidence))
    for finding in assessment.flags:
        number, does_not_mean, means = _anti_pattern(finding.key)
        label, source = page["labels"]["flag"].format(number=number), page["it_means"].format(means=means)
        found.append(Mark("", "flag", label, finding.start, finding.end, finding.quote, does_not_mean, source, finding.confidence))
    for finding in assessment.means:
        number, _, means = _anti_pattern(finding.key)
        label = page["labels"]["means"].format(number=number)
        found.append(Mark("", "means", label, finding.start, finding.end, finding.quote, means, "", finding.confidence))
    for note in assessment.client_words:
        title = page["client_note"].format(client=messages()["clients"].get(note.key, note.key))
        found.append(Mark("", "client", page["labels"]["client"], note.start, note.end, note.quote, title, ""))
    for note in assessment.shared:
        label = page["labels"]["habit" if note.key == "habit" else "shared"]
        found.append(Mark("", "shared", label, note.start, note.end, note.quote, page["shared_notes"][note.key], ""))
    found.sort(key=lambda mark: (mark.start, -mark.end, KINDS.index(mark.kind)))
    return tuple(replace(mark, id=f"m{number}") for number, mark in enumerate(found, 1))


def pieces(text: str, marked: Sequence[Mark]) -> tuple[Piece, ...]:
    """The text cut where marks begin and end; joined, the pieces' plain parts and hidden characters are the text.

    >>> [(p.parts, len(p.marks)) for p in pieces("ab", [])]
    [((('ab', False),), 0)]
    """
    cuts = sorted({0, len(text)} | {m.start for m in marked} | {m.end for m in marked})
    found = []
    for start, end in pairwise(cuts):
        over = tuple(m for m in marked if m.start <= start and end <= m.end)
        found.append(Piece(visible(text[start:end]), over, tuple(m for m in over if m.start == start)))
    return tuple(found)


def visible(text: str) -> tuple[tuple[str, bool], ...]:
    r"""Split off characters that are not seen or that turn the reading order, named instead of shown.

    >>> visible("a\u202eb")
    (('a', False), ('U+202E RIGHT-TO-LEFT OVERRIDE', True), ('b', False))
    """
    found: list[tuple[str, bool]] = []
    plain: list[str] = []
    for character in text:
        if character not in "\n\r\t" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
            if plain:
                found.append(("".join(plain), False))
                plain = []
            found.append((f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip(), True))
        else:
            plain.append(character)
    if plain:
        found.append(("".join(plain), False))
    return tuple(found)


def ladder(assessment: Assessment, scale: Scale, target: int | None = None) -> tuple[Step, ...]:
    """The steps of a scale, highest first; empty when the assessment has no rating on it."""
    rating = assessment.ratings.get(scale.key)
    if rating is None:
        return ()
    steps = []
    for value in reversed(scale.values):
        level = scale.level(value)
        steps.append(Step(value, level.name, level.notion, rating.probabilities[value], value == rating.level, value in rating.level_set, value == target))
    return tuple(steps)


def questions(assessment: Assessment, framework: Framework, target: int | None = None) -> tuple[Question, ...]:
    """What the levels above the suggested one ask and no words show, up to the target (the next level where none is set)."""
    scale = framework.scale(framework.main_scale)
    if scale.key not in assessment.ratings:
        return ()
    level = assessment.ratings[scale.key].level
    shown = {finding.key for finding in assessment.evidence}
    asked = messages()["questions"]
    last = min(scale.values[-1], level + 1 if target is None else target)
    return tuple(
        Question(b.key, value, asked.get(b.key, b.text), b.text)
        for value in range(level + 1, last + 1)
        for b in scale.level(value).behaviours
        if b.key not in shown
    )


def change(before: Assessment, after: Assessment, framework: Framework) -> Change | None:
    """What a revision changed; None when one of the two was not assessed on the framework's main scale."""
    scale = framework.main_scale
    if scale not in before.ratings or scale not in after.ratings:
        return None
    old, new = (_keys(a.evidence) for a in (before, after))
    bad, now_bad = (_keys(a.flags) for a in (before, after))
    return Change(
        before.ratings[scale].level,
        after.ratings[scale].level,
        tuple((k, _behaviour(k)[1]) for k in new if k not in old),
        tuple((k, _behaviour(k)[1]) for k in old if k not in new),
        tuple((k, _anti_pattern(k)[1]) for k in now_bad if k not in bad),
        tuple((k, _anti_pattern(k)[1]) for k in bad if k not in now_bad),
    )


def _keys(findings: Iterable[Any]) -> list[str]:
    return sorted({finding.key for finding in findings})


def _behaviour(key: str) -> tuple[str, str]:
    """(the guide's short name, the document's sentence) of a behaviour of any framework."""
    for name in framework_names():
        for behaviour in load_framework(name).behaviours:
            if behaviour.key == key:
                return behaviour.short, behaviour.text
    raise KeyError(key)


def _anti_pattern(key: str) -> tuple[int, str, str]:
    """(its number in the document, what the competency does not mean, what it means)."""
    for name in framework_names():
        for number, pair in enumerate(load_framework(name).anti_patterns, 1):
            if pair.key == key:
                return number, pair.does_not_mean, pair.means
    raise KeyError(key)
