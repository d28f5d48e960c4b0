"""The model card and the Directive's papers, filled from model.json and the report's figures. What is empty is an error.

The texts are data (data/card.toml); only figures, versions and hashes are put in here.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.assessor import read_manifest
from classifier.errors import InputError
from classifier.framework import DATA
from classifier.private import write_private
from classifier.sections import read_sections

_PLACE = re.compile(r"\[\[([^\[\]]+)\]\]")
_TITLE = re.compile(r"(?P<title>\S.*?)(?: \(n = (?P<n>\d+)[^)]*\))?")
_STATES = ("shown", "partly", "missing")
_UNMEASURED = "not measured"


def write_card(model: Path, report: Path, folder: Path) -> list[Path]:
    """Write every paper into a folder; nothing is written where one cannot be filled.

    model : the model folder, for versions, seed and hashes.
    report : what `classifier evaluate` printed, without and with --stress, in a file of its own or within a Markdown page.

    Raises
    ------
    InputError
        When a figure or a value is missing, or a section would be empty.
    """
    raw = tomllib.loads((DATA / "card.toml").read_text("utf-8"))
    try:
        figures = read_figures(report.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{report}: there is no report here; `classifier evaluate` prints one.") from error
    papers = papers_of(raw, read_manifest(model), figures)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}).") from error
    for name, content in papers.items():
        write_private(folder / name, content.encode())
    return [folder / name for name in papers]


def papers_of(raw: Mapping[str, Any], manifest: Mapping[str, Any], figures: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """File name -> content of every paper."""

    def put(text: str, where: str) -> str:
        values = [_value(place, where, manifest, figures) for place in _PLACE.findall(text)]
        if not text.strip():
            raise InputError(f"{where}: this section is empty.")
        if values and all(value == _UNMEASURED for value in values):
            raise InputError(f"{where}: nothing of this section was measured.")
        rest = iter(values)
        return _PLACE.sub(lambda _: next(rest), text).strip()

    papers = {}
    for document in raw["documents"]:
        parts = [f"# {put(document['title'], document['file'])}"]
        for section in document["sections"]:
            where = f"{document['file']}, {section['heading']!r}"
            parts += [f"## {section['heading']}", put(section["text"], where)]
        papers[document["file"]] = "\n\n".join(parts) + "\n"
    answers = [
        {name: put(entry[name], f"aia.json, {entry['question']!r}") if entry[name] else "" for name in ("field", "question", "answer", "grounds")}
        for entry in raw["aia"]
    ]
    for entry in answers:
        if not (entry["answer"] and entry["grounds"]):
            raise InputError(f"aia.json, {entry['question']!r}: an answer needs its grounds.")
    papers["aia.json"] = json.dumps({"model": manifest["name"], "answers": answers}, indent=2, ensure_ascii=False) + "\n"
    papers["requirements.md"] = _requirements(raw["rules"], figures)
    return papers


def read_figures(report: str) -> dict[str, dict[str, str]]:
    """Section -> figure -> its value as printed, with the interval where there is one; "n" is the number of texts.

    >>> read_figures("Made: level (n = 12)\\n----\\n  qwk      0.855   [0.832, 0.873]")
    {'Made: level': {'n': '12', 'qwk': '0.855 [0.832, 0.873]'}}
    """
    found: dict[str, dict[str, str]] = {}
    for section in read_sections(report):
        title = _TITLE.fullmatch(section.title)
        if title is None:
            continue
        name = "Stress" if section.title.startswith("Stress: ") and " cases" in section.title else title["title"]
        figures = found.setdefault(name, {})
        if title["n"]:
            figures["n"] = title["n"]
        for figure, (value, bounds) in section.figures.items():
            if not math.isnan(value):
                # The stress suite's figures name their aim and number of cases behind the group.
                figures[figure.partition(" (aim ")[0]] = f"{value:.3f}" + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else "")
    return found


def _value(place: str, where: str, manifest: Mapping[str, Any], figures: Mapping[str, Mapping[str, str]]) -> str:
    if place.startswith("model:"):
        return _of_model(place.removeprefix("model:"), where, manifest)
    section, _, name = place.partition("|")
    if section == "n":
        section, name = name, "n"
    if name.endswith("?"):
        return figures.get(section, {}).get(name[:-1], _UNMEASURED)
    try:
        return figures[section][name]
    except KeyError as error:
        raise InputError(f"{where}: the report has no figure {name!r} in {section!r}.") from error


def _of_model(place: str, where: str, manifest: Mapping[str, Any]) -> str:
    """A value of model.json; a key may hold dots itself (the name of a file)."""
    first, _, rest = place.partition(".")
    try:
        value = manifest[first][rest] if rest else manifest[first]
    except (KeyError, TypeError) as error:
        raise InputError(f"{where}: model.json has no {place!r}.") from error
    return str(value)


def _requirements(rules: Sequence[Mapping[str, Any]], figures: Mapping[str, Mapping[str, str]]) -> str:
    """The table of the rules. What is shown but for a figure beyond its limit is shown in part, and the figure stands among what is missing."""
    lines = ["# Requirements R1 to R26", "", "| | rule | state | what shows it | what is missing |", "| --- | --- | --- | --- | --- |"]
    for rule in rules:
        missed = [miss for limit in rule.get("limits", ()) if (miss := _missed(limit, f"requirements.md, {rule['key']}", figures))]
        state = "partly" if missed and rule["state"] == "shown" else rule["state"]
        lacks = "; ".join(filter(None, [rule["lacks"], *missed]))
        if state not in _STATES or (state != "missing" and not rule["evidence"]) or (state != "shown" and not lacks):
            raise InputError(f"requirements.md, {rule['key']}: the state {state!r} needs what shows it, or what is missing.")
        shown = "*missing*" if state == "missing" else state
        lines.append(f"| {rule['key']} | {rule['rule']} | {shown} | {', '.join(f'`{path}`' for path in rule['evidence']) or '–'} | {lacks or '–'} |")
    return "\n".join(lines) + "\n"


def _missed(limit: Mapping[str, Any], where: str, figures: Mapping[str, Mapping[str, str]]) -> str | None:
    """What is missing where a figure of the report is beyond its limit (`least`, or `most` in size); None where it is within."""
    found = _value(limit["figure"], where, {}, figures)
    if found == _UNMEASURED:
        return f"{limit['what']}: {found}"
    value = float(found.split()[0])
    if "least" in limit:
        return None if value >= limit["least"] else f"{limit['what']}: {found}, at least {limit['least']:.2f} is asked"
    return None if abs(value) <= limit["most"] else f"{limit['what']}: {found}, at most {limit['most']:.2f} is asked"
