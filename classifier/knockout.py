"""Right for the right reason: the level must fall when its evidence is taken out of the text, and stay when other words are."""

from __future__ import annotations

import random
from collections.abc import Sequence

from classifier.assessor import Assessor
from classifier.corpus import Example
from classifier.document import segments
from classifier.spans import Span, decisive_marks, located
from classifier.words import words


def knock_out(assessor: Assessor, examples: Sequence[Example]) -> dict[str, tuple[float, int]]:
    """{"falls": (share, n), "changes": (share, n)} over the texts with decisive marks (`spans.decisive_marks`) and a level of 1 or more from the model.

    falls : the decisive words are taken out, and the level is lower than before
    changes : as many words are taken out where no evidence stands, and the level is another than before
    """
    chance = random.Random(0)
    falls, changes = [], []
    for example in examples:
        marks, decisive = located(example.text, example.evidence), decisive_marks(example)
        before = _level(assessor, example.text) if decisive else None
        if not before:
            continue
        after = _level(assessor, without(example.text, decisive))
        if after is not None:
            falls.append(after < before)
        others = other_words(example.text, marks, sum(len(words(example.text[m.start : m.end])) for m in decisive), chance)
        after = _level(assessor, without(example.text, others)) if others else None
        if after is not None:
            changes.append(after != before)
    return {"falls": (sum(falls) / max(len(falls), 1), len(falls)), "changes": (sum(changes) / max(len(changes), 1), len(changes))}


def without(text: str, spans: Sequence[Span]) -> str:
    """The text with the spans taken out."""
    kept, start = [], 0
    for span in sorted(spans, key=lambda s: s.start):
        kept.append(text[start : max(span.start, start)])
        start = max(span.end, start)
    return "".join([*kept, text[start:]])


def other_words(text: str, marks: Sequence[Span], count: int, chance: random.Random) -> list[Span]:
    """Whole segments without evidence, in random order, the last one cut so that `count` words are reached; none where there are too few."""
    free = [s for s in segments(text) if not any(s.start < m.end and m.start < s.end for m in marks)]
    chance.shuffle(free)
    found: list[Span] = []
    for segment in free:
        quote = text[segment.start : segment.end]
        parts = quote.split(" ")
        taken = parts[: max(count, 0)]
        found.append(Span("", segment.start, segment.start + len(" ".join(taken))))
        count -= len(words(" ".join(taken)))
        if count <= 0:
            return found
    return []


def _level(assessor: Assessor, text: str) -> int | None:
    answer = assessor.assess(text)
    return answer.ratings["level"].level if answer.ok else None
