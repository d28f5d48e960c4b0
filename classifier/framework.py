"""Competency frameworks as data: what a source document says, read from one TOML file.

A new framework is a new TOML file; nothing here names one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from classifier.errors import InputError

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Behaviour:
    """One bulleted behaviour of a level, in the source's words; `short` is the labelling guide's name for it."""

    key: str
    text: str
    level: int
    short: str


@dataclass(frozen=True)
class Level:
    """One step of a scale. `origin` is "source", or "guide" for a step that the document does not have."""

    value: int
    name: str
    notion: str
    origin: str = "source"
    purpose: str = ""
    behaviours: tuple[Behaviour, ...] = ()
    remarks: tuple[str, ...] = ()
    in_other_words: tuple[str, ...] = ()
    worked_example: str = ""


@dataclass(frozen=True)
class Scale:
    """What is rated, lowest value first. `values` are consecutive integers from 0."""

    key: str
    name: str
    values: tuple[int, ...]
    levels: tuple[Level, ...] = ()
    text: str = ""
    lower: str = ""
    higher: str = ""

    def level(self, value: int) -> Level:
        """The level with this value; a degree without named levels has only its number."""
        return next((level for level in self.levels if level.value == value), Level(value, str(value), ""))


@dataclass(frozen=True)
class AntiPattern:
    """A conduct that the competency does not mean, and its opposite, as a pair."""

    key: str
    does_not_mean: str
    means: str


@dataclass(frozen=True)
class Framework:
    """All that one source document says, none of it in code."""

    key: str
    name: str
    organization: str
    source: str
    definition: str
    main_scale: str
    scales: tuple[Scale, ...]
    anti_patterns: tuple[AntiPattern, ...] = ()
    client_notes: tuple[tuple[str, str], ...] = ()
    values: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()

    def scale(self, key: str) -> Scale:
        """The scale with this key; KeyError when the framework has none."""
        for scale in self.scales:
            if scale.key == key:
                return scale
        raise KeyError(key)

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """Every behaviour of every level, in the order of the document."""
        return tuple(b for scale in self.scales for level in scale.levels for b in level.behaviours)

    def behaviour(self, key: str) -> Behaviour:
        """The behaviour with this key; KeyError when the framework has none."""
        for behaviour in self.behaviours:
            if behaviour.key == key:
                return behaviour
        raise KeyError(key)

    def anti_pattern(self, key: str) -> AntiPattern:
        """The anti-pattern with this key; KeyError when the framework has none."""
        for anti_pattern in self.anti_patterns:
            if anti_pattern.key == key:
                return anti_pattern
        raise KeyError(key)


@cache
def framework_names() -> tuple[str, ...]:
    """Names of the shipped frameworks.

    >>> framework_names()
    ('cra', 'pspc')
    """
    return tuple(sorted(path.stem for path in DATA.glob("*.toml") if "main_scale" in tomllib.loads(path.read_text("utf-8"))))


@cache
def load_framework(name: str) -> Framework:
    """Read a framework by its shipped name ("cra") or by the path of a TOML file.

    Raises
    ------
    InputError
        When there is no such framework, or its file is not valid.

    Examples
    --------
    >>> load_framework("cra").scale("level").level(3).notion
    'Exceeding a client’s expectation or service requirements'
    """
    path = Path(name) if name.endswith(".toml") else DATA / f"{name}.toml"
    if not path.is_file():
        raise InputError(f"There is no framework {name!r}; shipped are {', '.join(framework_names())}, or give the path of a TOML file.")
    try:
        return _framework(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a framework file ({error}).") from error


def _framework(raw: Mapping[str, Any]) -> Framework:
    return Framework(
        key=raw["key"],
        name=raw["name"],
        organization=raw["organization"],
        source=raw["source"],
        definition=raw["definition"].strip(),
        main_scale=raw["main_scale"],
        scales=tuple(_scale(scale) for scale in raw["scales"]),
        anti_patterns=tuple(AntiPattern(**pair) for pair in raw.get("anti_patterns", ())),
        client_notes=tuple((note["key"], note["text"]) for note in raw.get("client_notes", ())),
        values=tuple(raw.get("purpose", {}).get("values", ())),
        statements=tuple(_statements(raw)),
    )


def _scale(raw: Mapping[str, Any]) -> Scale:
    levels = tuple(_level(level) for level in raw.get("levels", ()))
    values = tuple(level.value for level in levels) or tuple(raw["values"])
    if values != tuple(range(len(values))):
        raise TypeError(f"the values of scale {raw['key']!r} are not 0, 1, 2 …")
    return Scale(raw["key"], raw["name"], values, levels, raw.get("text", ""), raw.get("lower", ""), raw.get("higher", ""))


def _level(raw: Mapping[str, Any]) -> Level:
    behaviours = tuple(Behaviour(b["key"], b["text"], raw["value"], b.get("short", b["text"])) for b in raw.get("behaviours", ()))
    return Level(
        value=raw["value"],
        name=raw["name"],
        notion=raw["notion"],
        origin=raw.get("origin", "source"),
        purpose=raw.get("purpose", ""),
        behaviours=behaviours,
        remarks=tuple(raw.get("remarks", ())),
        in_other_words=tuple(raw.get("in_other_words", ())),
        worked_example=raw.get("worked_example", "").strip(),
    )


# Keys and names that are ours, not the document's.
_OURS = {"key", "short", "origin", "source", "main_scale", "values", "value", "name", "organization"}


def _statements(raw: Mapping[str, Any] | list[Any]) -> list[str]:
    """Every sentence that the file quotes from its source, so that a test can hold each against the document."""
    if isinstance(raw, list):
        raw = {str(i): item for i, item in enumerate(raw)}
    if raw.get("origin") == "guide":
        return []
    found: list[str] = []
    for key, value in raw.items():
        if key in _OURS:
            continue
        if isinstance(value, str):
            found.append(value.strip())
        elif isinstance(value, Mapping | list):
            found.extend(_statements(value))
    return found
