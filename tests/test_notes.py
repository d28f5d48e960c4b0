"""The notes beside the level quote the words that set them off."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.document import segments
from classifier.notes import client_words, shared, story, values

STORY = """Situation: A taxpayer called because her refund was late.
Task: I had to find out where it was.
Action: I called the branch and I asked them to release it.
Result: She received it within two days and thanked me."""


def test_who_is_served() -> None:
    found = client_words("My manager asked me to call a taxpayer and the Finance people.")
    assert [(n.key, n.quote) for n in found] == [("not_a_client", "My manager"), ("external", "taxpayer"), ("internal", "Finance")]
    assert client_words("I wrote a good report.") == ()


def test_a_story_with_headings_and_one_without() -> None:
    assert [n.key for n in story(STORY, segments(STORY))] == ["situation", "task", "action", "result"]
    text = "A guest came to the desk. I checked the booking and I found his room. In the end he was happy."
    plain = story(text, segments(text))
    assert [n.key for n in plain] == ["situation", "action", "result"]
    assert plain[2].quote == "In the end he was happy."


def test_dimensions_of_value_of_the_result() -> None:
    assert {n.key for n in values(STORY, segments(STORY))} >= {"timeliness", "courtesy", "outcome"}
    assert values("", ()) == ()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("We changed the form.", ["we"]),
        ("The form was changed by the branch.", ["passive"]),
        ("I changed the form and we tested it.", []),
        ("A client phoned our counter.", []),
        ("The report was then sent. I signed it.", ["passive"]),
    ],
)
def test_segments_without_the_writer(text: str, keys: list[str]) -> None:
    assert [n.key for n in shared(text, segments(text))] == keys


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_notes_quote_the_text(text: str) -> None:
    parts = segments(text)
    for note in (*client_words(text), *story(text, parts), *values(text, parts), *shared(text, parts)):
        assert text[note.start : note.end] == note.quote
