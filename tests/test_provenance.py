"""What stands beside the figures: the memory is this process's, made text is told from others', and no version is taken for a figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from classifier.corpus import Example
from classifier.provenance import describe_data, peak_memory, versions
from classifier.sections import read_sections


def test_memory_is_of_the_process_and_not_of_the_one_that_started_it(root: Path) -> None:
    held = b"x" * 500_000_000
    code = "from classifier.provenance import peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert 5 < float(done.stdout) < 400 < peak_memory()
    del held


def example(source: str, readers: tuple[int, ...]) -> Example:
    return Example(f"{source}-1", "I called the client back.", {"level": 2}, "external", source=source, readers=readers)


def test_only_the_known_registers_are_said_to_be_written_and_read_by_models() -> None:
    made = [example("t10", (2, 2)), example("t72", ()), example("desk", (2, 1))]
    lines = describe_data(made).lines
    told = [line for line in lines if "language models" in line]
    assert len(told) == 1 and "made corpus: 2 writers of these registers" in told[0]
    assert "1 texts were read once blind beside the writer's or a first reader's label" in told[0]
    assert any(line.startswith("other writers ") for line in lines)
    assert not any("language models" in line for line in describe_data(made[2:]).lines)


def test_a_version_is_not_read_back_as_a_figure(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.provenance.platform.python_version", lambda: "3.14")
    section = versions(root / "models" / "en", {})
    assert read_sections(str(section)) == [section]
