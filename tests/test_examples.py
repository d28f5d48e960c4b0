"""The table of short texts is complete: every key has texts in which it must be found and near misses."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from classifier.framework import load_framework

TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads((Path(__file__).parent / "examples.toml").read_text("utf-8"))
CRA = load_framework("cra")
WANTED = {
    "behaviour": [b.key for b in CRA.behaviours],
    "anti_pattern": [a.key for a in CRA.anti_patterns],
    "means": [a.key for a in CRA.anti_patterns],
}


@pytest.mark.parametrize("kind", list(WANTED))
def test_every_key_has_five_of_each(kind: str) -> None:
    assert sorted(entry["key"] for entry in TABLE[kind]) == sorted(WANTED[kind])
    for entry in TABLE[kind]:
        assert len(entry["found"]) >= 5, entry["key"]
        assert len(entry["near_misses"]) >= 5, entry["key"]
        assert all(example["quote"] in example["text"] for example in entry["found"]), entry["key"]


def test_no_text_stands_twice() -> None:
    texts = [t for kind in TABLE.values() for e in kind for t in [*(x["text"] for x in e["found"]), *e["near_misses"]]]
    assert len(texts) == len(set(texts))
