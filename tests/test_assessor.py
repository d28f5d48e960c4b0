"""Training, saving and loading: deterministic, hashed, and nothing unpickled before the hashes are right."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from fixed import DRAFT

from classifier.assessor import Assessor, apply_guide, fold_read, of_the_level, shipped_model
from classifier.corpus import CLIENTS, Example
from classifier.encoder import Encoder
from classifier.errors import InputError
from classifier.features import Reading

Small = tuple[list[Example], list[Reading]]


def test_training_twice_gives_the_same_bytes(small: Small, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assessor = Assessor(Encoder(shipped_model() / "encoder"), seed=3).fit(*small)
        assessor.calibrate(small[0], assessor.cross_assess(*small, folds=3)).save(tmp_path / name, {"name": "m"})
    assert (tmp_path / "one" / "heads.json").read_bytes() == (tmp_path / "two" / "heads.json").read_bytes()
    assert (tmp_path / "one" / "model.json").read_bytes() == (tmp_path / "two" / "model.json").read_bytes()


def test_learns_something_that_holds_for_writers_left_out(small: Small, trained: Assessor) -> None:
    answers = trained.cross_assess(*small, folds=3)
    true = np.array([e.ratings["level"] for e in small[0]])
    expected = np.array([a.ratings["level"].probabilities for a in answers]) @ np.arange(5)
    assert np.corrcoef(true, expected)[0, 1] > 0.7
    shuffled = np.random.default_rng(0).permutation(true)
    assert abs(np.corrcoef(shuffled, expected)[0, 1]) < 0.2


def test_level_sets_of_writers_left_out_do_not_know_their_levels(small: Small, trained: Assessor) -> None:
    examples, readings = small
    others = [replace(e, ratings={**e.ratings, "level": 4 - e.ratings["level"]}) if e.source == examples[0].source else e for e in examples]
    before, after = (trained.cross_assess(given, readings, folds=3)[0].ratings["level"] for given in (examples, others))
    assert before == after and len(before.level_set) < 5


def test_the_level_is_learnt_from_a_desk_and_not_from_made_texts_new_to_the_encoder(assessor: Assessor, corpus: list[Example]) -> None:
    known = next(e for e in corpus if assessor.encoder.trained_on(e.text))
    new = next(e for e in corpus if not assessor.encoder.trained_on(e.text))
    assert of_the_level(assessor.encoder, [new, known, replace(new, source="desk-1")]) == [1, 2]
    assert fold_read(assessor.encoder, [new, known, replace(new, source="desk-1")]) == [1]
    assert of_the_level(assessor.encoder, [new]) == [0]


def test_the_guide_ties_the_client_to_the_level() -> None:
    client = np.zeros((1, 4))
    client[0, CLIENTS.index("none")] = 0.7
    client[0, CLIENTS.index("external")] = 0.2
    client[0, CLIENTS.index("internal")] = 0.1
    ruled = apply_guide(client, np.array([[0.4, 0.6, 0.0, 0.0, 0.0]]))
    assert ruled.sum() == pytest.approx(1)
    assert ruled[0, CLIENTS.index("none")] == pytest.approx(0.4)
    assert ruled[0, CLIENTS.index("external")] == pytest.approx(2 * ruled[0, CLIENTS.index("internal")])
    unbound = apply_guide(client, np.array([[0.9, 0.1, 0.0, 0.0, 0.0]]))
    assert unbound == pytest.approx(client)
    certain = apply_guide(np.eye(4)[[CLIENTS.index("external")]], np.array([[1.0, 0.0, 0.0, 0.0, 0.0]]))
    assert certain[0, CLIENTS.index("external")] == pytest.approx(1)


@pytest.fixture
def saved(trained: Assessor, tmp_path: Path) -> Path:
    trained.save(tmp_path / "m", {"name": "m"})
    return tmp_path / "m"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped model, for tests that need no training."""
    shutil.copytree(shipped_model(), tmp_path / "m", ignore=shutil.ignore_patterns("*.npz", "*.md"))
    return tmp_path / "m"


