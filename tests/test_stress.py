"""The stress suite makes the cases that its names promise, counts them right, and does not move on a steady assessor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from stub_assessor import StubAssessor

from classifier.assessment import Assessment, Rating
from classifier.corpus import Example, Label, read_examples
from classifier.document import refusal
from classifier.errors import InputError
from classifier.pairs import Pair, read_pairs
from classifier.stress import FALL, MOVE, RISE, cases, holds, outcomes, stress
from classifier.stress import tests as named_tests
from classifier.words import words

LIMIT = 3


class Steady:
    """The level of a text is what `level` makes of it."""

    def __init__(self, level: int = 2, bribe: str = "") -> None:
        self.level = level
        self.bribe = bribe

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        for text in texts:
            reason = refusal(text)
            level = 4 if self.bribe and self.bribe in text else self.level
            shares = tuple(0.8 if k == level else 0.05 for k in range(5))
            yield Assessment(f"refused: {reason}", "s") if reason else Assessment("ok", "s", {"level": Rating(level, shares, (level,))})


@pytest.fixture(scope="module")
def examples(root: Path) -> list[Example]:
    return read_examples(root / "corpus" / "en" / "t01.jsonl") + read_examples(root / "corpus" / "en" / "t41.jsonl")


@pytest.fixture(scope="module")
def pairs(root: Path) -> list[Pair]:
    return read_pairs(root / "corpus" / "counterfactuals")


def test_there_are_enough_cases_of_every_kind(examples: list[Example], pairs: list[Pair]) -> None:
    found = list(outcomes(Steady(), examples, LIMIT, pairs))
    assert sum(outcome.cases for outcome in found) >= 60
    assert [outcome.test.name for outcome in found if outcome.cases == 0 and outcome.test.group != FALL] == []
    assert len({outcome.test.name for outcome in found}) == len(found)


def test_a_steady_assessor_passes_all_but_what_must_fall(examples: list[Example], pairs: list[Pair]) -> None:
    for outcome in outcomes(Steady(0), examples, LIMIT, pairs):
        assert outcome.passed == outcome.cases, outcome
    fallen = [outcome for outcome in outcomes(Steady(2), examples, LIMIT) if outcome.test.group == FALL]
    assert sum(outcome.cases for outcome in fallen) > 0
    assert sum(outcome.passed for outcome in fallen) == 0


def test_an_assessor_that_words_can_bribe_is_found_out(examples: list[Example]) -> None:
    failed = {outcome.test.name for outcome in outcomes(Steady(1, "synergies"), examples, LIMIT) if outcome.passed < outcome.cases}
    assert "strategic words round the act" in failed
    assert "sentences shuffled" not in failed


def test_the_same_examples_give_the_same_figures(examples: list[Example], pairs: list[Pair]) -> None:
    first, second = ([str(s) for s in stress(StubAssessor(), examples, LIMIT, pairs)] for _ in range(2))
    assert first == second
    assert "must not move: identity (aim 0.98" in first[0]


@pytest.mark.parametrize(
    ("group", "before", "after", "passes"),
    [
        (RISE, 2, 2, True), (RISE, 2, 1, True), (RISE, 2, 3, False), (RISE, 2, None, True), (RISE, None, 0, True), (RISE, None, 1, False),
        (FALL, 2, 1, True), (FALL, 2, 2, False), (FALL, 2, 3, False), (FALL, 2, None, True),
        (MOVE, 2, 2, True), (MOVE, 2, 1, False), (MOVE, 2, 3, False), (MOVE, 2, None, False),
    ],
)  # fmt: skip
def test_what_passes(group: str, before: int | None, after: int | None, passes: bool) -> None:
    assert holds(group, before, after, 0) is passes


TEXT = (
    "A client in Ottawa called me. He didn't know why his cheque had not come, and the man was upset. I checked the file, found the wrong address and "
    "corrected it. I called him back, and he thanked me. We talked about the colour of the new form for the information that he had."
)
EXAMPLE = Example("x", TEXT, {"level": 2}, "external", evidence=(Label("2.4", "I called him back"), Label("1.1", "he thanked me")))
MADE = {
    "told as we": ("We called him back, and he thanked us", "checked the file"),
    "told of somebody else": ("My colleague called him back, and he thanked her", "I called"),
    "the manager as client": ("My manager in Ottawa called me", "client"),
    "he for she": ("She didn't know why her cheque", " he "),
    "women for men": ("the woman was upset", "the man"),
    "places": ("A client in Iqaluit called me", "Ottawa"),
    "American spelling": ("his check had not come", "colour"),
    "contractions": ("his cheque hadn't come", "had not"),
    "contractions written out": ("He did not know", "didn't"),
    "the decisive act removed": ("found the wrong address", "I called him back"),
    "passive voice": ("The file was checked by me, found", "I checked the file"),
    "bullets for sentences": ("\n- I called him back", "upset. I checked"),
    "second-language English": ("informations that he had", "information "),
    "names: origin": (" in Ottawa called me", "A client"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(MADE))
def test_the_texts_are_what_the_name_says(name: str) -> None:
    (test,) = (test for test in named_tests() if test.name == name)
    (case,) = cases(test, [EXAMPLE])
    holds_now, gone = MADE[name]
    assert holds_now in case.after
    if name != "told as we":
        assert gone not in case.after


def test_other_prose_is_three_tenths() -> None:
    for test in named_tests():
        if test.name.startswith("30 %"):
            (case,) = cases(test, [EXAMPLE])
            assert (len(words(case.after)) - len(words(TEXT))) / len(words(case.after)) >= 0.3
    (swapped,) = (list(cases(test, [EXAMPLE])) for test in named_tests() if test.name == "sentences shuffled")
    assert sorted(words(swapped[0].after)) == sorted(words(TEXT))


def test_the_shipped_pairs(pairs: list[Pair]) -> None:
    assert len(pairs) >= 40
    assert len({pair.id for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert pair.a != pair.b
        assert refusal(pair.a) is None and refusal(pair.b) is None, pair.id


@pytest.mark.parametrize("line", ["{", "[]", '{"id": "1", "kind": "x", "a": "y"}', '{"id": "1", "kind": "x", "a": "y", "b": 2}'])
def test_a_broken_pair_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "p.jsonl").write_text(line + "\n", "utf-8")
    with pytest.raises(InputError, match=r"p\.jsonl:1: not a pair"):
        read_pairs(tmp_path)
    (tmp_path / "p.jsonl").unlink()
    with pytest.raises(InputError, match="there are no pairs here"):
        read_pairs(tmp_path)
