"""The notes beside the level quote the words that set them off."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.document import segments
from classifier.notes import client_words, headless, shared, story, tells_act_now, values

STORY = """Situation: A taxpayer called because her refund was late.
Task: I had to find out where it was.
Action: I called the branch and I asked them to release it.
Result: She received it within two days and thanked me."""

# Answers with marked parts: some words of each part's quote; None where the text does not tell the part so that a rule could be sure.
MARKED = {
    "headings": (STORY, "A taxpayer called", "find out where", "I called the branch", "within two days"),
    "headings in one line": (
        "Context: Our counter was closed for repairs. Challenge: Permits still had to go out. Actions: I printed them there. Outcome: All nine went out.",
        "Our counter was closed",
        "Permits still had",
        "I printed them there",
        "All nine went out",
    ),
    "headings on lines of their own": (
        "Situation\nA driver came without papers.\n\nTask\nCheck who he was.\n\nAction\nI rang the depot.\n\nResult\nHe was let in.",
        "A driver came",
        "Check who he was",
        "I rang the depot",
        "He was let in",
    ),
    "single letters": (
        "[S] Saturday, a man back with a dead tree. [T] Refund not mine to give. [A] Asked how he planted it, rang the grower. [R] New tree on Monday.",
        "Saturday, a man",
        "Refund not mine",
        "Asked how he planted it",
        "New tree on Monday",
    ),
    "two parts under one heading": (
        "Situation / Task: A school asked for forty forms by noon.\nAction: I copied them by hand.\nResult: They had them at eleven.",
        "A school asked",
        "A school asked",
        "I copied them",
        "They had them at eleven",
    ),
    "a short request": (
        "A taxpayer called and asked for the deadline of the return. I told her it was April 30.",
        "A taxpayer called",
        "asked for the deadline",
        "I told her",
        None,
    ),
    "a client who says that it was enough": (
        "Last Tuesday a man asked me whether he could renew his card. I renewed it at the counter. He said that was all he needed and left.",
        "Last Tuesday a man",
        "asked me whether",
        "I renewed it",
        "all he needed",
    ),
    "an answer too short to stand alone": (
        "A baker phoned because her permit had not arrived. I found the file. He signed it. I called again to check that she had it. She had.",
        "A baker phoned",
        None,
        "I found the file",
        "She had.",
    ),
    "no task in what somebody wanted long before": (
        "My staff were tired by Thursday. I changed the rota. Sick days fell by a third and two people who had wanted to leave stayed.",
        "My staff were tired",
        None,
        "I changed the rota",
        "Sick days fell",
    ),
    "no situation in an act of the writer": (
        "I rewrote the job that loads our tables. I wrote unit tests and documented the design. I presented it to our guild.",
        None,
        None,
        "I rewrote the job",
        None,
    ),
    "situation and act in one sentence": (
        "A guest had lost her key and I opened the door for her. I made a new key. She was relieved and went up.",
        "A guest had lost her key",
        None,
        "I opened the door",
        "She was relieved",
    ),
    "when I took over": (
        "When I took over the desk, callers were cut off after two minutes. I stopped that. I told him that that 380 dollars would come off.",
        "When I took over the desk",
        None,
        "I stopped that",
        "380 dollars would come off",
    ),
    "half as many": (
        "We had many complaints about our forms. I was asked to look at them. I sat with fifteen newcomers. We now get half as many calls.",
        "We had many complaints",
        "I was asked to look",
        "I sat with",
        "half as many calls",
    ),
    "on time": (
        "In October an officer wrote that her report crashed. I had to find out why before pay day. I rebuilt the link. Pay went out on time.",
        "In October an officer",
        "I had to find out",
        "I rebuilt the link",
        "Pay went out on time",
    ),
    "passive throughout": (
        "A complaint was received from a tenant about mould. The contractor was contacted and the wall was treated. The problem had been solved.",
        "A complaint was received",
        None,
        None,
        "The problem had been solved",
    ),
    "we throughout": (
        "An association complained that licences came too late. We looked into it. A new form was tested with three harbours. The fishermen thanked us.",
        "An association complained",
        None,
        None,
        "The fishermen thanked us",
    ),
    "a habit": (
        "I always put clients first. When a client is upset I listen to every word. My clients leave satisfied and often thank me.",
        None,
        None,
        None,
        None,
    ),
    "no result told": (
        "A student came to the desk about her transcript. It was my job to explain the rule. I explained it. I also gave her the letter. We closed the file.",
        "A student came",
        "It was my job",
        "I explained it",
        None,
    ),
    "a claim before the example": (
        "Working here has taught me patience. On one occasion a patient seemed lost. I walked her to the ward. She told me it was the first time.",
        "On one occasion",
        None,
        "I walked her",
        "the first time",
    ),
    "thanks of the writer are no result": (
        "A caller complained about the price. I listened to her. I thanked her, but I passed nothing on.",
        "A caller complained",
        None,
        "I listened to her",
        None,
    ),
    "a lesson is no result": (
        "A caller needed a form. I sent it by courier. This experience reinforced my belief in service.",
        "A caller needed",
        "needed a form",
        "I sent it",
        None,
    ),
    "notes without a subject": (
        "- caller's refund had gone to a closed account\n- traced it with the payments officer\n- cheque was out the same day",
        "caller's refund had gone",
        None,
        "traced it",
        "cheque was out",
    ),
    "told in the present": (
        "A tenant came to our desk to ask about mould. I think it is urgent. I call the caretaker. The wall was dry on Friday.",
        "A tenant came to our desk",
        "to ask about mould",
        "I call the caretaker",
        "The wall was dry",
    ),
    "a hyphen is no heading": (
        "T-shirts were late for a school. I called the printer. They arrived on Friday.",
        "T-shirts were late",
        None,
        "I called the printer",
        "They arrived",
    ),
}


@pytest.mark.parametrize("name", MARKED)
def test_the_parts_of_the_story(name: str) -> None:
    text, *marked = MARKED[name]
    assert text is not None
    found = {note.key: note.quote for note in story(text, segments(text))}
    for part, words in zip(("situation", "task", "action", "result"), marked, strict=True):
        assert (part in found) == (words is not None), (part, found.get(part))
        assert words is None or words in found[part], (part, found[part])


def test_no_quote_begins_with_a_heading() -> None:
    assert not any(note.quote.lower().startswith(note.key) for note in story(STORY, segments(STORY)))
    assert headless("Action: I read it") == "I read it"
    assert headless("Actions speak louder") == "Actions speak louder"
    assert headless("Result:") == "Result:"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My manager asked me to call a taxpayer and the Finance people.", [("not_a_client", "My manager"), ("external", "taxpayer"), ("internal", "Finance")]),
        ("I asked each of my employees.", [("not_a_client", "my employees")]),
        ("I moved a woman and a bakery owner to a guest role.", [("external", "woman"), ("external", "owner")]),
        ("Our company gave a client what client service means.", [("external", "client")]),
        ("He was patient with my family. A patient came.", [("external", "patient")]),
        ("A widow, a farmer and a couple came.", [("external", "widow"), ("external", "farmer"), ("external", "couple")]),
        ("I wrote a good report.", []),
        ("I am a client-focused person. A vendor wrote.", [("external", "vendor")]),
    ],
)
def test_who_is_served(text: str, found: list[tuple[str, str]]) -> None:
    assert [(n.key, n.quote) for n in client_words(text)] == found


def test_dimensions_of_value_are_those_of_the_result() -> None:
    assert {n.key for n in values(STORY, story(STORY, segments(STORY)))} >= {"timeliness", "outcome"}
    kind = STORY.replace("thanked me", "said that I had been very kind")
    assert "courtesy" in {n.key for n in values(kind, story(kind, segments(kind)))}
    elsewhere = "A farmer called. I asked him to tell me everything within the hour. I explained the bill. I filed it."
    assert values(elsewhere, story(elsewhere, segments(elsewhere))) == ()
    assert values("", ()) == ()


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("We changed the form.", ["we"]),
        ("The form was changed.", ["passive"]),
        ("The form was changed by the branch.", []),  # the act is told as the branch's
        ("I changed the form and we tested it.", []),
        ("A client phoned our counter.", []),
        ("The report was then sent. I signed it.", ["passive"]),
        ("We had many complaints. I read them.", []),  # a state
        ("I wrote to them. She was amazed at it. I left.", []),
        ("A farmer had been passed on three times. I asked him why.", []),
        ("Rules about water are written by those who know. I follow them and I cleared the pool.", []),
        ("Task: Find a bed as none was booked.\nAction: I rang four hostels.\nResult: Their money was credited.", []),
        ("Ana works at our desk. She rang the caretaker and the heating ran again. The tenant was glad.", ["other"]),
        ("I rang Ana. She rang the caretaker. He came at once.", []),  # the writer acts too
        ("I always listen. I treat every client with respect.", ["habit", "habit"]),
        ("I always listen. In May I called a client back.", []),
        ("I never called. She was never sent the form. We met.", ["we"]),  # what was not done
        ("A tenant calls. I look up her file. Ana rings the caretaker, who fixed it once.", []),  # told in the present
    ],
)
def test_segments_whose_act_or_occasion_is_not_told(text: str, keys: list[str]) -> None:
    assert [n.key for n in shared(text, segments(text), story(text, segments(text)))] == keys


@given(st.text(max_size=200) | st.lists(st.sampled_from([*STORY.split(), "I", "we", "Action:", "[S]", ".", "\n", "was", "sent"]), max_size=40).map(" ".join))
@settings(max_examples=100, deadline=None)
def test_notes_quote_the_text(text: str) -> None:
    parts = segments(text)
    for note in (*client_words(text), *story(text, parts), *values(text, story(text, parts)), *shared(text, parts, story(text, parts))):
        assert text[note.start : note.end] == note.quote


def test_a_long_run_of_letters_is_no_heading_and_takes_no_time() -> None:
    """To try every cut of the letters would take minutes."""
    told = "a" * 450 + "1 then I called"
    assert headless(told) == told


@pytest.mark.parametrize(
    ("quote", "told"),
    [
        ("I then call the depot", True),
        ("She asks and I explain it", True),
        ("I called the depot", False),  # in the past
        ("I never call", False),
        ("I don't call", False),
        ("I couldn’t reach them", False),
        ("I have a file", False),
        ("I always call", False),
        ("I help clients", False),  # a habit
        ("I explain this every day", False),
        ("when I call them", False),
        ("I would call them", False),
        ("we call them", False),
    ],
)
def test_an_act_told_in_the_present(quote: str, told: bool) -> None:
    assert tells_act_now(quote) is told
