"""Texts that stand in for others in a training: what is changed, what readers said of it, and what marks are left."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path

import change_texts
import pytest
import stand_ins

from classifier.corpus import Example, Label, read_corpus
from classifier.encoder import Encoder
from classifier.pairs import read_pairs

TEXT = "A client called us about her file on a rainy Monday in May. I looked into it for an hour. I called her back with the answer and she was glad of it."
EXAMPLE = Example(
    "x", TEXT, {"level": 2, "involvement": 2, "commitment": 2, "pspc_level": 1}, "external",
    evidence=(Label("1.1", "with the answer"), Label("2.3", "I looked into it for an hour."), Label("2.4", "I called her back")),
)  # fmt: skip


def lesson(tmp_path: Path, **fields: object) -> Example:
    (tmp_path / "lessons.jsonl").write_text(json.dumps({"of": "x", "way": "sentences out", "text": TEXT, "level": 2, "sure": True} | fields) + "\n", "utf-8")
    found = stand_ins.read_lessons(tmp_path / "lessons.jsonl", [EXAMPLE, replace(EXAMPLE, id="another")])
    assert set(found) == {"x"}
    return found["x"]


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"text": TEXT.replace("I looked into it for an hour. ", ""), "level": 1}, ["1.1"]),
        ({"text": TEXT.replace("I looked into it for an hour. ", "")}, ["1.1", "2.4"]),
        ({"text": TEXT.replace("I called her", "Olga called her")}, ["2.3"]),  # the mark's words stand there, and are not the writer's any more
        ({"text": TEXT.replace("I called her back ", ""), "way": "quotes out"}, ["1.1", "2.3"]),
    ],
)
def test_a_lesson_has_the_level_that_was_read_and_the_marks_that_it_still_bears(tmp_path: Path, fields: dict[str, object], keys: list[str]) -> None:
    changed = lesson(tmp_path, **fields)
    assert changed.ratings == {"level": fields.get("level", 2)} and changed.client is None and changed.text == fields["text"]
    assert [mark.key for mark in changed.evidence] == keys


def test_in_the_place_of_a_text_goes_its_lesson_or_the_text_told_of_another() -> None:
    lessons, chance = {"x": replace(EXAMPLE, ratings={"level": 1})}, random.Random(0)
    found = [stand_ins.stand_in(EXAMPLE, lessons, chance) for _ in range(200)]
    assert 5 <= sum(made.ratings["level"] == 0 for made in found if made) <= 40 and sum(made is lessons["x"] for made in found) >= 160
    nothing = [stand_ins.stand_in(replace(EXAMPLE, id="y", ratings={"level": 0}), lessons, chance) for _ in range(50)]
    assert nothing == [None] * 50


@pytest.mark.parametrize(
    ("way", "texts"),
    [
        ("sentences out", {"A client called us about her file on a rainy Monday in May."}),
        ("quotes out", {"A client called us about her file on a rainy Monday in May.   with the answer and she was glad of it."}),
        ("only the decisive sentences", {"I looked into it for an hour. I called her back with the answer and she was glad of it."}),
    ],
)
def test_what_is_taken_out(way: str, texts: set[str]) -> None:
    assert {change_texts.WAYS[way](EXAMPLE, random.Random(seed)) for seed in range(5)} == texts


def test_texts_to_be_read_become_lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [replace(EXAMPLE, id=f"x{k}", text=f"{TEXT} That was case {k}.") for k in range(60)] + [
        replace(EXAMPLE, id="p", pair="p"),
        replace(EXAMPLE, id="z", ratings={"level": 0}),
    ]
    monkeypatch.setattr(change_texts, "read_corpus", lambda _: examples)
    (tmp_path / "had.jsonl").write_text("".join(json.dumps({"of": f"x{k}"}) + "\n" for k in range(5)), "utf-8")
    (tmp_path / "stress").mkdir()
    stressed = {"id": "s", "kind": "k", "a": examples[7].text, "b": TEXT, "level": 2, "readings": [2, 2, 2]}
    (tmp_path / "stress" / "s.jsonl").write_text(json.dumps(stressed) + "\n", "utf-8")
    known = ["--lessons", str(tmp_path / "had.jsonl"), "--stress", str(tmp_path / "stress")]
    monkeypatch.setattr("sys.argv", ["change_texts.py", "corpus", str(tmp_path), "--number", "40", *known])
    change_texts.main()
    key = [json.loads(line) for line in (tmp_path / "key.jsonl").read_text("utf-8").splitlines()]
    assert [record["n"] for record in key] == list(range(1, 41)) and {"told of somebody else", "half of the sentences"} <= {record["way"] for record in key}
    assert (tmp_path / "texts.md").read_text("utf-8").count("## ") == 40 and not {"p", "x7", *(f"x{k}" for k in range(5))} & {record["of"] for record in key}
    (tmp_path / "a.csv").write_text("n,level,sure\n" + "".join(f"{record['n']},1,{'yn'[record['n'] % 2]}\n" for record in key), "utf-8")
    monkeypatch.setattr("sys.argv", ["change_texts.py", "corpus", str(tmp_path), "--answers", str(tmp_path / "a.csv")])
    change_texts.main()
    lessons = [json.loads(line) for line in (tmp_path / "lessons.jsonl").read_text("utf-8").splitlines()]
    assert [(r["of"], r["way"], r["text"]) for r in lessons] == [(r["of"], r["way"], r["text"]) for r in key if r["way"] != "whole"]
    assert {record["level"] for record in lessons} == {1} and {record["sure"] for record in lessons} == {True, False}
    (tmp_path / "a.csv").write_text("n,level,sure\n1,1,y\n2,1,y\n1,2,y\n", "utf-8")
    with pytest.raises(SystemExit, match="number 1 is answered twice"):
        change_texts.main()


def test_told_of_another_the_writer_did_nothing() -> None:
    example = Example("y", "I called her. I'm glad, my client was served, and she thanked me.", {"level": 2, "involvement": 1}, "external")
    found = [stand_ins.told_of_another(example, random.Random(seed)) for seed in range(1500)]
    assert all(other and other.ratings == {"level": 0, "involvement": 0} and other.client is None for other in found)
    texts = {other.text for other in found if other}
    assert not any(re.search(r"\bI\b|my client|thanked me\b", text) for text in texts)
    for who, later in (("The other agent", "The other agent"), ("Devon, who works with me,", "Devon")):
        assert any(
            re.match(rf"{who} called her\. (He|She|{later}) is glad, (his|her) client was served, and she thanked (him|her)\.", text) for text in texts
        ), who
    assert stand_ins.told_of_another(Example("z", "The client was called.", {"level": 1}, None), random.Random(0)) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("I have a file, i.e. a case. I am here and I don't stop.", "Olga, a coworker, has a file, i.e. a case. {0} is here and {1} doesn't stop."),
        ("I still haven’t asked; I also do it myself.", "Olga, a coworker, still hasn’t asked; {1} also does it {2}."),
        ("My boss and I, as I said. “I do.”", "{3} boss and Olga, a coworker, as {1} said. “{0} does.”"),
        ("We had a complaint. I've read it, I.", "We had a complaint. Olga, a coworker, has read it, {1}."),
    ],
)
def test_a_teller_speaks_as_people_do(told: str, expected: str) -> None:
    """Slips that only texts told of another have would tell a model what the level is."""
    who = re.compile(r"\b(?:olga|s?he|his|her|(?:him|her)self)\b", re.IGNORECASE)
    found = {stand_ins.Teller(random.Random(seed), "Olga, a coworker,", "Olga").tell(told) for seed in range(60)}
    assert {who.sub("*", text) for text in found} == {who.sub("*", expected.format("She", "she", "herself", "Her"))}
    assert {expected.format("She", "she", "herself", "Her"), expected.format("He", "he", "himself", "His")} <= found


def test_told_of_the_employee_the_text_keeps_its_level() -> None:
    told = [stand_ins.told_of_the_employee(EXAMPLE, random.Random(seed)) for seed in range(40)]
    assert all(made.ratings == EXAMPLE.ratings and not made.evidence and not re.search(r"\bI\b", made.text) for made in told)
    assert any("The employee looked into it for an hour." in made.text for made in told)


def test_the_decisive_sentences_are_told_of_another_and_no_other() -> None:
    told = re.compile(
        r"A client called us about her file on a rainy Monday in May\. [A-Z].* looked into it for an hour\. [A-Z].* called her back with the answer"
    )
    for seed in range(40):
        made = change_texts.decisive_act_of_another(EXAMPLE, random.Random(seed))
        assert told.match(made) and not re.search(r"\bI\b", made)
    first = replace(EXAMPLE, text="I gave her the address. " + TEXT, evidence=(*EXAMPLE.evidence, Label("1.2", "gave her the address")))
    assert change_texts.decisive_act_of_another(first, random.Random(0)).startswith("I gave her the address. A client")
    assert change_texts.decisive_act_of_another(replace(EXAMPLE, evidence=(Label("2.3", "A client called us"),)), random.Random(0)) == ""


def test_the_shipped_lessons_are_of_the_corpus(root: Path) -> None:
    examples = read_corpus(root / "corpus" / "en")
    records = [json.loads(line) for line in (root / "corpus" / "changed" / "lessons.jsonl").read_text("utf-8").splitlines()]
    found = stand_ins.read_lessons(root / "corpus" / "changed" / "lessons.jsonl", examples)
    assert len(found) == len(records) >= 1400 and {record["way"] for record in records} == set(change_texts.WAYS)
    levels = {example.id: example.ratings["level"] for example in examples}
    assert sum(found[record["of"]].ratings["level"] < levels[record["of"]] for record in records if record["way"] == "only the decisive sentences") <= 2
    stressed = {pair.a: pair for pair in read_pairs(root / "corpus" / "counterfactuals") if pair.readings}
    assert len(stressed) == 218 and not any(example.text in stressed for example in examples if example.id in found)
    encoder = Encoder(root / "models" / "en" / "encoder")
    for text, pair in stressed.items():
        assert len(pair.readings) == 3 and pair.kind.endswith("(new writers)") == (not encoder.trained_on(text)), pair.id
    assert sum(example.ratings["level"] == stressed[example.text].level for example in examples if example.text in stressed) == len(stressed)
