"""The documentation is true: its commands exist, its printed answer is the program's, its counts are the corpus's."""

from __future__ import annotations

import re
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest
from figures import CARD, MADE, OUTSIDE, PAGE, REPORT, SHOWN_IN, page, put, table, with_first_sentence

from classifier.assessor import Assessor
from classifier.card import read_figures
from classifier.cli import corpus_hash, main
from classifier.corpus import Example
from classifier.evaluation import evaluate_table
from classifier.explain import explain
from classifier.provenance import describe_data, versions
from classifier.sections import RELIABILITY, Section, read_sections


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
    figures = read_figures((root / "models" / "en" / "report.md").read_text("utf-8"))
    card, shown = CARD.read_text("utf-8"), table(figures)
    assert with_first_sentence(card, figures) == card
    assert with_first_sentence(card, figures | {f"{OUTSIDE}: level": {"qwk": "0.1 [0.0, 0.2]"}}) != card
    for path in SHOWN_IN:
        assert f"<!-- figures -->\n{shown}\n" in path.read_text("utf-8"), f"{path}: python scripts/figures.py brings it up to date"


def test_what_rests_on_another_number_of_texts_than_its_column_says_so() -> None:
    figures = read_figures(REPORT.read_text("utf-8"))
    level = figures[f"{OUTSIDE}: level"]
    figures[f"{OUTSIDE}: pspc_level"] = {"n": "7", "qwk": "0.606 [0.438, 0.746]"}
    figures[f"{MADE}: client, length, pairs"] = {"client accuracy": "0.710", "pairs with both right (n = 374)": "0.511"}
    rows = {row.split(" | ")[0]: row for row in table(figures).splitlines()}
    assert rows["| PSPC level: QWK"].endswith("|  | 0.606 [0.438, 0.746], n = 7 |")
    assert rows["| level: QWK"].endswith(f"| {level['qwk']} |")
    assert "| 0.511, n = 374 |" in rows["| pairs of texts that differ in the decisive act: both right"]


def test_new_figures_replace_the_old_and_nothing_after_them() -> None:
    text = "a\n<!-- t -->\n| x |\n| y |\n\n| other |\nb\n<!-- c -->\n```\nold\n\nold\n```\nend\n"
    put_in = put(put(text, "t", "| new |\n"), "c", "```\nnew\n```\n")
    assert put_in == "a\n<!-- t -->\n| new |\n\n| other |\nb\n<!-- c -->\n```\nnew\n```\nend\n"
    with pytest.raises(SystemExit, match="<!-- d -->"):
        put(text, "d", "")


def printed_in(report: str) -> list[Section]:
    return [section for printed in re.findall(r"```\n(.*?)\n```", report, re.DOTALL) for section in read_sections(printed)]


def test_every_heading_and_figure_of_the_report_is_on_its_page() -> None:
    report = REPORT.read_text("utf-8")
    shown = page(report)
    headings = re.findall(r"^#+ (.*)$", report, re.MULTILINE)
    assert {"Evaluation", "Stress", "Fairness", "Peers", "Learning curve", "Fuzzing"} <= set(headings)
    for heading in [*headings, *(section.title for section in printed_in(report))]:
        assert re.search(rf"<h[123][^>]*>{re.escape(escape(heading))}</h[123]>", shown), heading
    for section in printed_in(report):
        assert all(f"<td>{value:.3f}</td>" in shown for value, _ in section.figures.values())
        assert all(escape(line) in shown for line in section.lines)
    assert not re.search(r"<(script|link|img|iframe)|src=|https?:", shown)
    assert all(re.fullmatch(r"#s\d+", target) and f' id="{target[1:]}"' in shown for target in re.findall(r'href="([^"]*)"', shown))
    assert len(shown.encode()) < 300_000
    assert PAGE.read_text("utf-8") == shown, "python scripts/figures.py brings it up to date"


def test_a_printed_section_is_read_back_and_drawn() -> None:
    bounds = (0.25, 0.75)
    sections = [
        Section("A (n = 2)", {"qwk": (0.5, bounds), "r (a, b | c)": (-0.125, None)}, ("recall  0: 0.50", "  1  2", "a row   5 of    5  1.000")),
        Section("B", {}, ("all   0.50   0.25   7",), {RELIABILITY: ((0.25, 0.5), (1.0, 0.875)), "risk": ((0.5, 0.0), (1.0, 0.125))}),
    ]
    printed = "\n\n".join(map(str, sections))
    assert read_sections(printed) == sections
    shown = page(f"# T\n\nSome `code`\nand **bold** <b>.\n\n## E\n\n<!-- evaluation -->\n```\n{printed}\n```\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n")
    assert "<p>Some <code>code</code>\nand <strong>bold</strong> &lt;b&gt;.</p>" in shown
    assert '<polyline points="60.0,120.0 240.0,30.0"' in shown and shown.count("stroke-dasharray") == 1
    assert '<tr><th scope="row">1</th><td>2</td></tr>' in shown and "<!--" not in shown and "```" not in shown


def test_the_report_is_a_run_of_this_model_on_this_corpus(root: Path, assessor: Assessor, corpus: list[Example]) -> None:
    """On any machine: the hashes, the counts and the short examples are measured anew, and both sources of texts have their pictures."""
    report = REPORT.read_text("utf-8")
    sections = {section.title: section for section in printed_in(report)}
    said = set(sections["Versions and hashes"].lines)
    now = versions(REPORT.parent, {"the corpus": corpus_hash(root / "corpus" / "en")}).lines
    assert said >= {line for line in now if line.startswith("SHA-256")}
    assert set(sections["Data and its limits"].lines) >= set(describe_data(corpus).lines)
    assert str(evaluate_table(assessor, root / "tests" / "examples.toml")) in report
    for title in (MADE, OUTSIDE):
        assert sections[f"{title}: certainty"].curves and RELIABILITY in sections[f"{title}: calibration"].curves
    assert page(report).count("<polyline") == 4
