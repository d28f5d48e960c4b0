"""Evaluation: sections for unseen writers, baselines and examples from elsewhere; the measures of findings by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.assessment import Assessment, Finding, Rating
from classifier.assessor import Assessor
from classifier.certainty import certainty
from classifier.corpus import UNGUIDED, Example, Label, register_of
from classifier.errors import InputError
from classifier.evaluation import evaluate_examples, evaluate_made, evaluate_statements
from classifier.features import Reading
from classifier.findings import character_f1, finding_calibration, flag_pairs, flag_scores, flagged_lookalikes, level_evidence_f1
from classifier.sections import RELIABILITY

TEXT = "I rushed her. She said no. I gave up."


def answer(*flags: tuple[str, str]) -> Assessment:
    return Assessment("ok", "m", flags=tuple(Finding(key, TEXT.index(q), TEXT.index(q) + len(q), q, 0.9) for key, q in flags))


def example(*flags: tuple[str, str], lookalikes: tuple[Label, ...] = ()) -> Example:
    return Example("x", TEXT, {"level": 0}, "external", flags=tuple(Label(*f) for f in flags), lookalikes=lookalikes)


def test_flag_scores_by_hand() -> None:
    answers = [answer(("gives-up", "I gave up")), answer(("gives-up", "I rushed her")), answer()]
    examples = [example(("gives-up", "I gave up")), example(), example(("condescending-or-rushed", "I rushed her"))]
    scores = flag_scores(answers, examples)
    assert scores["all"] == pytest.approx((0.5, 0.5, 0.5))
    assert scores["gives-up"] == pytest.approx((0.5, 1.0, 2 / 3))
    assert scores["condescending-or-rushed"] == (0.0, 0.0, 0.0)
    # A flag of a key that no reader gave is a wrong one.
    scores = flag_scores([answer(("gives-up", "I gave up"), ("ignores-feedback", "She said no"))], [example(("gives-up", "I gave up"))])
    assert (scores["all"], scores["ignores-feedback"]) == (pytest.approx((0.5, 1.0, 2 / 3)), (0.0, 0.0, 0.0))


def test_flag_pairs_by_hand() -> None:
    one, other = replace(example(("gives-up", "I gave up")), pair="p1"), replace(example(), pair="p1")
    assert flag_pairs([answer(("gives-up", "I gave up")), answer()], [one, other]) == 1.0
    assert flag_pairs([answer(("gives-up", "I gave up")), answer(("gives-up", "I gave up"))], [one, other]) == 0.0
    assert flag_pairs([answer(), answer()], [one, other]) == 0.0
    assert math.isnan(flag_pairs([answer()], [example()]))


def test_character_f1_and_lookalikes_by_hand() -> None:
    found, marked = [answer(("gives-up", "I gave up")).flags], [[Label("gives-up", "gave up")]]
    assert character_f1(found, marked, [TEXT]) == pytest.approx(2 * 7 / (9 + 7))
    assert character_f1(found, [[Label("ignores-feedback", "gave up")]], [TEXT]) == 0
    lookalike = example(lookalikes=(Label("gives-up", "She said no"), Label("gives-up", "I gave up")))
    assert flagged_lookalikes([answer(("gives-up", "I gave up"))], [lookalike]) == 0.5
    assert math.isnan(flagged_lookalikes([answer(("gives-up", "I gave up"))], [example()]))


def test_evidence_of_a_level_by_hand() -> None:
    # Of level 2 or more a reader marked "I rushed her"; p1.2 is another scale's.
    marked = replace(example(), evidence=(Label("2.4", "I rushed her"), Label("1.1", "She said no"), Label("p1.2", "She said no")))
    found = Assessment("ok", "m", evidence=(Finding("3.1", 0, 12, TEXT[:12], 0.9),))
    assert level_evidence_f1([found], [marked], 2) == 1
    assert level_evidence_f1([found], [marked], 1) == pytest.approx(2 * 12 / (12 + 12 + 11))


def test_calibration_of_findings_by_hand() -> None:
    # Two findings of confidence .9, one of which a reader marked, each in a bin of its own: (|1 - .9| + |0 - .9|) / 2.
    found = [answer(("gives-up", "I gave up"), ("gives-up", "I rushed her")).flags]
    assert finding_calibration(found, [[Label("gives-up", "I gave up")]], [TEXT]) == pytest.approx((0.1 + 0.9) / 2)
    assert np.isnan(finding_calibration([()], [[]], [TEXT]))


def test_calibration_by_level_and_length_by_hand() -> None:
    # Three texts of 1, 2 and 3 words; readers say 0, 1, 1. Level 1 is given twice, with .6 (wrong, but plausible) and .8 (right).
    answers = [
        Assessment("ok", "m", {"level": Rating(level, shares, plausible)})
        for level, shares, plausible in [(1, (0.4, 0.6), (0, 1)), (1, (0.2, 0.8), (1,)), (0, (0.9, 0.1), (0,))]
    ]
    examples = [Example(text, text, {"level": level}, None) for text, level in [("a", 0), ("a b", 1), ("a b c", 1)]]
    _, found = certainty("T", answers, examples)
    rows = [line.split() for line in found.lines]
    assert rows[0] == ["confidence", "right", "covered", "n"]
    assert rows[1] == ["level", "0", "given", "0.90", "0.00", "0.00", "1"]
    assert rows[2] == ["level", "1", "given", "0.70", "0.50", "1.00", "2"]
    assert rows[3] == ["1", "to", "1", "words", "0.60", "0.00", "1.00", "1"]
    assert rows[6] == ["all", "0.77", "0.33", "0.67", "3"]
    assert found.curves[RELIABILITY] == ((0.6, 0.0), (0.8, 1.0), (0.9, 0.0))


def test_sections_of_the_made_corpus(trained: Assessor, small: tuple[list[Example], list[Reading]]) -> None:
    sections = evaluate_made(trained, *small, folds=3)
    titles = [section.title for section in sections]
    known = [e for e in small[0] if trained.encoder.trained_on(e.text)]
    assert 0 < len(known) < len(small[0])
    assert titles[0] == f"Made corpus, writer left out: level (n = {len(known)})"
    of_new, unguided = (title for title in titles if title.startswith("Writers that the encoder was not trained on") and "level" in title)
    assert of_new.endswith(f"(n = {len(small[0]) - len(known)})")
    count = sum(register_of(e.source) == UNGUIDED and not trained.encoder.trained_on(e.text) for e in small[0])
    assert unguided.endswith(f", {UNGUIDED}: level (n = {count})")
    assert any("only the length" in title for title in titles)
    commonest = np.bincount([e.ratings["level"] for e in known]).argmax()
    assert f"Made corpus: always level {commonest}" in " ".join(titles)
    value, bounds = sections[0].figures["qwk"]
    assert bounds is not None
    assert bounds[0] <= value <= bounds[1]
    assert "recall by level" in str(sections[0])


def test_sections_of_examples_from_elsewhere(trained: Assessor, corpus: list[Example]) -> None:
    sections = evaluate_examples(trained, corpus[:20], corpus[100:200])
    assert sections[0].title == "Examples: level (n = 20)"


def test_statements(trained: Assessor, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    texts = ["Answers the questions of clients when they ask for it.", "Redesigns the services of the whole organization for its future clients."]
    records = [{"organization": "a", "scale_level": k, "text": text} for k, text in enumerate(texts)]
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    (figure,) = evaluate_statements(trained, path).figures.values()
    assert abs(figure[0]) == pytest.approx(1.0)
    path.write_text("{}", "utf-8")
    with pytest.raises(InputError, match="not levelled statements"):
        evaluate_statements(trained, path)
