"""The corpus is whole, and each kind of fault is found and named by file and line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import build_corpus
import load
import pytest

from classifier.assessor import Assessor
from classifier.corpus import (
    AUTHORS_PROSE,
    HARD_KINDS,
    MANY_VOICES,
    PLAIN_PROSE,
    REGISTERS,
    UNGUIDED,
    WEIGHTS,
    Example,
    check_corpus,
    read_corpus,
    read_examples,
    register_of,
    weight_of,
    writer_groups,
)
from classifier.errors import InputError
from classifier.rows import read_records

GOOD = {
    "id": "a-1", "source": "a", "text": "I called the client back.", "level": 2, "involvement": 2, "commitment": 2, "client": "external",
    "flags": [], "evidence": [{"key": "2.4", "quote": "called the client back"}], "pspc_level": 1,
}  # fmt: skip


def write(path: Path, *records: object) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records), "utf-8")
    return path


def test_the_corpus_has_no_faults(root: Path) -> None:
    assert check_corpus(root / "corpus" / "en") == []


def test_the_corpus_is_rebuilt_byte_for_byte(root: Path) -> None:
    done = subprocess.run([sys.executable, "scripts/build_corpus.py", "--check"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_worked_examples_are_never_trained_on(root: Path, corpus: list[Example]) -> None:
    worked = read_examples(root / "corpus" / "en" / "worked_examples.jsonl")
    assert [e.ratings["level"] for e in worked] == [1, 2, 3, 4]
    trained_on = {" ".join(e.text.split()) for e in corpus}
    assert not trained_on & {" ".join(e.text.split()) for e in worked}


def test_fresh_examples_have_no_faults_and_are_in_no_training(root: Path, corpus: list[Example], assessor: Assessor) -> None:
    path = root / "corpus" / "fresh.jsonl"
    assert check_corpus(path) == []
    fresh = read_examples(path)
    assert {e.source for e in fresh}.isdisjoint(e.source for e in corpus)
    assert not any(assessor.encoder.trained_on(e.text) for e in fresh)


def test_each_pair_has_two_texts(corpus: list[Example]) -> None:
    sizes = Counter(e.pair for e in corpus if e.pair)
    assert {pair for pair, size in sizes.items() if size != 2} == set()


def test_pairs_and_rewrites_stay_in_one_group(corpus: list[Example]) -> None:
    groups = writer_groups(corpus)
    by_id = {e.id: e for e in corpus}
    rewrites = [e for e in corpus if e.rewrites]
    assert rewrites
    assert all(groups[e.source] == groups[by_id[e.rewrites].source] for e in rewrites if e.rewrites)
    assert len(set(groups.values())) >= 20


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"level": 5}, "level is 5, not 0 to 4"),
        ({"level": True}, "level is True"),
        ({"pspc_level": 4}, "pspc_level is 4, not 0 to 3"),
        ({"client": "boss"}, "client is 'boss'"),
        ({"flags": [{"key": "rude", "quote": "called"}]}, "unknown key 'rude'"),
        ({"level": None}, "no level"),
        ({"evidence": [{"key": "p1.2", "quote": "called"}]}, "evidence has the unknown key 'p1.2'"),
        ({"evidence": [{"key": "2.4", "quote": "phoned"}]}, "the quote of evidence 2.4 is not in the text: 'phoned'"),
        ({"text": " "}, "no text"),
        ({"source": None}, "no source"),
    ],
)
def test_faults_are_named(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    file = write(tmp_path / "a.jsonl", GOOD, GOOD | {"id": "a-2", "text": "Also: I called the client back."} | change)
    faults = check_corpus(tmp_path)
    assert any(fault.startswith(f"{file}:2: ") and reason in fault for fault in faults), faults


def test_repeats_broken_lines_and_split_pairs_are_named(tmp_path: Path) -> None:
    other = {"id": "a-3", "text": "I called the client back twice.", "pair": "p1"}
    write(
        tmp_path / "a.jsonl",
        GOOD | {"pair": "p1", "split": "train"},
        GOOD | {"id": "a-2"},
        "{broken",
        GOOD | other | {"split": "test"},
    )
    faults = "\n".join(check_corpus(tmp_path))
    assert "a.jsonl:2: the same text stands at" in faults
    assert "a.jsonl:3: not JSON" in faults
    assert "a.jsonl:4: 'p1' is in test here and in train at" in faults


def test_no_pair_and_no_rewrite_tie_nothing(tmp_path: Path) -> None:
    none: dict[str, object] = {"pair": None, "rewrites": None}
    write(
        tmp_path / "a.jsonl",
        GOOD | none | {"split": "train"},
        GOOD | none | {"id": "b-1", "source": "b", "text": "So I called the client back.", "split": "test"},
    )
    assert check_corpus(tmp_path) == []


@pytest.mark.parametrize(
    ("source", "register"),
    [
        ("t01", AUTHORS_PROSE), ("t7", AUTHORS_PROSE), ("t10", MANY_VOICES), ("t71", MANY_VOICES), ("t72", PLAIN_PROSE), ("t109", PLAIN_PROSE),
        ("t110", HARD_KINDS), ("t171", HARD_KINDS), ("t172", UNGUIDED),
        ("t0", None), ("t64a", None), ("at64", None), ("t", None),
    ],
)  # fmt: skip
def test_registers_go_by_the_writers_number(source: str, register: str | None) -> None:
    assert register_of(source) == register


def test_an_authors_prose_counts_the_least_and_what_nobody_made_up_the_most() -> None:
    assert set(WEIGHTS) == {name for name, _, _ in REGISTERS}
    assert weight_of("t01") < weight_of("t10") < weight_of("t72") == weight_of("t110") == weight_of("t172") == weight_of("a desk")


def test_only_a_line_feed_ends_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["I called\u2028the client.", "I called\x85her\u2029back."]
    records = [GOOD | {"text": text, "lookalikes": []} for text in texts]
    (tmp_path / "corpus" / "en").mkdir(parents=True)
    file = tmp_path / "corpus" / "en" / "t01.jsonl"
    file.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n\n[]", "utf-8")
    read = read_records(file)
    assert [next(read), next(read)] == list(enumerate(records, 1))
    with pytest.raises(InputError, match=r"t01\.jsonl:4: not a JSON object\."):
        next(read)
    built = {f"{writer}.jsonl": build_corpus.lines(record | {"source": writer} for record in records) for writer in ("t01", "t10", "t72")}
    assert "| t01 | 2 | 0 | 0 | 2 |" in build_corpus.datasheet(built)
    file.write_text(build_corpus.lines(records), "utf-8")
    monkeypatch.setattr(load, "ROOT", tmp_path)
    assert load.texts() == texts


def test_reading_a_broken_line_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", GOOD, "[1, 2]")
    with pytest.raises(InputError, match=r"a\.jsonl:2: not a JSON object"):
        read_corpus(tmp_path)
    with pytest.raises(InputError, match="there is no corpus here"):
        read_corpus(tmp_path / "nowhere")


def test_a_statement_of_a_dictionary_has_a_level_on_its_scale(tmp_path: Path) -> None:
    good = {"id": "d-1", "dictionary": "Harbour Clinic", "scale_max": 3, "scale_level": 3, "text": "Shapes the service."}
    high, nameless = good | {"id": "d-2", "text": "Answers.", "scale_level": 4}, good | {"id": "d-3", "text": "Asks.", "dictionary": None}
    file = write(tmp_path / "dictionaries.jsonl", good, high, nameless)
    assert check_corpus(tmp_path) == [f"{file}:2: scale_level is not between 1 and scale_max", f"{file}:3: no dictionary"]


def test_two_readers_levels_are_read_from_both_forms_of_record(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        GOOD | {"second_reading": {"level": 3}},
        GOOD | {"id": "a-2", "text": "Also.", "evidence": [], "level_reader_1": 1, "level_reader_2": 0},
        GOOD | {"id": "a-3", "text": "Alone.", "evidence": []},
    )
    assert [e.readers for e in read_examples(tmp_path / "a.jsonl")] == [(2, 3), (1, 0), ()]


@pytest.mark.parametrize("odd", ['"level": 9', '"level": 2.7', '"level": 2, "second_reading": 3', '"level": 2, "flags": 5'])
def test_odd_records_are_named_by_file_and_line(tmp_path: Path, odd: str) -> None:
    (file := tmp_path / "x.jsonl").write_text(f'{{"id": "1", "source": "x", "text": "I called the client back.", {odd}}}\n', "utf-8")
    with pytest.raises(InputError, match=r"x\.jsonl:1: "):
        read_examples(file)


def test_fields_of_the_wrong_kind_are_faults(tmp_path: Path) -> None:
    records = ['"level": 2, "flags": 5', '"level": 2, "flags": [{"key": ["a"], "quote": "called"}]', '"level": ' + "[" * 100_000]
    (file := tmp_path / "x.jsonl").write_text(
        "".join(f'{{"id": "{i}", "source": "x", "text": "I called {i}.", {r}}}\n' for i, r in enumerate(records)), "utf-8"
    )
    assert [fault.split(": ")[0] for fault in check_corpus(file)] == [f"{file}:{k}" for k in (1, 2, 3)]
