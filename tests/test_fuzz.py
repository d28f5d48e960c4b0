"""The fuzz script runs at every door, counts what it ran, and stops at a failure. scripts/fuzz.py runs it by the hundred thousand."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import fuzz
import pytest

import classifier.cli
from classifier.assessor import Assessor
from classifier.web import create_app


# Each PDF file is read by a process of its own.
@pytest.mark.parametrize(("door", "cases"), [("documents", 60), ("files", 60), ("PDF files", 10), ("requests", 60), ("commands", 60)])
def test_no_door_fails(door: str, cases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder=None: cast(Assessor, fuzz.FixedAssessor()))
    ended = fuzz.fuzz(door, cases, tmp_path, 0)
    assert ended.total() >= cases


def test_no_door_is_left_out(tmp_path: Path) -> None:
    assert set(fuzz.doors(tmp_path)) == {"documents", "files", "PDF files", "requests", "commands"}


def test_every_path_of_the_server_is_asked() -> None:
    asked = fuzz.paths(create_app(cast(Assessor, fuzz.FixedAssessor()), hosts={"localhost"}))
    assert {"/", "/page", "/sample", "/healthz", "/v1/assess-many", "/v1/model", "/v1/report", "/static/page.js"} <= set(asked)
    assert "/report" not in asked


def test_a_failure_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "explain", lambda answer: "")
    with pytest.raises(AssertionError):
        fuzz.fuzz("documents", 5, tmp_path, 0)
