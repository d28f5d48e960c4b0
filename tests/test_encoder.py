"""The encoder: offsets into the text, long texts in windows, stored scores for the corpus only."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from classifier.ahead import in_order
from classifier.assessor import Assessor
from classifier.corpus import Example
from classifier.encoder import TOKEN_CEILING, TOKEN_FLOOR, Encoder
from classifier.errors import InputError

TEXT = "A client – Ms. O’Neil – asked for her balance. I told her: $30."


def test_offsets_point_into_the_text(assessor: Assessor) -> None:
    found = assessor.encoder.encode_one(TEXT)
    assert found.document.shape == (len(assessor.encoder.document_scores),)
    assert found.tokens.shape == (len(found.offsets), len(assessor.encoder.keys))
    assert (found.offsets[:, 0] < found.offsets[:, 1]).all()
    assert found.offsets.max() <= len(TEXT)
    assert "".join(TEXT[a:b] for a, b in found.offsets) == TEXT.replace(" ", "")
    assert found.tokens.min() >= TOKEN_FLOOR
    assert found.tokens.max() <= TOKEN_CEILING


def test_a_long_text_is_read_to_its_end(assessor: Assessor) -> None:
    filler = "It was a normal day at the office and we had coffee. " * 120
    act = "A client asked for help with her form, so I called her, found the error, fixed it and followed up a week later."
    found = assessor.encoder.encode_one(filler + act)
    assert len(found.tokens) > 1000
    inside = found.offsets[:, 0] >= len(filler)
    evidence = [i for i, key in enumerate(assessor.encoder.keys) if key.startswith("2.")]
    assert found.tokens[inside][:, evidence].max() > found.tokens[~inside][:, evidence].max()


def test_unseen_scores_are_stored_for_the_corpus_and_computed_for_the_rest(assessor: Assessor, corpus: list[Example]) -> None:
    example = corpus[0]
    (stored,) = assessor.encoder.unseen([example.text])
    computed = assessor.encoder.encode_one(example.text)
    assert (stored.offsets == computed.offsets).all()
    assert not np.allclose(stored.document, computed.document, atol=0.05)
    (new,) = assessor.encoder.unseen([TEXT])
    assert np.array_equal(new.document, assessor.encoder.encode_one(TEXT).document)


def test_only_the_writers_kept_from_the_encoder_are_not_stored(assessor: Assessor, corpus: list[Example]) -> None:
    """So that `evaluate` can measure the shipped encoder on writers that are new to it (corpus/README.md)."""
    kept = "t51 t60 t61 t62 t63 t101 t109 t118 t123 t138 t139 t145 t155 t158 t162 t171 t175 t182 t195 t203 t211"
    new = set(kept.split())
    assert {e.source for e in corpus if not assessor.encoder.trained_on(e.text)} == new
    assert all(assessor.encoder.trained_on(e.text) == (e.source not in new) for e in corpus)


def test_a_pickled_encoder_holds_no_session(assessor: Assessor) -> None:
    assessor.encoder.encode_one(TEXT)
    assert len(pickle.dumps(assessor.encoder)) < 10_000


def test_a_folder_without_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no encoder in this folder"):
        Encoder(tmp_path)


def test_texts_encoded_at_once_get_the_numbers_that_they_get_alone(assessor: Assessor) -> None:
    texts = [TEXT, TEXT * 3, "She thanked me for it and went home at once.", TEXT * 2]
    assessor.encoder.warm_up()
    for text, found in zip(texts, in_order(assessor.encoder.encode_one, texts, 2), strict=True):
        alone = assessor.encoder.encode_one(text)
        assert np.array_equal(found.document, alone.document) and np.array_equal(found.tokens, alone.tokens)


def test_a_text_gets_the_same_numbers_in_every_run_and_with_any_number_of_threads(assessor: Assessor) -> None:
    """On a processor with AMX, ONNX Runtime gave heads of 8-bit weights other numbers in each run (scripts/quantized.py)."""
    text, found = TEXT * 8, []
    for threads in (1, 2, 2, 2):
        encoder = Encoder(assessor.encoder.folder)
        encoder.threads = threads
        found.append(encoder.encode_one(text))
    assert all(np.array_equal(other.document, found[0].document) and np.array_equal(other.tokens, found[0].tokens) for other in found)
