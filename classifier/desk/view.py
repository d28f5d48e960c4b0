"""Judgements and suggestions arranged for the desk's templates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import jinja2

from classifier.answer import Mark, ladder, marks
from classifier.assessment import Assessment, Finding
from classifier.desk.judgement import Judgement
from classifier.document import messages
from classifier.framework import Framework
from classifier.web import page_templates


def desk_templates(framework: Framework) -> jinja2.Environment:
    """The page's templates with the desk's own words."""
    environment = page_templates()
    environment.globals.update(
        d=messages()["desk"],
        framework=framework,
        steps=lambda assessment: ladder(assessment, framework.scale(framework.main_scale)),
        marks_json=marks_json,
    )
    return environment


def judged_marks(judgement: Judgement, prefix: str) -> tuple[Mark, ...]:
    """What a person marked; `prefix` keeps the names of several lists on one page apart."""
    evidence, flags = (tuple(Finding(n.key, n.start, n.end, n.quote, 1.0) for n in notes) for notes in (judgement.evidence, judgement.flags))
    found = marks(Assessment("ok", "", evidence=evidence, flags=flags))
    return tuple(replace(mark, id=f"{prefix}{mark.id}", confidence=None) for mark in found)


def marks_json(judgement: Judgement | None) -> str:
    """The marks that a form begins with."""
    notes: Sequence[object] = () if judgement is None else (*judgement.evidence, *judgement.flags)
    return json.dumps([{"key": n.key, "start": n.start, "end": n.end} for n in notes])  # type: ignore[attr-defined]
