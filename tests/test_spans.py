"""SpanTagger: spans from token scores, trimmed to words, with thresholds that keep the wanted precision."""

from __future__ import annotations

import re

import numpy as np
import pytest

from classifier.corpus import Label
from classifier.document import segments
from classifier.encoder import Encoding
from classifier.spans import Span, SpanTagger, find_spans, located, meet
from classifier.tagging import _unseen, fit_tagger

FILLER = "The day was long and the office was full of people. "
ACT = "I called her back on Friday"


def encoding(text: str, marked: tuple[int, int] | None, noise: np.random.Generator, height: float = 3.0) -> Encoding:
    offsets = np.array([m.span() for m in re.finditer(r"\S+", text)], dtype=np.int32)
    tokens = noise.normal(-4, 0.5, size=(len(offsets), 2)).astype(np.float32)
    if marked:
        inside = (offsets[:, 0] < marked[1]) & (offsets[:, 1] > marked[0])
        tokens[inside, 0] += height + 4
    return Encoding(np.zeros(1, np.float32), tokens, offsets)


KEYS = {"2.4": 0, "1.1": 1}


@pytest.fixture(scope="module")
def tagger() -> SpanTagger:
    """Trained where every tenth text has weaker words, at another place, that readers did not mark."""
    noise = np.random.default_rng(0)
    texts, spans, labels = [], [], []
    for i in range(60):
        text = FILLER + (ACT if i % 2 else "She went away with it soon") + ". " + FILLER
        start = text.index("office was full") if i % 10 == 0 else text.find(ACT)
        end = start + (len("office was full of people") if i % 10 == 0 else len(ACT))
        texts.append(text)
        spans.append(find_spans(text, segments(text), encoding(text, (start, end) if start >= 0 else None, noise, 0.5 if i % 10 == 0 else 3.0), KEYS, -1.0))
        labels.append([Label("2.4", ACT)] if i % 2 else [])
    return fit_tagger(list(KEYS), 0.7, texts, spans, labels, [f"writer {i % 7}" for i in range(60)])


def tag(tagger: SpanTagger, height: float | None, seed: int) -> list[tuple[str, str, float]]:
    text = FILLER + ACT + ". " + FILLER
    start = text.index(ACT)
    marked = None if height is None else (start, start + len(ACT))
    found = find_spans(text, segments(text), encoding(text, marked, np.random.default_rng(seed), height or 0), KEYS, -1.0)
    return [(f.key, f.quote, f.confidence) for f in tagger.tag(text, found, segments(text))]


def test_finds_the_words_and_no_others(tagger: SpanTagger) -> None:
    ((key, quote, confidence),) = tag(tagger, 3.0, 5)
    assert (key, quote) == ("2.4", ACT)
    assert confidence > 0.8


def test_weak_scores_are_no_finding(tagger: SpanTagger) -> None:
    assert tag(tagger, None, 6) == []
    assert tag(tagger, 0.5, 7) == []


@pytest.mark.parametrize(
    ("marked", "quote"),
    [("her back", "I called her back on the Friday of that week"), ("called her back on", "called her back on")],
    ids=["too few words", "enough"],
)
def test_a_run_of_hardly_a_word_is_widened_to_its_clause(marked: str, quote: str) -> None:
    text = "The day was long, I called her back on the Friday of that week, and all was well."
    start = text.index(marked)
    (span,) = find_spans(text, segments(text), encoding(text, (start, start + len(marked)), np.random.default_rng(3)), KEYS, -1.0, few=3)
    assert text[span.start : span.end] == quote


@pytest.mark.parametrize(
    ("words", "quote"),
    [
        ("checks that ran", "I introduced checks that ran every hour"),  # the whole clause
        ("every hour, and she", "I introduced checks that ran every hour, and she thanked me"),  # both clauses that it stands in
        ("Then I sent him", "I sent him the form"),  # not the "while" and "the" that begin what follows
        ("rang the desk", "I rang the desk"),
    ],
)
def test_a_finding_quotes_its_clause(words: str, quote: str) -> None:
    text = "I introduced checks that ran every hour, and she thanked me. Then I sent him the form while the, as it were, bus left. I rang the desk."
    tagger, start = SpanTagger({"2.4": (0.0,)}, {"2.4": 2.0}, {"2.4": 0.5}), text.index(words)
    (found,) = tagger.tag(text, [Span("2.4", start, start + len(words), (0.0,))], segments(text))
    assert found.quote == text[found.start : found.end] == quote


