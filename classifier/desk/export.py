"""A decision as a document of one page, HTML or Word: what was decided, by whom, why, what the program suggested, and the recourse."""

from __future__ import annotations

import io
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from classifier.desk.faults import OutOfOrderError
from classifier.desk.judgement import Judgement
from classifier.desk.record import Entered, Final, Reading
from classifier.desk.store import Desk
from classifier.document import messages
from classifier.errors import InputError
from classifier.framework import DATA, Framework

DEPARTMENT = "department.toml"
_FIELDS = ("department", "notice", "explanation", "recourse", "contact")


@dataclass(frozen=True)
class Part:
    """A heading with paragraphs and, below them, quoted words with what they show."""

    title: str
    paragraphs: tuple[str, ...]
    quotes: tuple[tuple[str, str], ...] = ()


def read_department(folder: Path) -> dict[str, str]:
    """The department's words; the file to fill in is put into the folder where it is missing."""
    path = folder / DEPARTMENT
    try:
        if not path.exists():
            shutil.copyfile(DATA / DEPARTMENT, path)
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as the department's words ({error}).") from error
    missing = messages()["desk"]["missing"]
    return {name: str(raw.get(name, "")).strip() or missing.format(name=name) for name in _FIELDS}


def decision_parts(desk: Desk, example: int, framework: Framework) -> tuple[Part, ...]:
    """The content of the document, the same for both forms.

    Raises
    ------
    OutOfOrderError
        When nobody has decided.
    """
    entered, final = desk.example(example), desk.final(example)
    if final is None:
        raise OutOfOrderError("This example has not been decided.")
    words, own = messages()["desk"]["export"], read_department(desk.folder)
    return (
        Part(words["notice"], (own["department"], own["notice"])),
        _decision(words, entered, final, framework),
        _suggestions(words, desk.readings(example), framework, own["explanation"]),
        Part(words["recourse"], (own["recourse"], own["contact"])),
    )


def _decision(words: dict[str, Any], entered: Entered, final: Final, framework: Framework) -> Part:
    scale, held = framework.scale(framework.main_scale), final.judgement
    return Part(
        words["decision"],
        (
            words["example"].format(name=entered.name, input=entered.input[:16]),
            words["level"].format(name=framework.name, level=held.level, last=scale.values[-1], notion=scale.level(held.level).notion),
            words["client"].format(client=messages()["clients"][held.client]),
            words["decided"].format(name=final.assessor, at=final.decided_at, entry=final.entry),
            words["reason"].format(reason=held.reason),
        ),
        _quotes(held, framework),
    )


def _quotes(held: Judgement, framework: Framework) -> tuple[tuple[str, str], ...]:
    shown = [(note.quote, f"{note.key} {framework.behaviour(note.key).text}") for note in held.evidence]
    return (*shown, *((note.quote, framework.anti_pattern(note.key).does_not_mean) for note in held.flags))


def _suggestions(words: dict[str, Any], readings: Sequence[Reading], framework: Framework, explanation: str) -> Part:
    lines = []
    for r in readings:
        if r.rating is None or r.conclusion is None:
            continue
        when = words["blind"] if r.blind else words["open"]
        lines.append(words["reading"].format(name=r.assessor, rated=r.rating.level, when=when, held=r.conclusion.level))
        if r.suggestion is not None:
            rating = r.suggestion.assessment.ratings.get(framework.main_scale)
            told = r.suggestion.assessment.status if rating is None else words["suggested"].format(level=rating.level, plausible=_listed(rating.level_set))
            lines.append(words["model"].format(told=told, model=r.suggestion.model.version, sha256=r.suggestion.model.sha256[:16]))
    if not any(r.suggestion is not None for r in readings):
        lines.append(words["no_model"])
    return Part(words["explanation"], (explanation, *lines))


def _listed(levels: Sequence[int]) -> str:
    return ", ".join(map(str, levels))


def decision_html(environment: jinja2.Environment, parts: Sequence[Part]) -> str:
    """One self-contained page."""
    return environment.get_template("desk/export.html").render(parts=parts)


def decision_docx(parts: Sequence[Part]) -> bytes:
    """The same as a Word document, with real headings and its language set."""
    import docx
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    words = messages()["desk"]["export"]
    document = docx.Document()
    document.core_properties.title = words["title"]
    document.core_properties.author = ""
    document.core_properties.language = "en-CA"
    run = document.styles["Normal"].element.get_or_add_rPr()
    language = run.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        run.append(language)
    language.set(qn("w:val"), "en-CA")
    document.add_heading(_plain(words["title"]), level=1)
    document.add_paragraph(messages()["desk"]["notice"])
    for part in parts:
        document.add_heading(_plain(part.title), level=2)
        for paragraph in part.paragraphs:
            document.add_paragraph(_plain(paragraph))
        for quote, shows in part.quotes:
            document.add_paragraph(_plain(f"“{quote}” {shows}"), style="List Bullet")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _plain(text: str) -> str:
    """Without characters that XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"))