PARTS = ["heads.json", "encoder/encoder.onnx", "encoder/tokenizer.json", "encoder/encoder.json"]


@pytest.mark.parametrize("name", PARTS)
def test_an_altered_or_missing_file_is_refused(saved: Path, name: str) -> None:
    path = saved / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="its hash differs"):
        Assessor.load(saved)
    path.unlink()
    with pytest.raises(InputError, match="is missing"):
        Assessor.load(saved)


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_a_malicious_pickle_is_never_run(saved: Path, tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    evil = pickle.dumps(Malicious(marker))
    (saved / "heads.json").write_bytes(evil)
    with pytest.raises(InputError, match="its hash differs"):
        Assessor.load(saved)
    manifest = json.loads((saved / "model.json").read_text("utf-8"))
    manifest["files"]["heads.json"] = hashlib.sha256(evil).hexdigest()
    (saved / "model.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match="not the heads of a model"):
        Assessor.load(saved)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["heads.pkl", "model.joblib", "encoder/encoder.pkl"])
def test_a_stray_pickle_in_the_folder_is_not_read(copied: Path, tmp_path: Path, name: str) -> None:
    (copied / name).write_bytes(pickle.dumps(Malicious(tmp_path / "was-run")))
    assert Assessor.load(copied).assess(DRAFT).ok
    assert not (tmp_path / "was-run").exists()


def test_scores_of_unseen_texts_that_hold_a_malicious_object_are_refused(copied: Path, tmp_path: Path) -> None:
    """The manifest does not name `unseen.npz`, since assessing does not read it; training does, and runs nothing in it."""
    marker, path = tmp_path / "was-run", copied / "encoder" / "unseen.npz"
    evil = np.empty(1, dtype=object)
    evil[0] = Malicious(marker)
    for name in ("lengths", "tokens", "documents", "keys"):
        arrays = {"lengths": np.ones(1, int), "tokens": np.zeros((1, 1), np.int8), "documents": np.zeros((1, 1)), "keys": np.array(["0"])}
        np.savez(path, **(arrays | {name: evil}))
        assessor = Assessor.load(copied)
        with pytest.raises(ValueError, match="allow_pickle=False"):
            assessor.read_unseen([DRAFT])
    assert assessor.assess(DRAFT).ok
    assert not marker.exists()
    np.load(path, allow_pickle=True)["keys"]
    assert marker.exists(), "the object is not malicious, so that the test shows nothing"


def test_assessing_imports_neither_scikit_learn_nor_pandas() -> None:
    """They take longer to import than a text takes to assess."""
    code = "import sys; from classifier import load_assessor; load_assessor().assess('A client called about a bill and I explained each line of it to him.')"
    code += "; assert not {'sklearn', 'pandas', 'scipy', 'joblib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_model_loads_where_scikit_learn_is_not_installed(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("classifier.assessor.version", absent)
    assert Assessor.load(saved).heads


def test_another_minor_of_scikit_learn_is_refused(saved: Path) -> None:
    manifest = json.loads((saved / "model.json").read_text("utf-8"))
    manifest["versions"]["scikit-learn"] = "1.2.3"
    (saved / "model.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match=r"trained with scikit-learn 1\.2\.3.*install scikit-learn 1\.2 or train"):
        Assessor.load(saved)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": {}}', '{"files": [], "versions": {"scikit-learn": "1.9"}}'])
def test_a_broken_description_is_refused(saved: Path, content: str) -> None:
    (saved / "model.json").write_text(content, "utf-8")
    with pytest.raises(InputError, match="not a model's description"):
        Assessor.load(saved)


@pytest.mark.parametrize("name", PARTS)
def test_a_file_that_is_read_must_be_named(copied: Path, name: str) -> None:
    manifest = json.loads((copied / "model.json").read_text("utf-8"))
    assert Assessor.load(copied)
    del manifest["files"][name]
    (copied / "model.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match=rf"{re.escape(name)}: model\.json does not name this file"):
        Assessor.load(copied)