def test_a_key_without_examples_is_never_found(tagger: SpanTagger) -> None:
    assert "1.1" not in tagger.thresholds
    assert tagger.tag("a b c", [Span("1.1", 0, 5, (9.0,) * 20)], segments("a b c")) == ()


def test_a_span_stays_within_its_segment_and_is_trimmed_to_words() -> None:
    text = "I checked the file. I called her back, twice."
    found = find_spans(text, segments(text), encoding(text, (0, len(text)), np.random.default_rng(1)), KEYS, -1.0)
    assert [text[s.start : s.end] for s in found] == ["I checked the file", "I called her back, twice"]


def test_no_tokens_no_spans() -> None:
    empty = Encoding(np.zeros(1, np.float32), np.zeros((0, 2), np.float32), np.zeros((0, 2), np.int32))
    assert find_spans("", (), empty, KEYS, -1.0) == ()


def test_meeting_needs_the_key_and_a_third_of_the_shorter() -> None:
    assert meet(Span("a", 0, 30), Span("a", 20, 60))
    assert not meet(Span("a", 0, 30), Span("a", 25, 60))
    assert not meet(Span("a", 0, 30), Span("b", 0, 30))
    assert located("x yes y", [Label("a", "yes"), Label("a", "no")]) == [Span("a", 2, 5)]


def test_the_context_decides_between_words_of_equal_scores() -> None:
    """The same words in a text that also shows another key are never marked by readers, and no longer found."""
    noise, texts, spans, labels = np.random.default_rng(2), [], [], []
    text = FILLER + ACT + ". " + FILLER
    start = text.index(ACT)

    def candidates(other: bool) -> tuple[Span, ...]:
        told = encoding(text, (start, start + len(ACT)), noise)
        told.tokens[-4:, 1] += 8 * other
        return find_spans(text, segments(text), told, {"2.4": 0}, -1.0)

    for i in range(120):
        texts.append(text)
        spans.append(candidates(bool(i % 2)))
        labels.append([] if i % 2 else [Label("2.4", ACT)])
    tagger = fit_tagger(["2.4"], 0.9, texts, spans, labels, [f"writer {i % 7}" for i in range(120)])
    assert [f.quote for f in tagger.tag(text, candidates(False), segments(text))] == [ACT]
    assert tagger.tag(text, candidates(True), segments(text)) == ()


def candidate(number: int, *traits: float) -> tuple[Span, ...]:
    return (Span("2.4", 0, len(ACT), (*traits, float(number % 2))),)


def test_thresholds_are_chosen_on_writers_left_out() -> None:
    """One trait a writer, which goes with the marks: it tells all about the writers that were learnt from, and nothing of another."""
    writers = [f"writer {i % 6}" for i in range(240)]
    marked = np.random.default_rng(3).random(240) < 0.5
    X = np.eye(6)[np.arange(240) % 6] * np.where(marked, 1.0, -1.0)[:, None]
    confidences = _unseen(X, marked, writers)
    assert confidences is not None
    assert abs(confidences[marked].mean() - confidences[~marked].mean()) < 0.05


def test_a_key_that_one_writer_alone_shows_is_not_learnt() -> None:
    writers = [f"writer {i % 6}" for i in range(60)]
    labels = [[Label("2.4", ACT)] if i % 6 == 0 else [] for i in range(60)]
    assert fit_tagger(["2.4"], 0.5, [ACT] * 60, [candidate(i, float(i % 6 == 0)) for i in range(60)], labels, writers).thresholds == {}


def test_white_space_around_a_text_changes_nothing() -> None:
    text = FILLER + ACT + ". " + FILLER
    start = text.index(ACT)

    def traits(around: str) -> tuple[float, ...]:
        told = encoding(around + text + around, (len(around) + start, len(around) + start + len(ACT)), np.random.default_rng(4))
        (span,) = find_spans(around + text + around, segments(around + text + around), told, {"2.4": 0}, -1.0)
        return span.traits

    assert traits("\n" * 50) == traits("")
