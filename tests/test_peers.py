"""The comparison with peers and the learning curve: what they say is measured as they say."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from compare_peers import quality, run, table
from learning_curve import by_register, draws
from peers import Majority, Ours, levels_of, make, peak_memory, serve

from classifier.assessor import Assessor, shipped_model
from classifier.corpus import MANY_VOICES, PLAIN_PROSE, Example, writer_groups
from classifier.encoder import Encoder, Encoding
from classifier.features import Reading


@pytest.mark.parametrize("name", ["majority", "length", "tfidf", "spacy"])
def test_a_peer_answers_the_same_after_save_and_load(name: str, corpus: list[Example], tmp_path: Path) -> None:
    learnt, asked = corpus[::60], [e.text for e in corpus[7::300]]
    peer = make(name)
    peer.fit(learnt)
    rows = peer.probabilities(asked)
    assert rows.shape == (len(asked), 5)
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-6)
    peer.save(tmp_path)
    again = make(name)
    again.load(tmp_path)
    assert again.probabilities(asked) == pytest.approx(rows, abs=1e-6)


def test_length_only_sees_the_length_only(corpus: list[Example]) -> None:
    peer = make("length")
    peer.fit(corpus[::20])
    same = peer.probabilities(["I called the client back", "We went home by train"])
    assert same[0] == pytest.approx(same[1])


def test_majority_is_the_most_common_level(corpus: list[Example]) -> None:
    peer = make("majority")
    peer.fit(corpus)
    assert peer.probabilities(["any text"]).argmax() == np.bincount(levels_of(corpus)).argmax()


def test_ours_is_asked_with_encodings_that_had_not_seen_the_writer(
    assessor: Assessor, small: tuple[list[Example], list[Reading]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    unseen = assessor.encoder.unseen

    def watched(texts: Sequence[str]) -> list[Encoding]:
        asked.extend(texts)
        return list(unseen(texts))

    peer = Ours(shipped_model())
    peer.load(shipped_model())
    monkeypatch.setattr(peer.assessor.encoder, "unseen", watched)
    texts = [e.text for e in small[0][:3]]
    known = [a.ratings["level"].probabilities for a in assessor.assess_readings(assessor.read_unseen(texts))]
    assert peer.probabilities(texts) == pytest.approx(np.array(known))
    assert asked == texts
    peer.save(tmp_path)
    assert not list(tmp_path.rglob("unseen.npz"))
    served = serve("ours", tmp_path, texts, started=0.0)
    assert served["rate"] > 0 and served["memory"] > 50


def test_no_figure_for_texts_that_the_encoder_had_learnt_from(tmp_path: Path, corpus: list[Example]) -> None:
    model = tmp_path / "model"
    peer = Ours(None)
    peer.load(shipped_model())
    peer.save(model)
    none = np.array([], dtype=np.int32)
    np.savez(model / "encoder" / "unseen.npz", keys=np.array([], dtype="U24"), documents=none, lengths=none, tokens=none)
    folder = Path(__file__).resolve().parents[1] / "corpus" / "en"
    options = argparse.Namespace(quality_of="ours", corpus=folder, model=model, every=100, folds=2, minilm=None, examples=None, statements=None)
    options.folder = tmp_path / "saved"
    found = quality(options)
    assert found["made"].startswith("not measured: unseen.npz holds none")
    assert (options.folder / "model.json").is_file()


def test_all_peers_learn_from_and_are_asked_about_what_the_encoders_of_the_folds_read(
    root: Path, tmp_path: Path, corpus: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement may hold U+2028, which ends no line of JSON Lines."""
    read = {e.text for e in corpus if e.source in {"t10", "t11", "t12"}}
    learnt: list[str] = []
    monkeypatch.setattr(Encoder, "trained_on", lambda self, text: text in read)
    fit = Majority.fit

    def watched(self: Majority, examples: Sequence[Example]) -> None:
        learnt.extend(e.text for e in examples)
        fit(self, examples)

    monkeypatch.setattr(Majority, "fit", watched)
    (tmp_path / "statements.jsonl").write_text(json.dumps({"organization": "x", "scale_level": 1, "text": "one\u2028two"}, ensure_ascii=False) + "\n", "utf-8")
    options = argparse.Namespace(quality_of="majority", corpus=root / "corpus" / "en", model=shipped_model(), every=1, folds=2, minilm=None, examples=None)
    options.statements, options.folder = tmp_path / "statements.jsonl", tmp_path
    assert len(quality(options)["made"]) == 3
    assert set(learnt) == read


def test_a_peer_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"^ModuleNotFoundError: No module named 'no_such_peer'$"):
        run([sys.executable, "-c", "import no_such_peer"])


def test_table_keeps_its_columns() -> None:
    figures = {"made": [0.5, 0.4, 0.6], "outside": [0.4, 0.3, 0.5], "statements": [0.3], "rate": 12.34, "cold": 1.26, "memory": 345.6, "size": 7.0}
    lines = table({"ours": figures, "setfit": {"reason": "no such package"}, "majority": figures | {"statements": None}}).splitlines()
    assert lines[2] == "| this project | 0.50 [0.40, 0.60] | 0.40 [0.30, 0.50] | 0.30 | 12 | 1.3 | 346 | 7.0 |"
    assert "did not run: no such package" in lines[3]
    assert "| – |" in lines[4]
    assert {line.count("|") for line in lines} == {9}


def test_memory_is_of_the_process_and_not_of_the_one_that_started_it(root: Path) -> None:
    held = b"x" * 400_000_000
    code = f"import sys; sys.path.insert(0, {str(root / 'scripts')!r}); from peers import peak_memory; print(peak_memory())"
    assert 5 < float(run([sys.executable, "-c", code])) < 300 < peak_memory()
    del held


def test_registers_are_the_corpus_s_and_one_without_examples_is_left_out(corpus: list[Example]) -> None:
    some = [e for e in corpus if e.source in {"t10", "t72"}]
    found = by_register(some)
    assert list(found) == [MANY_VOICES, PLAIN_PROSE, "all"]
    assert {e.source for e in found[MANY_VOICES]} == {"t10"} and found["all"] == some


def test_writers_that_are_tied_come_together(corpus: list[Example]) -> None:
    groups = writer_groups(corpus)
    tied = {source for source in groups if list(groups.values()).count(groups[source]) > 1}
    assert tied
    for count, parts in draws(corpus, groups, 3).items():
        for part in parts:
            sources = {e.source for e in part}
            assert len({groups[source] for source in sources}) == count
            assert all(other in sources for source in sources for other in groups if groups[other] == groups[source])
