"""Labelled examples: reading, checking and grouping them. The record format is section 7 of corpus/LABELLING.md."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from classifier.errors import InputError
from classifier.framework import framework_names, load_framework
from classifier.rows import parse_record, read_lines, read_records

# Register of the made corpus, numbers of its first and last writer (as in its datasheet).
AUTHORS_PROSE, MANY_VOICES, PLAIN_PROSE = "an author's prose", "many voices", "plain prose of applicants, career sites and chatbots"
HARD_KINDS = "any voice, kinds of text that a model got wrong"
UNGUIDED = "answers whose writers did not know the guide"
REGISTERS = ((AUTHORS_PROSE, 1, 9), (MANY_VOICES, 10, 71), (PLAIN_PROSE, 72, 109), (HARD_KINDS, 110, 171), (UNGUIDED, 172, math.inf))
# How much a text counts in training: an author's prose the least.
WEIGHTS = {AUTHORS_PROSE: 1.0, MANY_VOICES: 2.0, PLAIN_PROSE: 4.0, HARD_KINDS: 4.0, UNGUIDED: 4.0}
CLIENTS = ("external", "internal", "not_a_client", "none")
# Parts of a corpus folder that are no training examples: the documents' own statements, the unseen worked examples, and
# invented competency dictionaries.
STATEMENTS, WORKED_EXAMPLES, DICTIONARIES = "statements.jsonl", "worked_examples.jsonl", "dictionaries.jsonl"


def register_of(source: str) -> str | None:
    """The register in which a writer wrote; None for one who is not in the made corpus.

    >>> register_of("t64"), register_of("x")
    ('many voices', None)
    """
    writer = re.fullmatch(r"t(\d+)", source)
    return next((name for name, first, last in REGISTERS if writer and first <= int(writer[1]) <= last), None)


def weight_of(source: str) -> float:
    """How much a text of this writer counts; what nobody made up, such as a desk's, as much as any.

    >>> weight_of("t64"), weight_of("x")
    (2.0, 4.0)
    """
    return WEIGHTS.get(register_of(source) or "", max(WEIGHTS.values()))


@dataclass(frozen=True)
class Label:
    """Words of an example that a reader marked with a key of the framework."""

    key: str
    quote: str


@dataclass(frozen=True)
class Example:
    """One labelled text. A rating or client that the readers left open is absent or None.

    `means` holds quotes of the conduct opposite to an anti-pattern, with the anti-pattern's key; None where nobody looked.
    `readers` holds the levels that two readers gave without knowing of each other (of made texts, the writer and a reader; of those by
    the unguided, what two of three readers gave, and the second reader); empty where one read.
    """

    id: str
    text: str
    ratings: Mapping[str, int]
    client: str | None
    flags: tuple[Label, ...] = ()
    evidence: tuple[Label, ...] = ()
    lookalikes: tuple[Label, ...] = ()
    means: tuple[Label, ...] | None = None
    flag_keys: frozenset[str] = frozenset()
    source: str = ""
    pair: str | None = None
    rewrites: str | None = None
    readers: tuple[int, ...] = ()


def scale_sizes() -> dict[str, int]:
    """Number of values of every scale of every shipped framework."""
    return {s.key: len(s.values) for name in framework_names() for s in load_framework(name).scales}


@cache
def evidence_levels() -> Mapping[str, int]:
    """Key -> level of the behaviours that readers mark, which are those of the shipped frameworks with anti-patterns."""
    frameworks = [load_framework(name) for name in framework_names()]
    return {b.key: b.level for framework in frameworks if framework.anti_patterns for b in framework.behaviours}


def level_of(key: str) -> int:
    """Level of the behaviour with this key; 0 for a key that readers do not mark.

    >>> level_of("2.4"), level_of("p1.2")
    (2, 0)
    """
    return evidence_levels().get(key, 0)


def read_examples(path: Path) -> list[Example]:
    """Read one JSON Lines file of labelled examples.

    Raises
    ------
    InputError
        With file and line, when a line is not a record with a text.
    """
    return [_example(path, number, record) for number, record in read_records(path)]


def read_corpus(path: Path) -> list[Example]:
    """Read all training examples of a corpus folder (or one file), without statements and worked examples."""
    files = [path] if path.is_file() else sorted(f for f in path.glob("*.jsonl") if f.name not in {STATEMENTS, WORKED_EXAMPLES, DICTIONARIES})
    if not files:
        raise InputError(f"{path}: there is no corpus here (a folder with .jsonl files).")
    return [example for file in files for example in read_examples(file)]


def pairs(examples: Sequence[Example]) -> list[tuple[int, int]]:
    """Positions of the two texts of each pair, in the order of the examples; a text whose mate is not here is left out."""
    members: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        if example.pair:
            members.setdefault(example.pair, []).append(i)
    return [(found[0], found[1]) for found in members.values() if len(found) == 2]


def writer_groups(examples: Iterable[Example]) -> dict[str, str]:
    """Source of each example -> name of its group: writers whose pairs or rewrites tie them belong together.

    Splits go by these groups, so that no pair and no rewrite is split between training and test.
    """
    examples = list(examples)
    parent = {e.source: e.source for e in examples}

    def root(source: str) -> str:
        while parent[source] != source:
            source = parent[source]
        return source

    by_id = {e.id: e.source for e in examples}
    pairs: dict[str, str] = {}
    for example in examples:
        for other in (by_id.get(example.rewrites or ""), pairs.setdefault(example.pair, example.source) if example.pair else None):
            if other is not None:
                first, second = sorted((root(example.source), root(other)))
                parent[second] = first
    return {source: root(source) for source in parent}


def check_corpus(path: Path) -> list[str]:
    """Faults of a corpus, each as "file:line: reason"; an empty list when there is none."""
    files = [path] if path.is_file() else sorted(path.glob("*.jsonl"))
    if not files:
        raise InputError(f"{path}: there is no corpus here (a folder with .jsonl files).")
    faults: list[str] = []
    texts: dict[str, str] = {}
    ids: dict[str, str] = {}
    splits: dict[str, tuple[str, str]] = {}
    for file in files:
        for number, line in read_lines(file):
            where = f"{file}:{number}"
            try:
                record = parse_record(line)
                reasons = list(_FAULTS.get(file.name, _faults)(record))
            except ValueError as error:
                faults.append(f"{where}: {error}")
                continue
            for name, value, seen in (("text", " ".join(str(record.get("text")).split()), texts), ("id", str(record.get("id")), ids)):
                if value in seen:
                    reasons.append(f"the same {name} stands at {seen[value]}")
                seen.setdefault(value, where)
            if "split" in record:
                ties = ("source", "pair", "id" if record.get("rewrites") is None else "rewrites")
                for tie in {str(record[k]) for k in ties if record.get(k) is not None}:
                    split, first = splits.setdefault(tie, (record["split"], where))
                    if split != record["split"]:
                        reasons.append(f"{tie!r} is in {record['split']} here and in {split} at {first}")
            faults.extend(f"{where}: {reason}" for reason in reasons)
    return faults


def _faults(record: Mapping[str, Any]) -> Iterator[str]:
    anti_patterns = {a.key for name in framework_names() for a in load_framework(name).anti_patterns}
    text = record.get("text")
    if not isinstance(text, str) or not text.strip():
        yield "no text"
        return
    for key in ("id", "source"):
        if not isinstance(record.get(key), str):
            yield f"no {key}"
    for scale, size in scale_sizes().items():
        value = record.get(scale)
        if value is not None and (type(value) is not int or not 0 <= value < size):
            yield f"{scale} is {value!r}, not 0 to {size - 1}"
    if record.get("level") is None:
        yield "no level"
    if record.get("client") not in (*CLIENTS, None):
        yield f"client is {record['client']!r}, not one of {', '.join(CLIENTS)}"
    for field, keys in (("evidence", evidence_levels()), ("flags", anti_patterns), ("lookalikes", anti_patterns), ("means", anti_patterns)):
        labels = record.get(field) or []
        if not isinstance(labels, list):
            yield f"{field} is {labels!r}, not a list"
            continue
        for label in labels:
            if not isinstance(label, dict) or not {"key", "quote"} <= label.keys():
                yield f"{field} holds {label!r}, not a key and a quote"
            elif not isinstance(label["key"], str) or label["key"] not in keys:
                yield f"{field} has the unknown key {label['key']!r}"
            elif not isinstance(label["quote"], str) or not label["quote"] or label["quote"] not in text:
                yield f"the quote of {field} {label['key']} is not in the text: {str(label['quote'])[:60]!r}"


def _statement_faults(record: Mapping[str, Any]) -> Iterator[str]:
    for key in ("id", "framework", "scale", "key", "text"):
        if not isinstance(record.get(key), str):
            yield f"no {key}"
    if not isinstance(record.get("value"), int):
        yield "no value"


def _dictionary_faults(record: Mapping[str, Any]) -> Iterator[str]:
    for key in ("id", "dictionary", "text"):
        if not isinstance(record.get(key), str):
            yield f"no {key}"
    level, highest = record.get("scale_level"), record.get("scale_max")
    if not (isinstance(level, int) and isinstance(highest, int) and 1 <= level <= highest):
        yield "scale_level is not between 1 and scale_max"


_FAULTS = {STATEMENTS: _statement_faults, DICTIONARIES: _dictionary_faults}


def _example(path: Path, number: int, record: Mapping[str, Any]) -> Example:
    try:
        flags = [f for f in record.get("flags") or () if isinstance(f, dict) and "quote" in f]
        return Example(
            id=str(record.get("id", number)),
            text=_text(record["text"]),
            ratings={scale: _rating(scale, record[scale], size) for scale, size in scale_sizes().items() if record.get(scale) is not None},
            client=record.get("client"),
            flags=_labels(flags),
            evidence=_labels(record.get("evidence") or ()),
            lookalikes=_labels(record.get("lookalikes") or ()),
            means=_labels(record["means"]) if "means" in record else None,
            flag_keys=frozenset(f if isinstance(f, str) else f["key"] for f in record.get("flags") or ()),
            source=str(record.get("source", path.stem)),
            pair=record.get("pair"),
            rewrites=record.get("rewrites"),
            readers=_readers(record),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}:{number}: not a labelled example ({error!r}).") from error


def _rating(scale: str, value: Any, size: int) -> int:
    if type(value) is not int or not 0 <= value < size:
        raise ValueError(f"{scale} is {value!r}, not 0 to {size - 1}")
    return value


def _readers(record: Mapping[str, Any]) -> tuple[int, ...]:
    second = (record.get("second_reading") or {}).get("level")
    levels = [record.get("level_reader_1"), record.get("level_reader_2")] if second is None else [record.get("level"), second]
    return tuple(int(level) for level in levels if level is not None) if None not in levels else ()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text is not a string")
    return value


def _labels(raw: Iterable[Mapping[str, str]]) -> tuple[Label, ...]:
    return tuple(Label(label["key"], label["quote"]) for label in raw)
