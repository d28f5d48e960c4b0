"""What holds for any text: an answer or a clear refusal, exact quotes, whole probabilities, the same answer each time."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.assessment import Assessment
from classifier.assessor import Assessor
from classifier.corpus import Example, read_examples
from classifier.framework import framework_names, load_framework

# Twenty thousand characters, no sentence of which stands twice.
LONG = " ".join(e.text for e in read_examples(Path(__file__).resolve().parents[1] / "corpus" / "en" / "t07.jsonl"))[:20_000]

ODD = {
    "blank": "",
    "spaces": "   \n",
    "emoji": "🙂🙃 " * 30,
    "ten thousand words": "I helped a client with the form. " * 1700,
    "control characters": "I called\x07 the client\x1b[31m back and the\x00 form was sent to her.",
    "one word": "Hello",
    "another language": "Le client a téléphoné et je lui ai répondu que son dossier était complet depuis hier.",
    "right to left": "\u202eI called the client back and she had her form the same day.",
    "long, allowed": LONG,
    "one sentence again and again": "A client asked for her balance and I told her what it was. " * 250,
    "lone surrogate": "I called the client \ud83d and told her that the form was on its way.",
    "no space": "a" * 5000,
    "windows lines": "A client asked for her balance.\r\nI told her what it was.\r\n- She was glad.",
}


def holds(text: str, answer: Assessment) -> None:
    if not answer.ok:
        assert answer.status.startswith("refused: ")
        assert not answer.ratings and not answer.evidence and not answer.flags and answer.client is None
        return
    sizes = {s.key: len(s.values) for name in framework_names() for s in load_framework(name).scales}
    assert set(answer.ratings) == set(sizes)
    for scale, rating in answer.ratings.items():
        assert len(rating.probabilities) == sizes[scale]
        assert math.isclose(sum(rating.probabilities), 1, abs_tol=1e-6)
        assert min(rating.probabilities) >= 0
        assert rating.level in rating.level_set
        assert rating.level_set == tuple(range(rating.level_set[0], rating.level_set[-1] + 1))
    assert answer.client is not None
    assert math.isclose(sum(answer.client.probabilities.values()), 1, abs_tol=1e-6)
    for finding in (*answer.evidence, *answer.flags, *answer.means):
        assert text[finding.start : finding.end] == finding.quote
        assert 0 <= finding.confidence <= 1


@pytest.mark.parametrize("name", list(ODD))
def test_odd_texts(assessor: Assessor, name: str) -> None:
    holds(ODD[name], assessor.assess(ODD[name]))


def test_the_longest_text_is_assessed(assessor: Assessor) -> None:
    assert len(LONG) == 20_000
    assert assessor.assess(LONG).ok


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text(assessor: Assessor, text: str) -> None:
    holds(text, assessor.assess(text))


WORDS = "I client called the back for her form and she was then my manager asked would always , . \n -".split(" ")  # noqa: SIM905  the white space matters


@given(st.lists(st.sampled_from(WORDS), min_size=8, max_size=120))
@settings(max_examples=40, deadline=None)
def test_any_words(assessor: Assessor, chosen: list[str]) -> None:
    text = " ".join(chosen)
    holds(text, assessor.assess(text))


def test_the_same_alone_in_a_batch_and_after_save_and_load(assessor: Assessor, corpus: list[Example], tmp_path: Path) -> None:
    texts = [e.text for e in corpus[::150]] + [""]
    together = list(assessor.assess_many(texts))
    assert together == [assessor.assess(text) for text in texts]
    assert together == list(reversed(list(assessor.assess_many(reversed(texts)))))
    assessor.save(tmp_path / "en", {"name": "en"})
    again = Assessor.load(tmp_path / "en")
    assert [a.to_dict() | {"model": ""} for a in again.assess_many(texts)] == [a.to_dict() | {"model": ""} for a in together]


def test_the_text_is_never_changed_by_line_ends(assessor: Assessor) -> None:
    text = "A client asked for her balance.\r\nI looked it up, called her back and told her what it was.\r\n"
    holds(text, assessor.assess(text))
