"""From the desk to the corpus: pseudonyms, confirmation, export, and no model that is worse than the one it replaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from desks import CRA, desk_of, rating, read_through
from fixed import DRAFT, FixedAssessor
from starlette.testclient import TestClient

import classifier.cli
from classifier.assessment import Assessment, Note, Rating
from classifier.assessor import Assessor
from classifier.corpus import check_corpus, read_corpus, read_examples
from classifier.desk.faults import OutOfOrderError
from classifier.desk.judgement import judged
from classifier.desk.learn import learn
from classifier.desk.pages import create_desk
from classifier.desk.pseudonyms import labels, pseudonymize
from classifier.desk.release import release
from classifier.desk.store import Desk
from classifier.desk.verify import verify
from classifier.errors import InputError
from classifier.succession import check_unseen, compare

PERSONAL = (
    "A client, Marie Tremblay, phoned me from 12 Maple Street about account 4417-88213. I told Ms. Tremblay that Jean-Luc at the Gatineau office would look. "
    "Tremblay gave me marie.t@example.org and 613-555-0199, K1A 0B1. I called her back on Monday in March; she had paid $30,000 with her T4."
)


def test_names_numbers_and_addresses_are_taken_out() -> None:
    made = pseudonymize(PERSONAL)
    for gone in ("Marie", "Tremblay", "Maple", "4417", "88213", "Luc", "Gatineau", "example.org", "555", "K1A"):
        assert gone not in made.text, made.text
    for kept in ("A client", "Monday in March", "$30,000", "T4", "I called her back"):
        assert kept in made.text, made.text


def test_the_same_name_gets_the_same_placeholder_also_at_the_start_of_a_sentence() -> None:
    made = pseudonymize("I met Mrs. Okafor twice. Okafor thanked me. Then Mr. Singh came.")
    assert made.text == "I met Mrs. [name 1] twice. [name 1] thanked me. Then Mr. [name 2] came."


def test_words_that_may_be_names_are_listed_and_ordinary_text_is_left_alone() -> None:
    made = pseudonymize("Yolanda asked for her form. She was glad. Forms are long.\n- Checked the file.")
    assert made.replaced == () and "Yolanda" in made.doubtful and "She" not in made.doubtful
    assert pseudonymize(DRAFT).text == DRAFT


@pytest.mark.parametrize("text", ["", " ", "\u202e", "Ms. ", "Mr.", "123456789 " * 50, PERSONAL * 3, "É. Ñ. A\n\nB"])
def test_offsets_move_with_the_text(text: str) -> None:
    made = pseudonymize(text)
    back, last = [], 0
    for start, end, placeholder in made.replaced:
        assert last <= start < end <= len(text)
        a, b = made.moved(start, end)
        assert made.text[a:b] == placeholder
        back += [text[last:start], placeholder]
        last = end
    assert "".join([*back, text[last:]]) == made.text


def test_quotes_follow_their_words_and_those_that_are_gone_are_left_out() -> None:
    made = pseudonymize(PERSONAL)
    start = PERSONAL.index("told Ms. Tremblay that")
    told = Note("1.1", start, start + 22, "told Ms. Tremblay that")
    start = PERSONAL.index("called her back")
    called = Note("2.4", start, start + 15, "called her back")
    (first, second) = labels(made.text, made, [told, called])
    assert first["quote"].startswith("told Ms. [name") and second == {"key": "2.4", "quote": "called her back"}
    assert labels(made.text.replace("called her back", "phoned"), made, [told, called]) == [first]


@pytest.fixture
def decided(tmp_path: Path) -> Iterator[Desk]:
    """Fourteen decided examples, all but the last confirmed; by its hash, the thirteenth is held out."""
    desk = desk_of(tmp_path / "desk", 14, wanted=1)
    for number in range(1, 15):
        read_through(desk, number, "Ann", 3)
        desk.decide(number, "Ann", rating(desk, number, number % 5))
        if number <= 13:
            assert release(desk, number, "Ann", pseudonymize(desk.example(number).text).text) == 0
    yield desk
    desk.close()


def test_confirmed_examples_become_corpus_records_and_a_part_is_held_out(decided: Desk, tmp_path: Path) -> None:
    into = tmp_path / "corpus"
    into.mkdir()
    found = learn(decided, into)
    assert (found.trained, found.kept, found.unconfirmed) == (12, 1, 1)
    assert check_corpus(into) == []
    training, held_out = read_corpus(into), read_examples(found.held_out)
    assert len(training) == found.trained and len(held_out) == found.kept
    assert not {e.text for e in training} & {e.text for e in held_out}
    assert {e.source for e in training} == {f"desk-{decided.id}"}
    assert all(e.ratings["level"] == int(e.id.rsplit("-", 1)[1]) % 5 and e.evidence[0].quote == "called her back" for e in [*training, *held_out])
    before = found.training.read_bytes()
    assert learn(decided, into).training.read_bytes() == before
    assert verify(decided).faults == () and decided.check_trail().entries[-1]["what"] == "exported"


def test_where_the_second_file_fails_its_check_the_first_stays(decided: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into = tmp_path / "corpus"
    into.mkdir()
    found = learn(decided, into)
    for path in (found.training, found.held_out):
        path.write_text("as it was\n", encoding="utf-8")
    answers = iter([[], ["row 1: no text"]])
    monkeypatch.setattr("classifier.desk.learn.check_corpus", lambda path: next(answers))
    with pytest.raises(InputError, match="row 1: no text"):
        learn(decided, into)
    files = [path for path in into.rglob("*") if path.is_file()]
    assert sorted(files) == sorted([found.training, found.held_out]) and all(path.read_text(encoding="utf-8") == "as it was\n" for path in files)


def test_nothing_is_released_before_the_decision(tmp_path: Path) -> None:
    desk = desk_of(tmp_path)
    desk.enter("Ann")
    with pytest.raises(OutOfOrderError):
        release(desk, 1, "Ann", "A text.")


def test_the_assessor_sees_what_was_taken_out_and_confirms_a_changed_text(tmp_path: Path) -> None:
    desk = desk_of(tmp_path / "desk", 1, wanted=1)
    desk.add([("personal", PERSONAL)], 1)
    start = PERSONAL.index("called her back")
    held = judged(PERSONAL, CRA, 2, "external", [("2.4", start, start + 15)], "Followed up.")
    desk.enter("Ann")
    desk.rate(2, "Ann", held)
    desk.conclude_alone(2, "Ann")
    desk.decide(2, "Ann", held)
    with TestClient(create_desk(desk, None), base_url="http://localhost") as client:
        client.post("/session", json={"name": "Ann"})
        shown = client.get("/examples/2/release").text
        assert "Marie Tremblay</q> [name 1]" in shown and "[address]" in shown
        assert client.get("/examples/1/release").status_code == 409
        text = pseudonymize(PERSONAL).text.replace("T4", "form")
        assert client.post("/examples/2/release", json={"text": text}).status_code == 200
    (tmp_path / "corpus").mkdir()
    found = learn(desk, tmp_path / "corpus")
    (record,) = [json.loads(line) for path in (found.training, found.held_out) for line in path.read_text("utf-8").splitlines()]
    assert record["text"] == text and record["evidence"] == [{"key": "2.4", "quote": "called her back"}] and "Tremblay" not in json.dumps(record)


class Level:
    """A model that always answers as it is told: the labels shifted by so much."""

    def __init__(self, shift: int) -> None:
        self.shift = shift

    def assess_many(self, texts: Iterator[str]) -> Iterator[Assessment]:
        for text in texts:
            level = min(int(text.split()[-1]) + self.shift, 4) if len(text) % 3 else 0
            yield Assessment("ok", "x", {"level": Rating(level, (0.2,) * 5, (level,))})


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    path = tmp_path / "held.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "source": "x", "text": f"Text {n} of level {n % 5}", "level": n % 5}) + "\n" for n in range(40)))
    return path


def test_a_worse_model_is_told_from_a_better_one(held_out: Path) -> None:
    examples = read_examples(held_out)
    good, bad = cast(Assessor, Level(0)), cast(Assessor, Level(2))
    assert compare(good, bad, held_out, examples).worse
    assert not compare(bad, good, held_out, examples).worse
    assert not compare(good, good, held_out, examples).worse
    with pytest.raises(InputError, match="4 of its texts"):
        check_unseen(held_out, examples, examples[:4])


@pytest.mark.parametrize(("shift", "written"), [(2, False), (0, True)])
def test_train_writes_no_model_that_is_worse(tmp_path: Path, held_out: Path, monkeypatch: pytest.MonkeyPatch, shift: int, written: bool) -> None:
    target = tmp_path / "model"
    target.mkdir()
    (target / "model.json").write_text("the old one")

    class New(Level):
        def __init__(self, *_: object) -> None:
            super().__init__(shift)

        def read_unseen(self, texts: Iterator[str]) -> list[str]:
            return list(texts)

        def fit(self, *_: object) -> None: ...

        def calibrate(self, *_: object) -> None: ...

        def cross_assess(self, examples: list[object], *_: object) -> list[Assessment]:
            return [Assessment("ok", "x", {"level": Rating(1, (0.2,) * 5, (1,))})] * len(examples)

        def save(self, folder: Path, described: dict[str, object]) -> None:
            (folder / "model.json").write_text(json.dumps(described["reference"]))

    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"id": "1", "source": "y", "text": f"{DRAFT} level 1", "level": 1}) + "\n")
    monkeypatch.setattr(classifier.cli, "Assessor", New)
    encoder = SimpleNamespace(folder=tmp_path, unseen_file=tmp_path / "unseen.npz", trained_on=lambda text: False)
    monkeypatch.setattr(classifier.cli, "Encoder", lambda folder: encoder)
    monkeypatch.setattr(classifier.cli, "load_assessor", lambda folder: Level(1))
    code = classifier.cli.main(["train", str(corpus), str(target), "--held-out", str(held_out)])
    kept = (target / "model.json").read_text()
    assert (code, kept == "the old one") == ((0, False) if written else (1, True))
    if written:
        assert json.loads(kept)["levels"] == [0, 1, 0, 0, 0]


def test_the_fixed_assessor_is_no_worse_than_itself(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps({"text": f"{DRAFT} level {n % 5}", "level": n % 5}) + "\n" for n in range(10)))
    found = compare(cast(Assessor, FixedAssessor()), cast(Assessor, FixedAssessor()), path, read_examples(path))
    assert (found.old, found.new, found.worse) == (1.0, 1.0, False) and "n = 10" in str(found)
