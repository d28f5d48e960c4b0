"""The card and the Directive's papers: filled from the report, complete, and an error where something is empty."""

from __future__ import annotations

import copy
import json
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from classifier.card import papers_of, read_figures, write_card
from classifier.cli import main
from classifier.errors import InputError
from classifier.framework import DATA
from classifier.sections import Section

SEVEN = ["Role in the decision", "Input", "Criteria and operations", "Reviews", "Output and how to read it", "Principal factors", "Recourse"]


@pytest.fixture
def raw() -> dict[str, Any]:
    return tomllib.loads((DATA / "card.toml").read_text("utf-8"))


@pytest.fixture
def manifest(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "models" / "en" / "model.json").read_text("utf-8")))


@pytest.fixture
def figures(root: Path) -> dict[str, dict[str, str]]:
    return read_figures((root / "models" / "en" / "report.md").read_text("utf-8"))


def test_the_figures_are_the_reports(raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]) -> None:
    card = papers_of(raw, manifest, figures)["card.md"]
    assert figures["Made corpus, writer left out: level"]["qwk"] in card
    assert str(manifest["corpus"]["examples"]) in card
    assert manifest["files"]["heads.json"] in card
    assert "[[" not in card


def test_a_printed_section_is_read_back() -> None:
    sections = [
        Section("A: b (n = 7)", {"qwk": (0.5, (0.25, 0.75)), "r (a, b | c)": (-0.125, None)}, ("recall by level  0: 0.73", "  1   2   3")),
        Section("Stress: 30 tests, 900 cases", {"must not rise (aim 0.98, n = 400)": (0.975, None)}),
    ]
    found = read_figures("```\n" + "\n\n".join(map(str, sections)) + "\n```\n")
    assert found == {"A: b": {"n": "7", "qwk": "0.500 [0.250, 0.750]", "r (a, b | c)": "-0.125"}, "Stress": {"must not rise": "0.975"}}


def test_what_was_not_measured_says_so_and_what_must_be_there_is_an_error(
    raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]
) -> None:
    elsewhere = {title: section for title, section in figures.items() if not title.startswith("Examples: ")}
    assert "Level, texts by strangers: QWK not measured" in papers_of(raw, manifest, elsewhere)["card.md"]
    measured = {**figures, "Stress": {**figures["Stress"], "must not rise": "0.991"}}
    assert "Attacks that did not raise the level: 0.991." in papers_of(raw, manifest, measured)["card.md"]
    del figures["Stress"]["must not rise"]
    with pytest.raises(InputError, match=r"fair to whom': the report has no figure 'must not rise' in 'Stress'"):
        papers_of(raw, manifest, figures)
    del measured["Made corpus, writer left out: level"]["qwk"]
    with pytest.raises(InputError, match=r"card\.md, 'How well it agrees with readers': the report has no figure 'qwk'"):
        papers_of(raw, manifest, measured)


def test_a_section_of_which_nothing_was_measured_is_an_error(raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]) -> None:
    raw["documents"][0]["sections"][0]["text"] = "Half [[Nowhere|one?]], half [[Nowhere|other?]]."
    with pytest.raises(InputError, match=r"'What it is for': nothing of this section was measured"):
        papers_of(raw, manifest, figures)


@pytest.mark.parametrize(
    ("key", "section", "name", "value", "state", "said"),
    [
        ("R7", "Examples: client, length, flags", "partial r (score, length | level)", "-0.171 [-0.300, -0.050]", "partly", "-0.050], at most 0.10 is asked"),
        ("R7", "Examples: client, length, flags", "partial r (score, length | level)", "0.100", "shown", "| – |"),
        ("R6", "Stress", "must not move: identity", "0.979", "partly", "place: 0.979, at least 0.98 is asked"),
        ("R6", "Stress", "must not move: identity", "0.980", "partly", "(DSM, at most 0.10 is asked) |"),
    ],
)  # fmt: skip
def test_a_figure_beyond_its_limit_is_among_what_is_missing(
    raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]], key: str, section: str, name: str, value: str, state: str, said: str
) -> None:
    figures["Made corpus, writer left out: client, length, pairs"]["partial r (score, length | level)"] = "0.050"
    figures[section][name] = value
    line = next(line for line in papers_of(raw, manifest, figures)["requirements.md"].splitlines() if line.startswith(f"| {key} "))
    assert f"| {state} |" in line
    assert said in line


