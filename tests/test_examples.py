"""The table of short texts is complete, and the shipped model fails on those texts only that are marked as known failures.

After a new model, `python tests/test_examples.py` renews the marks; read what changed before committing it.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from classifier.assessor import Assessor, load_assessor
from classifier.framework import load_framework
from classifier.short_examples import KINDS, outcomes

PATH = Path(__file__).parent / "examples.toml"
TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads(PATH.read_text("utf-8"))
CRA = load_framework("cra")
WANTED = {
    "behaviour": [b.key for b in CRA.behaviours],
    "anti_pattern": [a.key for a in CRA.anti_patterns],
    "means": [a.key for a in CRA.anti_patterns],
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_key_has_five_of_each(kind: str) -> None:
    assert sorted(entry["key"] for entry in TABLE[kind]) == sorted(WANTED[kind])
    for entry in TABLE[kind]:
        assert len(entry["found"]) >= 5, entry["key"]
        assert len(entry["near_misses"]) >= 5, entry["key"]
        assert all(example["quote"] in example["text"] for example in entry["found"]), entry["key"]


def test_no_text_stands_twice() -> None:
    texts = [t for kind in TABLE.values() for e in kind for t in [*(x["text"] for x in e["found"]), *e["near_misses"]]]
    assert len(texts) == len(set(texts))


def test_failures_are_those_that_are_marked(assessor: Assessor) -> None:
    for outcome in outcomes(assessor, PATH):
        name = f"{outcome.kind} {outcome.entry['key']}"
        assert outcome.missed == outcome.entry["known_missed"], f"{name}: other texts missed than marked"
        assert outcome.raised == outcome.entry["known_raised"], f"{name}: raised in other near misses than marked"


def renew() -> None:
    """Write the numbers of the failing texts under each key."""
    blocks = re.split(r"(?m)^(?=\[\[)", re.sub(r"(?m)^known_(?:missed|raised) = .*\n", "", PATH.read_text("utf-8")))
    found = list(outcomes(load_assessor(), PATH))
    for i, block in enumerate(blocks):
        head = re.match(r'\[\[(\w+)\]\]\nkey = "([^"]+)"\n', block)
        if head:
            (outcome,) = (o for o in found if (o.kind, o.entry["key"]) == head.groups())
            blocks[i] = f"{head.group()}known_missed = {outcome.missed}\nknown_raised = {outcome.raised}\n{block[head.end() :]}"
    PATH.write_text("".join(blocks), "utf-8")


if __name__ == "__main__":
    renew()
