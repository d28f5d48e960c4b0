"""The fuzz script runs at every door, counts what it ran, and stops at a failure. scripts/fuzz.py runs it by the hundred thousand."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import fuzz
import pytest

import classifier.cli
from classifier.assessor import Assessor


@pytest.mark.parametrize("door", ["documents", "files", "requests", "commands"])
def test_no_door_fails(door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: cast(Assessor, fuzz.FixedAssessor()))
    ended = fuzz.fuzz(door, 60, tmp_path, 0)
    assert ended.total() >= 60


def test_a_failure_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "explain", lambda answer: "")
    with pytest.raises(AssertionError):
        fuzz.fuzz("documents", 5, tmp_path, 0)