def test_a_limit_that_was_not_measured_is_missing(raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]) -> None:
    figures.pop("Examples: client, length, flags")
    assert "the same on texts by strangers: not measured |" in papers_of(raw, manifest, figures)["requirements.md"]


def test_the_papers_say_that_the_desk_keeps_texts(raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]) -> None:
    papers = papers_of(raw, manifest, figures)
    assert "database" in papers["notice.md"] and "base de données" in papers["notice.md"]
    assert {entry["field"]: entry["answer"] for entry in json.loads(papers["aia.json"])["answers"]}["privacy"] == "partly"


def test_an_empty_section_is_an_error(raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]) -> None:
    for number, document in enumerate(raw["documents"]):
        for place in range(len(document["sections"])):
            emptied = copy.deepcopy(raw)
            emptied["documents"][number]["sections"][place]["text"] = " \n"
            with pytest.raises(InputError, match="this section is empty"):
                papers_of(emptied, manifest, figures)
    emptied = copy.deepcopy(raw)
    emptied["aia"][0]["grounds"] = ""
    with pytest.raises(InputError, match="an answer needs its grounds"):
        papers_of(emptied, manifest, figures)
    emptied = copy.deepcopy(raw)
    emptied["rules"][0]["evidence"] = []
    with pytest.raises(InputError, match=r"requirements\.md, R1: "):
        papers_of(emptied, manifest, figures)


def test_the_explanation_has_the_seven_headings_and_the_notice_both_languages(
    raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]
) -> None:
    papers = papers_of(raw, manifest, figures)
    assert re.findall(r"^## (.*)$", papers["explanation.md"], re.MULTILINE) == SEVEN
    assert re.findall(r"^## (.*)$", papers["notice.md"], re.MULTILINE) == ["Notice", "Avis"]
    answers = json.loads(papers["aia.json"])["answers"]
    assert all(answer["question"] and answer["answer"] in {"yes", "no", "partly"} and answer["grounds"] for answer in answers)
    assert {"impact18", "aboutAlgorithm11", "fairness13"} <= {answer["field"] for answer in answers}


def test_every_rule_is_listed_with_files_and_tests_that_exist_or_as_missing(
    root: Path, raw: dict[str, Any], manifest: dict[str, Any], figures: dict[str, dict[str, str]]
) -> None:
    assert [rule["key"] for rule in raw["rules"]] == [f"R{number}" for number in range(1, 27)]
    for rule in raw["rules"]:
        for evidence in rule["evidence"]:
            path, _, test = evidence.partition("::")
            assert (root / path).is_file(), evidence
            assert not test or f"def {test}(" in (root / path).read_text("utf-8"), evidence
    shown = papers_of(raw, manifest, figures)["requirements.md"]
    assert shown.count("*missing*") == sum(rule["state"] == "missing" for rule in raw["rules"])


def test_the_verb_writes_private_files_or_nothing(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, target = str(root / "models" / "en"), tmp_path / "papers"
    assert main(["card", str(target), "--model", model]) == 0
    written = sorted(path.name for path in target.iterdir())
    assert written == ["aia.json", "card.md", "explanation.md", "gba-plus.md", "notice.md", "requirements.md"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in target.iterdir())
    capsys.readouterr()
    (tmp_path / "empty.md").write_text("nothing", "utf-8")
    assert main(["card", str(tmp_path / "none"), "--model", model, "--report", str(tmp_path / "empty.md")]) == 1
    assert "the report has no figure" in capsys.readouterr().err
    assert main(["card", str(tmp_path / "none"), "--model", model, "--report", str(tmp_path / "absent.md")]) == 1
    assert "there is no report here" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_report_in_the_model_folder_is_found_and_write_card_names_what_it_wrote(root: Path, tmp_path: Path) -> None:
    written = write_card(root / "models" / "en", root / "models" / "en" / "report.md", tmp_path)
    assert all(path.read_text("utf-8") for path in written)
