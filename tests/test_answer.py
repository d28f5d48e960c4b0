"""Marks, ladder, questions and changes, from assessments with known findings."""

from __future__ import annotations

import pytest
from fixed import DRAFT, FixedAssessor
from hypothesis import given
from hypothesis import strategies as st

from classifier.answer import Mark, change, ladder, marks, pieces, questions, visible
from classifier.assessment import Assessment
from classifier.framework import load_framework

CRA, PSPC = load_framework("cra"), load_framework("pspc")
ASSESS = FixedAssessor().assess


def test_marks_stand_on_their_words_and_name_the_source() -> None:
    found = marks(ASSESS(DRAFT))
    assert all(DRAFT[m.start : m.end] == m.quote for m in found)
    assert [m.start for m in found] == sorted(m.start for m in found)
    assert len({m.id for m in found}) == len(found)
    evidence = next(m for m in found if m.label == "2.4")
    assert evidence.source == CRA.behaviour("2.4").text
    flag = next(m for m in found if m.kind == "flag" and m.quote == "that was not my job")
    pair = CRA.anti_pattern("passes-problem-on")
    assert flag.title == pair.does_not_mean and pair.means in flag.source


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6))
def test_pieces_joined_are_the_text_and_carry_their_marks(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in spans]
    made = [Mark(f"m{i}", "evidence", "1.1", a, b, text[a:b], "", "") for i, (a, b) in enumerate(inside) if a < b]
    cut = pieces(text, made)
    position, opened = 0, []
    for piece in cut:
        length = sum(1 if hidden else len(part) for part, hidden in piece.parts)
        assert {m.id for m in piece.marks} == {m.id for m in made if m.start <= position and position + length <= m.end}
        opened += [m.id for m in piece.opens]
        position += length
    assert position == len(text)
    assert sorted(opened) == sorted(m.id for m in made)


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u2066", "\x1b", "\x07", "\ufeff", "\U000e0041", "\u2028", "\ue000"])
def test_characters_that_nobody_sees_are_named(character: str) -> None:
    (before, named, after) = visible(f"a{character}b")
    assert before == ("a", False) and after == ("b", False)
    assert named[1] and named[0].startswith(f"U+{ord(character):04X}")


def test_the_ladder_has_every_level_highest_first() -> None:
    steps = ladder(ASSESS(DRAFT), CRA.scale("level"), target=4)
    assert [s.value for s in steps] == [4, 3, 2, 1, 0]
    assert [s.value for s in steps if s.suggested] == [2]
    assert [s.value for s in steps if s.plausible] == [2, 1]
    assert [s.value for s in steps if s.target] == [4]
    assert ladder(Assessment("refused: empty", "m"), CRA.scale("level")) == ()


def test_questions_are_on_what_no_words_show() -> None:
    asked = questions(ASSESS(f"{DRAFT} I asked if it had helped."), CRA)
    assert [q.key for q in asked] == ["3.1", "3.2"]
    assert all(q.source == CRA.behaviour(q.key).text for q in asked)
    assert [q.key for q in questions(ASSESS(DRAFT), CRA, target=4)] == ["3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "4.4", "4.5"]
    assert questions(ASSESS(f"{DRAFT} level 4"), CRA) == ()
    assert {q.level for q in questions(ASSESS(DRAFT), PSPC)} == {2}


def test_a_revision_gains_and_loses() -> None:
    after = DRAFT.replace("called her back and ", "").replace("that was not my job", "I asked if it had helped, level 3")
    found = change(ASSESS(DRAFT), ASSESS(after), CRA)
    assert found is not None
    assert (found.before, found.after) == (2, 3)
    assert found.gained == (("3.3", CRA.behaviour("3.3").text),)
    assert [key for key, _ in found.lost] == ["2.4"]
    assert [key for key, _ in found.flags_gone] == ["passes-problem-on"] and found.flags_new == ()
    assert change(ASSESS(""), ASSESS(after), CRA) is None
