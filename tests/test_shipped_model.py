"""The shipped model: whole, small, quiet, and what it makes of the worked examples that it never saw."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.assessor import Assessor, read_manifest, shipped_model
from classifier.corpus import Example, read_examples
from classifier.document import refusal


def test_the_manifest_names_every_file_and_the_corpus() -> None:
    manifest = read_manifest(shipped_model())
    assert manifest["name"] == shipped_model().name
    assert set(manifest["files"]) == {"heads.json", "encoder/encoder.onnx", "encoder/encoder.json", "encoder/tokenizer.json"}
    assert manifest["corpus"]["examples"] >= 1800
    assert len(manifest["corpus"]["sha256"]) == 64
    assert manifest["versions"]["scikit-learn"]


def test_it_was_trained_on_the_corpus_that_is_here(root: Path) -> None:
    from classifier.cli import corpus_hash

    assert read_manifest(shipped_model())["corpus"]["sha256"] == corpus_hash(root / "corpus" / "en")


def test_the_model_and_every_file_beside_it_are_under_95_megabytes() -> None:
    """What is read to assess; unseen.npz beside it is for training and evaluation."""
    folder = shipped_model()
    assert sum((folder / name).stat().st_size for name in read_manifest(folder)["files"]) < 95e6
    assert max(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 95e6


# Of the third, level 3 is the likeliest, but the median is 2 (models/en/README.md, "Known weaknesses").
@pytest.mark.parametrize("level", [1, 2, pytest.param(3, marks=pytest.mark.xfail(strict=True)), 4])
def test_worked_examples(assessor: Assessor, root: Path, level: int) -> None:
    (example,) = [e for e in read_examples(root / "corpus" / "en" / "worked_examples.jsonl") if e.ratings["level"] == level]
    assert assessor.assess(example.text).ratings["level"].level == level


def test_hardly_any_example_of_the_corpus_is_refused(corpus: list[Example]) -> None:
    refused = [e.id for e in corpus if refusal(e.text)]
    assert len(refused) <= 0.005 * len(corpus), refused


def test_assessing_opens_no_socket(assessor: Assessor, monkeypatch: pytest.MonkeyPatch) -> None:
    def blocked(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    assert assessor.assess("A client asked for her balance and I told her what it was.").ok


def test_assessing_needs_no_pytorch_and_writes_nothing(tmp_path: Path) -> None:
    program = (
        "import sys, json\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torch': raise ImportError('no PyTorch here')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "from classifier import load_assessor\n"
        "print(json.dumps(load_assessor().assess('A canary client asked for her balance and I told her what it was.').to_dict()))"
    )
    environment = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []
