"""The model card and the Directive's papers, filled from model.json and the report's figures. What is empty is an error.

The texts are data (data/card.toml); only figures, versions and hashes are put in here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifier.assessor import read_manifest
from classifier.errors import InputError
from classifier.framework import DATA
from classifier.private import write_private

_PLACE = re.compile(r"\[\[([^\[\]]+)\]\]")
_TITLE = re.compile(r"(?P<title>\S.*?)(?: \(n = (?P<n>\d+)[^)]*\))?")
_FIGURE = re.compile(r"  (?P<name>\S.*?) {2,}(?P<value>-?\d+\.\d+)(?:   \[(?P<low>-?\d+\.\d+), (?P<high>-?\d+\.\d+)\])?")
_STATES = ("shown", "partly", "missing")


def write_card(model: Path, report: Path, folder: Path) -> list[Path]:
    """Write every paper into a folder; nothing is written where one cannot be filled.

    model : the model folder, for versions, seed and hashes.
    report : what `classifier evaluate` printed, in a file of its own or within a Markdown page.

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
        filled = _PLACE.sub(lambda match: _value(match[1], where, manifest, figures), text).strip()
        if not filled:
            raise InputError(f"{where}: this section is empty.")
        return filled

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
    papers["requirements.md"] = _requirements(raw["rules"])
    return papers


def read_figures(report: str) -> dict[str, dict[str, str]]:
    """Section -> figure -> its value as printed, with the interval where there is one; "n" is the number of texts.

    >>> read_figures("Made: level (n = 12)\\n----\\n  qwk      0.855   [0.832, 0.873]")
    {'Made: level': {'n': '12', 'qwk': '0.855 [0.832, 0.873]'}}
    """
    found: dict[str, dict[str, str]] = {}
    lines = report.splitlines()
    section: dict[str, str] = {}
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following and set(following) == {"-"}:
            title = _TITLE.fullmatch(line)
            if title is not None:
                name = "Stress" if line.startswith("Stress: ") and " cases" in line else title["title"]
                section = found.setdefault(name, {})
                if title["n"]:
                    section["n"] = title["n"]
        elif figure := _FIGURE.fullmatch(line):
            interval = f" [{figure['low']}, {figure['high']}]" if figure["low"] else ""
            # The stress suite's figures name their aim and number of cases behind the group.
            section[figure["name"].partition(" (aim ")[0]] = figure["value"] + interval
    return found


def _value(place: str, where: str, manifest: Mapping[str, Any], figures: Mapping[str, Mapping[str, str]]) -> str:
    if place.startswith("model:"):
        return _of_model(place.removeprefix("model:"), where, manifest)
    section, _, name = place.partition("|")
    if section == "n":
        section, name = name, "n"
    if name.endswith("?"):
        return figures.get(section, {}).get(name[:-1], "not measured")
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


def _requirements(rules: list[dict[str, Any]]) -> str:
    lines = ["# Requirements R1 to R26", "", "| | rule | state | what shows it | what is missing |", "| --- | --- | --- | --- | --- |"]
    for rule in rules:
        if rule["state"] not in _STATES or (rule["state"] != "missing" and not rule["evidence"]) or (rule["state"] != "shown" and not rule["lacks"]):
            raise InputError(f"requirements.md, {rule['key']}: the state {rule['state']!r} needs what shows it, or what is missing.")
        state = "*missing*" if rule["state"] == "missing" else rule["state"]
        lines.append(f"| {rule['key']} | {rule['rule']} | {state} | {', '.join(f'`{path}`' for path in rule['evidence']) or '–'} | {rule['lacks'] or '–'} |")
    return "\n".join(lines) + "\n"
