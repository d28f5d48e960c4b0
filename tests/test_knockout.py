"""The knock-out takes out the right words, and counts what the level does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from classifier.assessment import Assessment, Client, Rating
from classifier.corpus import Example, Label
from classifier.knockout import knock_out, other_words, without
from classifier.spans import Span, decisive_marks, located
from classifier.words import words

TEXT = "The day was long and the hall was full. I called her back with the answer. It rained. She went home at last and I had tea."
ACT = "I called her back with the answer"


class Reader:
    """Gives level 2 where the act stands, else 0; or always 2."""

    def __init__(self, stubborn: bool = False) -> None:
        self.stubborn = stubborn

    def assess(self, text: str) -> Assessment:
        level = 2 if self.stubborn or ACT in text else 0
        return Assessment("ok", "m", {"level": Rating(level, tuple(float(k == level) for k in range(5)), (level,))}, Client("none", {}))

    def assess_many(self, texts: list[str]) -> Iterator[Assessment]:
        return (self.assess(text) for text in texts)


def example(level: int = 2) -> Example:
    return Example("x", TEXT, {"level": level}, "external", evidence=(Label("2.4", ACT),))


def test_without_takes_out_overlapping_spans_once() -> None:
    assert without("abcdef", [Span("", 1, 3), Span("", 2, 4)]) == "aef"
    assert without("abc", []) == "abc"


@pytest.mark.parametrize("seed", range(5))
def test_as_many_other_words_are_taken_out(seed: int) -> None:
    marks = located(TEXT, [Label("2.4", ACT)])
    taken = other_words(TEXT, marks, 7, random.Random(seed))
    rest = without(TEXT, taken)
    assert ACT in rest
    assert len(words(TEXT)) - len(words(rest)) == 7
    assert other_words(TEXT, marks, 100, random.Random(seed)) == []


def test_falls_and_changes() -> None:
    assert knock_out(Reader(), [example()]) == {"falls": (1.0, 1), "changes": (0.0, 1)}  # type: ignore[arg-type]
    assert knock_out(Reader(stubborn=True), [example()]) == {"falls": (0.0, 1), "changes": (0.0, 1)}  # type: ignore[arg-type]
    assert knock_out(Reader(), [example(level=0)])["falls"][1] == 0  # type: ignore[arg-type]


def test_decisive_is_what_shows_the_texts_level_or_a_higher_one() -> None:
    marked = replace(example(), evidence=(Label("1.1", "It rained"), Label("3.1", "She went home"), *example().evidence, Label("p3.1", "I had tea")))
    assert [mark.key for mark in decisive_marks(marked)] == ["3.1", "2.4"]
    assert decisive_marks(replace(marked, ratings={"level": 0})) == []
    assert knock_out(Reader(), [marked])["falls"] == (1.0, 1)  # type: ignore[arg-type]
