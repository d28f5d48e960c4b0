"""SpanTagger: spans from token scores, trimmed to words, with thresholds that keep the wanted precision."""

from __future__ import annotations

import re

import numpy as np
import pytest

from classifier.corpus import Label
from classifier.encoder import Encoding
from classifier.spans import SpanTagger

FILLER = "The day was long and the office was full of people. "
ACT = "I called her back on Friday"


def encoding(text: str, marked: tuple[int, int] | None, noise: np.random.Generator, height: float = 3.0) -> Encoding:
    offsets = np.array([m.span() for m in re.finditer(r"\S+", text)], dtype=np.int32)
    tokens = noise.normal(-4, 0.5, size=(len(offsets), 2)).astype(np.float32)
    if marked:
        inside = (offsets[:, 0] < marked[1]) & (offsets[:, 1] > marked[0])
        tokens[inside, 0] += height + 4
    return Encoding(np.zeros(1, np.float32), tokens, offsets)


@pytest.fixture(scope="module")
def tagger() -> SpanTagger:
    noise = np.random.default_rng(0)
    texts, encodings, labels = [], [], []
    for i in range(60):
        text = FILLER + (ACT if i % 2 else "She went away with it soon") + ". " + FILLER
        start = text.index("office was full") if i % 10 == 0 else text.find(ACT)
        end = start + (len("office was full of people") if i % 10 == 0 else len(ACT))
        texts.append(text)
        encodings.append(encoding(text, (start, end) if start >= 0 else None, noise, 0.5 if i % 10 == 0 else 3.0))
        labels.append([Label("2.4", ACT)] if i % 2 else [])
    return SpanTagger(["2.4", "1.1"], [0, 1]).fit(texts, encodings, labels)


def test_finds_the_words_and_no_others(tagger: SpanTagger) -> None:
    text = FILLER + ACT + ". " + FILLER
    start = text.index(ACT)
    found = tagger.tag(text, encoding(text, (start, start + len(ACT)), np.random.default_rng(5)))
    assert [(f.key, f.quote) for f in found] == [("2.4", ACT)]
    assert found[0].confidence > 0.8


def test_weak_scores_are_no_finding(tagger: SpanTagger) -> None:
    text = FILLER + ACT + ". " + FILLER
    assert tagger.tag(text, encoding(text, None, np.random.default_rng(6))) == ()
    start = text.index(ACT)
    assert tagger.tag(text, encoding(text, (start, start + len(ACT)), np.random.default_rng(7), 0.5)) == ()


def test_a_key_without_examples_is_never_found(tagger: SpanTagger) -> None:
    assert tagger.thresholds_[1] > 1


def test_strengths_are_the_highest_of_each_key(tagger: SpanTagger) -> None:
    text = FILLER + ACT + ". " + FILLER
    start = text.index(ACT)
    with_act = tagger.strengths(encoding(text, (start, start + len(ACT)), np.random.default_rng(8)))
    without = tagger.strengths(encoding(text, None, np.random.default_rng(8)))
    assert with_act.shape == (2,)
    assert with_act[0] > without[0] + 4
    assert with_act[1] == pytest.approx(without[1], abs=1e-6)


def test_no_tokens_no_findings(tagger: SpanTagger) -> None:
    empty = Encoding(np.zeros(1, np.float32), np.zeros((0, 2), np.float32), np.zeros((0, 2), np.int32))
    assert tagger.tag("", empty) == ()
    assert tagger.strengths(empty).shape == (2,)
