"""The stress suite makes the cases that its names promise, counts them right, and does not move on a steady assessor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from stub_assessor import StubAssessor

from classifier.assessment import Assessment, Rating
from classifier.corpus import Example, Label, read_examples
from classifier.document import refusal
from classifier.errors import InputError
from classifier.framework import load_framework
from classifier.pairs import Pair, read_pairs
from classifier.stress import FALL, MOVE, RISE, STAY, cases, holds, outcomes, stress
from classifier.stress import Test as Stress
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
    "women for men": ("She didn't know why her cheque had not come, and the woman was upset", " he "),
    "context at the start": (" A client in Ottawa called me", "\n"),
    "context at the end": ("for the information that he had.\n", "had. "),
    "places": ("A client in Iqaluit called me", "Ottawa"),
    "American spelling": ("his check had not come", "colour"),
    "contractions": ("his cheque hadn't come", "had not"),
    "contractions written out": ("He did not know", "didn't"),
    "passive voice": ("The file was checked by me, found", "I checked the file"),
    "bullets for sentences": ("\n- I called him back", "upset. I checked"),
    "second-language English": ("informations that he had", "information "),
    "names: origin": (" in Ottawa called me", "A client"),
}  # fmt: skip


def named(name: str) -> Stress:
    (test,) = (test for test in named_tests() if test.name == name)
    return test


@pytest.mark.parametrize("name", list(MADE))
def test_the_texts_are_what_the_name_says(name: str) -> None:
    (case,) = cases(named(name), [EXAMPLE])
    holds_now, gone = MADE[name]
    assert holds_now in case.after
    if name != "told as we":
        assert gone not in case.after


WHOLE = [
    ("she for he", "He asked for his cheque. I told him that he’s late.", "She asked for her cheque. I told her that she’s late."),
    ("he for she", "She came herself, and the choice was hers.", "He came himself, and the choice was his."),
    ("men for women", "Mrs. Roy asked. The woman said that she was in a hurry.", "Mr. Roy asked. The man said that he was in a hurry."),
    ("Canadian spelling", "Our center is near the neighbors. I canceled the check.", "Our centre is near the neighbours. I cancelled the check."),
    ("told of somebody else", "I’ve asked. I don’t know, but I am sure.", "My colleague has asked. My colleague doesn’t know, but my colleague is sure."),
    ("contractions written out", "I didn’t go.", "I did not go."),
    ("sentences for bullets", "What I did:\n- asked her;\n• called back\n* it was clear.", "What I did: Asked her. Called back. It was clear."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after"), WHOLE)
def test_what_is_made_to_the_letter(name: str, before: str, after: str) -> None:
    assert [case.after for case in cases(named(name), [replace(EXAMPLE, text=before)])] == [after]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("women for men", "The man came with his sister."),
        ("women for men", "He asked for his cheque."),
        ("he for she", "She asked for her cheque."),
        ("he for she", "She came and he went."),
        ("she for he", "He is the man who asked."),
        ("men for women", "The woman asked for her cheque."),
        ("sentences for bullets", "I asked her. I called back."),
    ],
)
def test_where_the_change_would_not_be_one_of_its_name_there_is_no_case(name: str, text: str) -> None:
    assert list(cases(named(name), [replace(EXAMPLE, text=text)])) == []


def test_a_text_told_of_one_named_says_who_did_it_and_nothing_of_the_writer() -> None:
    made = [case.after for k in range(30) for case in cases(named("told of somebody by name or role"), [replace(EXAMPLE, id=f"x-{k}")])]
    assert len(set(made)) >= 5 and not any(re.search(r"\bI (called|checked)|\bme\b|colleague", text) for text in made)
    assert any("Joan, my counterpart upstairs, checked the file" in text and "Joan called him back, and he thanked her" in text for text in made)
    assert any("A woman whom I share the office with checked the file" in text and "She called him back" in text for text in made)


def test_what_readers_found_lower_must_fall_and_the_rest_must_stay() -> None:
    after = "We talked about the colour of the new form for the information that he had, and he thanked me for all of that."
    pairs = [Pair(str(k), "act removed", TEXT, after, 2, readings) for k, readings in enumerate([(0, 1, 2), (2, 2, 0), (2, 2, 2), (0, 0, 0)])]

    class Falls(Steady):
        def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
            for text in texts:
                yield from Steady(2 if text == TEXT else 1).assess_many([text])

    for assessor, fell, stayed in ((Steady(2), 0, 2), (Falls(), 2, 0)):
        found = {outcome.test.name: outcome for outcome in outcomes(assessor, [], pairs=pairs)}
        down, same = found["act removed"], found["act removed, the rest shows the level"]
        assert (down.test.group, down.passed, down.cases) == (FALL, fell, 2)
        assert (same.test.group, same.passed, same.cases) == (STAY, stayed, 2)
    assert all(outcome.cases == 0 for outcome in outcomes(Steady(1), [], pairs=pairs) if outcome.test.name.startswith("act removed"))  # a level not seen


@pytest.mark.parametrize("percent", [1, 2, 5])
def test_the_share_of_typos_is_the_one_named(examples: list[Example], percent: int) -> None:
    """Of letters that stand elsewhere than before: two a slip, and about half of the places lie within a word."""
    made = list(cases(named(f"{percent} % of letters mistyped"), examples))
    moved = sum(a != b for case in made for a, b in zip(str(case.before), case.after, strict=True))
    letters = sum(character.isalpha() for example in examples for character in example.text)
    assert 0.8 * percent / 100 < moved / letters < 1.2 * percent / 100


def test_pasted_and_hidden_words_are_whole() -> None:
    (pasted,) = cases(named("competency sentences pasted in"), [EXAMPLE])
    statements = [b.text for value in (3, 4) for b in load_framework("cra").scale("level").level(value).behaviours]
    assert sum(statement in pasted.after.removeprefix(TEXT) for statement in statements) == 2
    (hidden,) = cases(named("words with hidden characters"), [EXAMPLE])
    assert hidden.after.replace("\u200b", "").startswith(f"{TEXT} I redesigned the process")
    assert str(refusal(hidden.after)).startswith("hidden text")


def test_what_is_refused_is_counted_and_not_taken_for_the_models() -> None:
    twice, told = (
        next(outcome for outcome in outcomes(Steady(2), [EXAMPLE]) if outcome.test.name == name) for name in ("the text twice", "told of somebody else")
    )
    assert (twice.passed, twice.cases, twice.refused) == (1, 1, 1)
    assert (told.passed, told.cases, told.refused) == (0, 1, 0)
    first, rise, *_ = map(str, stress(Steady(2), [EXAMPLE]))
    assert re.search(r"the text twice +1 of +1  1\.000   of which  1 refused\n", rise)
    assert re.search(r"must not rise: \d+ cases passed because the text was refused; of the \d+ that were assessed 0\.\d+ passed", first)


def test_blown_up_texts_tell_nothing_more_and_are_assessed() -> None:
    made = list(cases(named("a routine act blown up"), []))
    assert len(made) >= 12
    assert [case.id for case in made if refusal(str(case.before)) or refusal(case.after)] == []


def test_other_prose_is_three_tenths() -> None:
    for test in named_tests():
        if test.name.startswith("30 %"):
            (case,) = cases(test, [EXAMPLE])
            assert (len(words(case.after)) - len(words(TEXT))) / len(words(case.after)) >= 0.3
    (swapped,) = (list(cases(test, [EXAMPLE])) for test in named_tests() if test.name == "sentences shuffled")
    assert sorted(words(swapped[0].after)) == sorted(words(TEXT))


def test_the_shipped_pairs(pairs: list[Pair]) -> None:
    assert len(pairs) == 40 + 219 and sum(pair.fell for pair in pairs) == 146
    assert len({pair.id for pair in pairs}) == len(pairs)
    for pair in pairs:
        assert pair.a != pair.b
        assert refusal(pair.a) is None and refusal(pair.b) is None, pair.id


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", ":1: not JSON"),
        (b"[]", ":1: not a JSON object"),
        (b'{"id": "1", "kind": "x", "a": "y"}', ":1: not a pair"),
        (b'{"id": "1", "kind": "x", "a": "y", "b": 2}', ":1: not a pair"),
        (b'{"id": "1", "kind": "x", "a": "y", "b": "z", "level": 2, "readings": [5]}', ":1: not a pair"),
        (b'{"id": "1", "kind": "x", "a": "y", "b": "z", "readings": [2]}', ":1: not a pair"),
        (b"\xe9", ": not UTF-8 text"),
    ],
)
def test_a_broken_pair_is_named(tmp_path: Path, line: bytes, reason: str) -> None:
    (tmp_path / "p.jsonl").write_bytes(line + b"\n")
    with pytest.raises(InputError, match=rf"p\.jsonl{reason}"):
        read_pairs(tmp_path)
    (tmp_path / "p.jsonl").unlink()
    with pytest.raises(InputError, match="there are no pairs here"):
        read_pairs(tmp_path)


def test_a_pair_may_hold_any_character_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": "1", "kind": "x", "a": "I called\u2028her.", "b": "I called\x85him."}\n', "utf-8")
    assert read_pairs(tmp_path) == [Pair("1", "x", "I called\u2028her.", "I called\x85him.")]
