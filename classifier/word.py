"""The draft in Word: the same document with comments on the evidence and the flags, and a summary comment at the top."""

from __future__ import annotations

import io
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from classifier.answer import Mark, marks, questions
from classifier.assessment import Assessment
from classifier.assessor import Assessor
from classifier.document import messages
from classifier.errors import InputError
from classifier.framework import Framework, load_framework
from classifier.uploads import RunSpan, docx_text, run_characters

if TYPE_CHECKING:
    from docx.document import Document

WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def annotate(document: Document, assessor: Assessor, framework: str = "cra", recourse: str = "") -> Assessment:
    """Assess the text of a Word document and put comments into it; returns the assessment.

    Runs are cut where a comment begins or ends inside one; each part keeps the run's formatting. Nothing else changes.
    """
    text, runs = docx_text(document)
    if not runs:
        raise InputError("The document holds no text outside of headers, notes and text boxes.")
    assessment = assessor.assess(text)
    marked = [mark for mark in marks(assessment) if mark.kind in {"evidence", "flag"}]
    runs = _cut(runs, sorted({m.start for m in marked} | {m.end for m in marked}))
    # Later comments first, so that where two begin on the same word the order in the file is that of the list.
    for mark in reversed(marked):
        covered = [run for run in runs if mark.start <= run.start and run.end <= mark.end]
        if covered:
            _comment(document, covered, _comment_lines(mark))
    _comment(document, runs[:1], _summary(assessment, load_framework(framework), recourse))
    return assessment


def save_docx(document: Document) -> bytes:
    """The document's bytes."""
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _comment(document: Document, runs: list[RunSpan], lines: list[str]) -> None:
    from docx.text.run import Run

    word = messages()["word"]
    ends = [Run(run.element, document) for run in (runs[0], runs[-1])]
    comment = document.add_comment(ends, lines[0], word["author"], word["initials"])
    for line in lines[1:]:
        comment.add_paragraph(line)


def _comment_lines(mark: Mark) -> list[str]:
    word = messages()["word"]
    title = word[mark.kind].format(label=mark.label, title=mark.title, confidence=f"{mark.confidence:.0%}")
    return [title, mark.source] if mark.source else [title]


def _summary(assessment: Assessment, framework: Framework, recourse: str) -> list[str]:
    word = messages()["word"]
    closing = [messages()["notice"]["text"], recourse or messages()["page"]["recourse"]]
    if not assessment.ok:
        return [word["refused"].format(reason=assessment.status.removeprefix("refused: ")), *closing]
    scale = framework.scale(framework.main_scale)
    if scale.key not in assessment.ratings:
        return [messages()["explain"]["untrained"].format(name=framework.name), *closing]
    rating = assessment.ratings[scale.key]
    lines = [
        word["level"].format(name=framework.name, level=rating.level, last=scale.values[-1], notion=scale.level(rating.level).notion),
        word["plausible"].format(levels=", ".join(map(str, rating.level_set))),
    ]
    for other in framework.scales:
        if other.key != scale.key and other.key in assessment.ratings:
            lines.append(word["degree"].format(name=other.name, value=assessment.ratings[other.key].level, last=other.values[-1]))
    asked = questions(assessment, framework)
    if asked:
        lines += [word["asks"].format(level=rating.level + 1), *(f"{question.key} {question.text}" for question in asked)]
    return lines + closing


def _cut(runs: list[RunSpan], places: list[int]) -> list[RunSpan]:
    """The same runs, cut at these offsets."""
    found = []
    for run in runs:
        for place in places:
            if run.start < place < run.end:
                left, run = _split(run, place)
                found.append(left)
        found.append(run)
    return found


def _split(run: RunSpan, place: int) -> tuple[RunSpan, RunSpan]:
    """Cut one run in two at an offset inside it; the second part follows the first in the document."""
    first, second = run.element, deepcopy(run.element)
    position = run.start
    for child, twin in zip(list(first), list(second), strict=True):
        shown = run_characters(child)
        end = position + len(shown)
        if str(child.tag).endswith("}rPr"):  # the tag of a comment is no string
            continue
        if position < place < end:  # only a w:t shows more than one character
            _set_text(child, shown[: place - position])
            _set_text(twin, shown[place - position :])
        elif end <= place:
            second.remove(twin)
        else:
            first.remove(child)
        position = end
    first.addnext(second)
    return RunSpan(first, run.start, place), RunSpan(second, place, run.end)


def _set_text(element: Any, text: str) -> None:
    element.text = text
    element.set(_SPACE, "preserve")
