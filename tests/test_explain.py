"""Explanations say why, ask questions, and never give sentences to paste; golden files hold them to the letter.

To renew the golden files after a wanted change: `python tests/test_explain.py`, and read the difference.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from classifier.assessment import Assessment, Client, Finding, Note, Rating
from classifier.explain import advise, explain
from classifier.framework import DATA, load_framework

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
    assert "“called her back” shows behaviour 2.4: follows up, or takes additional action (90%). Level 1 does not ask for this." in shown
    assert "level 2 is much the likeliest" in shown and "plausible" not in shown


def test_the_next_level_is_asked_for_in_questions_and_leaves_out_what_is_shown() -> None:
    shown = sections(assessment(evidence=(Finding("3.1", 0, 3, "x", 0.6),)))["next"]
    assert "What level 3 asks" in shown
    lines = shown.splitlines()[1:]
    assert len(lines) == 2
    assert all("?" in line and line.strip().startswith("Did you") for line in lines)
    assert "next" not in sections(assessment(level=4))


def test_a_framework_with_other_keys_leaves_out_what_it_does_not_name(tmp_path: Path) -> None:
    own = (DATA / "cra.toml").read_text("utf-8").replace('key = "gives-up"', 'key = "lets-go"').replace('key = "2.4"', 'key = "B4"')
    path = tmp_path / "own.toml"
    path.write_text(own, "utf-8")
    evidence = (Finding("2.2", 0, 3, "asked Finance", 0.6), Finding("2.4", 5, 9, "called her back", 0.9))
    flags = (Finding("gives-up", 0, 3, "I left it at that", 0.8), Finding("convenience-first", 0, 3, "when it suited me", 0.8))
    shown = explain(assessment(evidence=evidence, flags=flags, means=(Finding("gives-up", 0, 3, "I tried again", 0.8),)), str(path))
    assert "asked Finance" in shown and "when it suited me" in shown
    assert "called her back" not in shown and "I left it at that" not in shown and "I tried again" not in shown


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


def test_the_note_of_the_source_goes_by_the_words() -> None:
    notes = dict(load_framework("cra").client_notes)
    staff = (Note("not_a_client", 0, 8, "my staff"), Note("not_a_client", 9, 16, "My crew"))
    team = (Note("not_a_client", 0, 7, "my team"),)  # one is in a team without managing it
    assert notes["manager"] in sections(assessment(level=0, client="not_a_client", client_words=team))["client"]
    alone = assessment(level=0, client="none", client_words=staff)
    assert "“my staff”, “My crew”" in sections(alone)["client"] and notes["own-team"] in sections(alone)["client"]
    assert "If they are the ones you served" in sections(assessment(client="internal", client_words=staff))["client"]
    assert "If they are" not in sections(assessment(client_words=staff))["client"]
    assert "only your own manager or team is named (“my staff”" in sections(alone)["level"]
    assert notes["own-team"] in sections(assessment(level=0, client="not_a_client", client_words=staff))["client"]
    assert notes["unsure"] in sections(assessment(level=0, client="none"))["client"]
    assert "The source says" not in sections(assessment())["client"]


def test_words_of_a_higher_level_carry_a_lower_one() -> None:
    shown = sections(assessment(level=1, evidence=(Finding("2.2", 0, 3, "Action: I asked Finance", 0.67),)))["level"]
    assert "although “I asked Finance” may show something of level 2" in shown and "no single words" not in shown
    assert "no single words" in sections(assessment(level=2, evidence=(Finding("1.1", 0, 3, "told her", 0.9),)))["level"]
    assert "“told her” may show it" in sections(assessment(level=1, evidence=(Finding("1.1", 0, 3, "told her", 0.3),)))["level"]


@pytest.mark.parametrize(
    ("more", "client", "reason"),
    [
        ({"evidence": (Finding("1.2", 0, 3, "sent it", 0.6),)}, "external", "“sent it” might show it"),
        ({"flags": (Finding("gives-up", 0, 3, "I left it", 0.8),)}, "external", "“I left it” may read badly (see below)"),
        ({"shared": (Note("habit", 0, 9, "I always listen."),)}, "none", "“I always listen.” is told as a habit"),
        ({"client_words": (Note("not_a_client", 0, 7, "my boss"),)}, "not_a_client", "your own manager or team (“my boss”)"),
        ({}, "none", "no client was found"),
        ({}, "external", "on one occasion"),
    ],
)
def test_why_a_0(more: dict[str, object], client: str, reason: str) -> None:
    assert reason in sections(assessment(level=0, client=client, **more))["level"]


def test_the_source_speaks_of_the_ends_of_a_degree_only() -> None:
    involvement = load_framework("cra").scale("involvement")
    ratings = {"level": rating(2), "involvement": rating(2), "commitment": rating(4)}
    shown = sections(Assessment("ok", "m", ratings, None))["degrees"]
    assert involvement.lower not in shown and involvement.higher not in shown
    assert load_framework("cra").scale("commitment").higher in shown


def test_what_nobody_is_told_to_have_done_costs_only_without_an_act_of_the_writer() -> None:
    we = (Note("we", 20, 35, "We changed it."),)
    mine = sections(assessment(shared=we, story=(Note("action", 0, 9, "I called."),)))
    assert "We changed it." in mine["shared"] and "one level lower" not in mine["shared"] + mine["level"]
    nobody = sections(assessment(shared=we))
    assert "one level lower" in nobody["shared"] and "This holds only if you did it yourself" in nobody["level"]
    elsewhere = sections(assessment(evidence=(Finding("2.4", 0, 3, "My colleague Denise phoned her", 0.9),)))
    assert "what somebody else did does not count" in elsewhere["shared"] and "This holds only if" in elsewhere["level"]
    assert "one level lower" not in sections(assessment(level=0, shared=we))["shared"]


def test_quotes_that_are_left_out_are_counted() -> None:
    shown = sections(assessment(shared=tuple(Note("we", i, i + 1, f"We did {i}.") for i in range(6))))["shared"]
    assert "We did 3." in shown and "We did 4." not in shown and "and 2 more" in shown


def test_the_parts_of_the_story_in_their_order() -> None:
    shown = sections(assessment(story=(Note("action", 0, 5, "I called."),), values=(Note("timeliness", 0, 1, "within a"),)))["story"]
    assert [line.split(":")[0].strip() for line in shown.splitlines()[1:5]] == ["Situation", "Task", "Action", "Result"]
    assert "Result: not found" in shown and "Action: “I called.”" in shown and "timeliness (“within a”)" in shown
    assert sections(assessment())["story"].count("not found") == 4


def test_an_unsure_answer_names_what_makes_it_unsure() -> None:
    close = {"level": Rating(2, (0.0, 0.0, 0.46, 0.44, 0.1), (2, 3))}
    found = (Finding("3.1", 0, 3, "saw what she lacked", 0.7), Finding("2.2", 0, 3, "asked Finance", 0.4))
    flags = (Finding("gives-up", 0, 3, "left it there", 0.8),)
    shares = {"external": 0.5, "internal": 0.1, "not_a_client": 0.1, "none": 0.3}
    shown = sections(Assessment("ok", "m", close, Client("external", shares), found, flags, shared=(Note("we", 0, 9, "We met."),)))
    assert "it could be level 2 or 3" in shown["level"] and "close call with 3" in shown["level"]
    for cause in (
        "“saw what she lacked” may show something of a higher level, 3",
        "“asked Finance” (40%)",
        "“We met.”",
        "“left it there”",
        "Who is served is not clear",
    ):
        assert cause in shown["unsure"]
    assert "No words were found" in sections(Assessment("ok", "m", close, None))["unsure"]
    assert "unsure" not in sections(assessment())


def test_a_likelier_level_than_the_given_one_is_named() -> None:
    shown = sections(Assessment("ok", "m", {"level": Rating(1, (0.49, 0.31, 0.2, 0.0, 0.0), (0, 1, 2))}, None))["level"]
    assert "Level 0 taken alone is likelier (49%)" in shown and "So many levels are plausible" in shown


def test_plausible_levels_are_listed_and_a_likelier_one_left_out_is_named() -> None:
    apart = sections(Assessment("ok", "m", {"level": Rating(1, (0.02, 0.5, 0.35, 0.03, 0.1), (1, 2, 3))}, None))["level"]
    assert "level 1, 2 or 3 (" in apart and "Level 4 is likelier than one of these" in apart
    every = sections(Assessment("ok", "m", {"level": Rating(2, (0.2, 0.2, 0.2, 0.2, 0.2), (0, 1, 2, 3, 4))}, None))["level"]
    assert "any level is plausible" in every and "likelier than one of these" not in every


def test_a_level_of_acts_that_may_not_be_the_writers_is_sure_on_a_condition() -> None:
    we, mine = (Finding("2.4", 0, 3, "we phoned her", 0.9),), (Finding("2.4", 0, 3, "I phone her", 0.9),)
    assert "much the likeliest, if these acts are yours" in sections(assessment(evidence=we))["level"]
    assert "if these acts are yours" not in sections(assessment(evidence=mine))["level"]
    habit = (Note("habit", 0, 9, "I always listen."),)
    assert "if these acts are yours" in sections(assessment(evidence=mine, shared=habit))["level"]


def test_poor_conduct_with_nothing_sure_beside_it_may_be_a_0() -> None:
    flags, sure, weak = (Finding("gives-up", 0, 3, "I left it", 0.8),), (Finding("1.1", 0, 3, "I told her", 0.9),), (Finding("1.1", 0, 3, "I told her", 0.3),)
    assert "an assessor may give 0" in sections(assessment(level=1, flags=flags, evidence=weak))["level"]
    assert "an assessor may give 0" not in sections(assessment(level=1, flags=flags, evidence=sure))["level"]
    assert "an assessor may give 0" not in sections(assessment(level=1, evidence=weak))["level"]


def test_what_the_source_means_is_said_once_for_each_anti_pattern() -> None:
    flags = (Finding("gives-up", 0, 3, "I left it", 0.8), Finding("gives-up", 4, 9, "I let it go", 0.7))
    assert sections(assessment(flags=flags))["flags"].count("Service Excellence means:") == 1


def test_a_refusal_is_its_only_section() -> None:
    assert [s.key for s in advise(Assessment("refused: too short: 2 words", "m"))] == ["refused"]


def test_the_other_framework() -> None:
    shown = explain(assessment(), "pspc")
    assert shown.startswith("Client service competency (Public Services and Procurement Canada): level 1 of 3")
    assert "Service Excellence (Canada Revenue Agency): 2 of 4" in shown
    assert "no words are looked for under this competency" in shown and "no single words" not in shown
    assert "Which of these does your text show?" in shown


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
