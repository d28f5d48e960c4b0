"""Text to contextual vectors and task scores, by the project's own ONNX encoder. The only module that knows of it.

The encoder folder holds ``encoder.onnx`` (quantized), ``tokenizer.json`` and ``encoder.json`` (names and order of the
outputs). Each text goes through by itself: with dynamic quantization the padding of a batch would change the numbers, and
the same text must give the same answer alone and in a batch. Of a batch several go through at once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

# Before the import: ONNX Runtime's wheels report usage to their maker and keep a device id in ~/.cache (seen with 1.31.1).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from classifier.errors import InputError

Floats = NDArray[np.float32]

# Token scores are kept between these bounds, stored in steps of 1/4 as one byte.
TOKEN_FLOOR, TOKEN_CEILING, TOKEN_STEPS = -6.0, 6.0, 4


def expit(logits: NDArray[Any] | float) -> NDArray[np.float64]:
    """The probabilities of logits, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(logits, np.float64))))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis, without overflow; the same shape."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def text_hash(text: str) -> str:
    """Name of a text in ``unseen.npz``."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


@dataclass(frozen=True)
class Encoding:
    """What the encoder says of one text.

    document : (n_document_scores,) logits, in the order of `Encoder.document_scores`
    tokens : (n_tokens, n_keys) logits, in the order of `Encoder.keys`
    offsets : (n_tokens, 2) character offsets of the tokens in the text
    """

    document: Floats
    tokens: Floats
    offsets: NDArray[np.int32]


class Encoder:
    """The shipped encoder, loaded lazily so that a pickled assessor stays small."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            described = json.loads((folder / "encoder.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: there is no encoder in this folder ({error}).") from error
        self.document_scores: tuple[str, ...] = tuple(described["document_scores"])
        self.keys: tuple[str, ...] = tuple(described["keys"])
        self.window: int = described["window"]
        # Texts that are encoded at once, and threads of one run of the network (0 means one a core); the numbers do not depend on them.
        # Several processes on one machine set both to 1 before the first text.
        self.at_once, self.threads = os.cpu_count() or 1, 0

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in {"_session", "_tokenizer", "_stored"}}

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = self.threads
        # Waiting threads sleep: while they spin, two texts at once on two cores are slower than one after the other.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(str(self.folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"])

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    # What a model folder must hold of the encoder; the scores for unseen writers are for training only.
    files = ("encoder.onnx", "tokenizer.json", "encoder.json")

    def unseen(self, texts: Iterable[str]) -> Iterator[Encoding]:
        """Encodings by encoders that had not seen the text.

        For the corpus that the encoder was trained on these are stored (``unseen.npz``: for each text the scores of an
        encoder trained without its writer, by scripts/train_encoder.py). Any other text is unseen anyway, and encoded.
        """
        stored = self._stored
        for text in texts:
            row = stored.get(text_hash(text))
            yield self.encode_one(text) if row is None else self._unpack(text, row)

    @property
    def unseen_file(self) -> Path:
        return self.folder / "unseen.npz"

    def trained_on(self, text: str) -> bool:
        """Whether the text is one of those that the encoder was trained on, as far as ``unseen.npz`` tells."""
        return text_hash(text) in self._stored

    @cached_property
    def _stored(self) -> dict[str, tuple[Floats, NDArray[np.int8]]]:
        if not self.unseen_file.is_file():
            return {}
        with np.load(self.unseen_file, allow_pickle=False) as arrays:
            starts = np.concatenate([[0], np.cumsum(arrays["lengths"])])
            tokens, documents = arrays["tokens"], arrays["documents"].astype(np.float32)
            return {str(key): (documents[i], tokens[starts[i] : starts[i + 1]]) for i, key in enumerate(arrays["keys"])}

    def _unpack(self, text: str, row: tuple[Floats, NDArray[np.int8]]) -> Encoding:
        offsets = np.array(self._tokenizer.encode(text).offsets[1:-1], dtype=np.int32).reshape(-1, 2)
        document, packed = row
        tokens = np.full((len(offsets), len(self.keys)), TOKEN_FLOOR, np.float32)
        tokens[: len(packed)] = packed[: len(offsets)].astype(np.float32) / TOKEN_STEPS
        return Encoding(document, tokens, offsets)

    def warm_up(self) -> None:
        """Load the network and the tokenizer, which several threads at once must find loaded."""
        _ = self._session, self._tokenizer

    def encode_one(self, text: str) -> Encoding:
        """Encode one text. One longer than the window is read in overlapping windows."""
        tokenized = self._tokenizer.encode(text)
        begin, *inner, end = tokenized.ids
        offsets = np.array(tokenized.offsets[1:-1], dtype=np.int32).reshape(-1, 2)
        room = self.window - 2
        starts = range(0, max(1, len(inner) - room // 4), room - room // 4)
        scores, counts = np.zeros((len(inner), len(self.keys)), np.float32), np.zeros((len(inner), 1), np.float32)
        documents = []
        for start in starts:
            ids = [begin, *inner[start : start + room], end]
            document, tokens = self._session.run(None, {"input_ids": np.array([ids], dtype=np.int64)})
            scores[start : start + room] += tokens[0, 1:-1]
            counts[start : start + room] += 1
            documents.append(document[0])
        # LABELLING.md, section 2: keep the highest level that the described actions support.
        highest = max(documents, key=lambda scored: float(scored[: self._level_scores].sum()))
        return Encoding(highest, np.clip(scores / np.maximum(counts, 1), TOKEN_FLOOR, TOKEN_CEILING), offsets)

    @cached_property
    def _level_scores(self) -> int:
        return sum(name.startswith("level>=") for name in self.document_scores)
