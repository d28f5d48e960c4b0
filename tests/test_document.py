"""Segments lie in the text in order; texts that cannot be assessed are refused with a reason."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.document import MAX_CHARACTERS, refusal, segments
from classifier.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I called. She came.", ["I called.", "She came."]),
        ("S: a call\nT: find it", ["S: a call", "T: find it"]),
        ("- checked the file\n- called back", ["- checked the file", "- called back"]),
        ("Situation:\n\nA client wrote.", ["Situation:", "A client wrote."]),
        ('He said "go." I went.', ['He said "go."', "I went."]),
        ("Mr. Roy paid $3.50 today.", ["Mr. Roy paid $3.50 today."]),
        ("", []),
    ],
)
def test_segments(text: str, expected: list[str]) -> None:
    assert [text[s.start : s.end] for s in segments(text)] == expected


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_segments_are_ordered_and_lose_no_letter(text: str) -> None:
    found = segments(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    assert all(0 <= s.start < s.end <= len(text) for s in found)
    kept = "".join(text[s.start : s.end] for s in found)
    assert sum(c.isalnum() for c in kept) == sum(c.isalnum() for c in text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\u200b\u200b", "too short"),
        ("😀" * 50, "too short"),
        ("Thanks", "too short"),
        ("word " * 10_000, "too long"),
        ("I helped a client with the form and then \ud800 I called back the next day", "not text"),
        ("Le client a appelé pour demander son solde et je lui ai répondu le jour même avec les renseignements.", "not English"),
        ("Der Kunde rief an und fragte nach seinem Konto, und ich habe ihm sofort geantwortet und geholfen.", "not English"),
        ("El cliente llamó para preguntar por su saldo y le respondí el mismo día con todos los datos.", "not English"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    found = refusal(text)
    assert found is not None
    assert found.startswith(reason)


def test_an_english_example_is_not_refused() -> None:
    assert refusal("A client called about her refund and I told her the date.") is None


def test_a_megabyte_is_refused_and_linear_to_read() -> None:
    """A quadratic pattern would not come back from these within the run of the tests."""
    assert refusal("a" * 1_000_000) == f"too long: 1,000,000 characters, the limit is {MAX_CHARACTERS:,}"
    assert len(words("a" * 1_000_000)) == 1
    assert len(words("a'" * 500_000)) == 1


def test_a_run_of_signs_that_would_take_minutes_is_refused() -> None:
    prose = "I called the client back and explained the form to her in plain words. "
    assert refusal(prose + "(" * 501) == refusal("I called\0")
    assert refusal(prose + "(" * 500) is None
