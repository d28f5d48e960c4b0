"""The documentation is true: its commands exist, its printed answer is the program's, its counts are the corpus's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from figures import SHOWN_IN, put, table

from classifier.assessor import Assessor
from classifier.card import read_figures
from classifier.cli import main
from classifier.corpus import Example
from classifier.explain import explain


def block(text: str, mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found is not None, mark
    return found.group(1)


def test_the_printed_answer_is_the_programs(root: Path, assessor: Assessor) -> None:
    shown = block((root / "README.md").read_text("utf-8"), "answer")
    assert shown.strip() == explain(assessor.assess((root / "corpus" / "draft.txt").read_text("utf-8"))).strip()


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    command = block((root / "README.md").read_text("utf-8"), "test").strip()
    assert command.endswith("-m pytest")
    extracted = subprocess.run(["bash", ".ci/run", "--show"], cwd=root, capture_output=True, text=True)
    assert extracted.stdout.strip() == command


def test_the_page_is_one_command_away_and_its_picture_is_there(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    command = block(readme, "page").strip()
    assert "'.[web]'" in command and command.endswith("classifier serve --open")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme)
    assert pictures
    for picture in pictures:
        assert (root / picture).stat().st_size < 100_000, picture


def test_every_verb_of_the_readme_exists(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verbs = set(re.findall(r"^\$ classifier (\w+)", (root / "README.md").read_text("utf-8"), re.MULTILINE))
    assert verbs
    for verb in verbs:
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0


def test_the_python_of_the_readme_runs(root: Path) -> None:
    found = re.search(r"```python\n(.*?)```", (root / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    done = subprocess.run([sys.executable, "-c", found.group(1)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Service Excellence" in done.stdout


def test_the_datasheet_counts_the_corpus(root: Path, corpus: list[Example]) -> None:
    sheet = (root / "corpus" / "README.md").read_text("utf-8")
    assert f"| **all** | {len(corpus)} |" in sheet
    assert "machine-written" in sheet


def test_the_main_figures_are_the_reports(root: Path) -> None:
    shown = table(read_figures((root / "models" / "en" / "report.md").read_text("utf-8")))
    for path in SHOWN_IN:
        assert f"<!-- figures -->\n{shown}\n" in path.read_text("utf-8"), f"{path}: python scripts/figures.py brings it up to date"


def test_new_figures_replace_the_old_and_nothing_after_them() -> None:
    text = "a\n<!-- t -->\n| x |\n| y |\n\n| other |\nb\n<!-- c -->\n```\nold\n\nold\n```\nend\n"
    put_in = put(put(text, "t", "| new |\n"), "c", "```\nnew\n```\n")
    assert put_in == "a\n<!-- t -->\n| new |\n\n| other |\nb\n<!-- c -->\n```\nnew\n```\nend\n"
    with pytest.raises(SystemExit, match="<!-- d -->"):
        put(text, "d", "")
