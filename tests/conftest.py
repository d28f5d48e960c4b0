"""Fixtures shared by the tests: the repository, its corpus and the shipped assessor, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.assessor import Assessor, load_assessor, shipped_model
from classifier.corpus import Example, read_corpus
from classifier.encoder import Encoder
from classifier.features import Reading

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def assessor() -> Assessor:
    return load_assessor(shipped_model())


@pytest.fixture(scope="session")
def corpus() -> list[Example]:
    return read_corpus(ROOT / "corpus" / "en")


@pytest.fixture(scope="session")
def readings(assessor: Assessor, corpus: list[Example]) -> list[Reading]:
    return assessor.read_unseen(e.text for e in corpus)


@pytest.fixture(scope="session")
def small(corpus: list[Example], readings: list[Reading]) -> tuple[list[Example], list[Reading]]:
    """Every fourth example: enough to train heads in a second."""
    return corpus[::4], readings[::4]


@pytest.fixture(scope="session")
def trained(small: tuple[list[Example], list[Reading]]) -> Assessor:
    return Assessor(Encoder(shipped_model() / "encoder")).fit(*small)
