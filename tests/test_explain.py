"""Explanations say why, ask questions, and never give sentences to paste; golden files hold them to the letter.

To renew the golden files after a wanted change: `python tests/test_explain.py`, and read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.assessment import Assessment, Client, Finding, Note, Rating
from classifier.explain import advise, explain
from classifier.framework import load_framework

GOLDEN = Path(__file__).parent / "golden"


def rating(level: int, size: int = 5, plausible: tuple[int, ...] | None = None) -> Rating:
    shares = [0.05] * size
    shares[level] = 1 - 0.05 * (size - 1)
    return Rating(level, tuple(shares), plausible or (level,))


def assessment(level: int = 2, client: str = "external", **more: object) -> Assessment:
    shares = dict.fromkeys(("external", "internal", "not_a_client", "none"), 0.1) | {client: 0.7}
    ratings = {"level": rating(level), "involvement": rating(2), "commitment": rating(3), "pspc_level": rating(1, 4)}
    return Assessment("ok", "m", ratings, Client(client, shares), **more)  # type: ignore[arg-type]


def sections(answer: Assessment) -> dict[str, str]:
    return {section.key: str(section) for section in advise(answer)}


def test_why_this_level_quotes_the_surest_words_of_the_level() -> None:
    evidence = (Finding("2.2", 0, 3, "asked Finance", 0.6), Finding("2.4", 5, 9, "called her back", 0.9), Finding("1.1", 5, 9, "told her", 0.95))
    shown = sections(assessment(evidence=evidence))["level"]
    assert "level 2 of 4" in shown
    assert "“called her back” follows up, or takes additional action, which level 1 does not ask for." in shown
    assert "no other level is plausible" in shown


def test_the_next_level_is_asked_for_in_questions_and_leaves_out_what_is_shown() -> None:
    shown = sections(assessment(evidence=(Finding("3.1", 0, 3, "x", 0.6),)))["next"]
    assert "What level 3 asks" in shown
    lines = shown.splitlines()[1:]
    assert len(lines) == 2
    assert all("?" in line and line.strip().startswith("Did you") for line in lines)
    assert "next" not in sections(assessment(level=4))


def test_every_behaviour_has_a_question() -> None:
    from classifier.document import messages

    assert set(messages()["questions"]) == {b.key for b in load_framework("cra").behaviours}


def test_a_flag_names_the_words_the_conduct_and_its_opposite() -> None:
    shown = sections(assessment(flags=(Finding("gives-up", 0, 3, "I left it at that", 0.8),)))["flags"]
    pair = load_framework("cra").anti_pattern("gives-up")
    assert "“I left it at that”" in shown and pair.does_not_mean in shown and pair.means in shown
    assert "nothing found" in sections(assessment())["flags"]


def test_a_manager_or_own_team_is_teamwork_with_the_sources_reason() -> None:
    answer = assessment(level=0, client="not_a_client", client_words=(Note("not_a_client", 0, 7, "my boss"),))
    shown = sections(answer)["client"]
    assert "“my boss”" in shown
    assert "teamwork, not service" in shown
    assert dict(load_framework("cra").client_notes)["manager"] in shown


def test_we_and_missing_parts_of_the_story_are_pointed_out() -> None:
    answer = assessment(shared=(Note("we", 0, 5, "We changed it."),), story=(Note("action", 0, 5, "I called."),), values=(Note("timeliness", 0, 1, "within"),))
    found = sections(answer)
    assert "We changed it." in found["shared"] and "one level lower" in found["shared"]
    assert "result: not found" in found["story"] and "action: “I called.”" in found["story"] and "timeliness" in found["story"]


def test_an_unsure_answer_says_what_makes_it_unsure() -> None:
    answer = Assessment("ok", "m", {"level": Rating(2, (0.0, 0.0, 0.46, 0.44, 0.1), (2, 3))}, Client("external", {"external": 1.0}))
    shown = sections(answer)["level"]
    assert "plausible are 2 or 3" in shown
    assert "close call with 3" in shown


def test_a_refusal_is_its_only_section() -> None:
    assert [s.key for s in advise(Assessment("refused: too short: 2 words", "m"))] == ["refused"]


def test_the_other_framework() -> None:
    shown = explain(assessment(), "pspc")
    assert shown.startswith("Client service competency (Public Services and Procurement Canada): level 1 of 3")
    assert "Service Excellence (Canada Revenue Agency): 2 of 4" in shown


def test_to_dict_and_back() -> None:
    answer = assessment(evidence=(Finding("2.2", 0, 3, "abc", 0.6),), story=(Note("task", 0, 3, "abc"),))
    assert Assessment.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda p: p.stem)
def test_golden_files(path: Path) -> None:
    answer = Assessment.from_dict(json.loads(path.read_text("utf-8")))
    assert explain(answer) + "\n" == path.with_suffix(".txt").read_text("utf-8")


def test_there_are_twelve_golden_files() -> None:
    assert len(list(GOLDEN.glob("*.json"))) == 12


if __name__ == "__main__":
    for stored in sorted(GOLDEN.glob("*.json")):
        answer = Assessment.from_dict(json.loads(stored.read_text("utf-8")))
        stored.with_suffix(".txt").write_text(explain(answer) + "\n", "utf-8")
