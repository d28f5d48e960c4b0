"""A desk with examples, for tests; the suggestions are of the fixed assessor."""

from __future__ import annotations

from pathlib import Path

from fixed import DRAFT, FixedAssessor

from classifier.assessment import Assessment
from classifier.desk.judgement import Judgement, judged
from classifier.desk.record import Model
from classifier.desk.store import Desk
from classifier.framework import load_framework

CRA = load_framework("cra")
MODEL = Model("fixed-1", "0" * 64)


def desk_of(folder: Path, number: int = 3, wanted: int = 2) -> Desk:
    desk = Desk(folder)
    desk.add([(f"example {n}", f"{n}. {DRAFT}") for n in range(1, number + 1)], wanted)
    return desk


def suggestion(desk: Desk, example: int) -> Assessment:
    return FixedAssessor().assess(desk.example(example).text)


def rating(desk: Desk, example: int, level: int = 3, reason: str = "She came back to the client.") -> Judgement:
    text = desk.example(example).text
    start = text.index("called her back")
    return judged(text, CRA, level, "external", [("2.4", start, start + 15)], reason)


def read_through(desk: Desk, example: int, who: str, level: int = 3, choice: str = "keep") -> None:
    """One assessor's whole way through one example."""
    desk.enter(who)
    desk.rate(example, who, rating(desk, example, level))
    desk.reveal(example, who, suggestion(desk, example), MODEL)
    desk.conclude(example, who, choice, reason="The words show it.")
