"""The peers of scripts/compare_peers.py. Each has the same four verbs: fit, probabilities, save, load.

`python scripts/peers.py NAME FOLDER TEXTS STARTED` loads a saved peer in this fresh process, answers the texts of the
JSON list TEXTS and prints what that cost. So that a peer pays for its own imports only, nothing heavy is imported above.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from classifier.corpus import Example

Floats = NDArray[np.float64]

SIZE = 5  # levels 0 to 4
EPOCHS = 6  # of spaCy's textcat
SHOTS, STEPS = 32, 40  # SetFit: texts a level, and steps of 16 pairs
WINDOW = 256  # word pieces that all-MiniLM-L6-v2 was made for
NAMES = ("majority", "length", "tfidf", "spacy", "minilm", "setfit", "ours")
TITLES = {
    "majority": "always the most common level",
    "length": "length only",
    "tfidf": "TF-IDF + logistic regression",
    "spacy": "spaCy textcat",
    "minilm": "frozen all-MiniLM-L6-v2 + logistic regression",
    "setfit": "SetFit on all-MiniLM-L6-v2",
    "ours": "this project",
}


class Peer(Protocol):
    """What every peer can do. `probabilities` has the shape (n_texts, 5); `fit` may be called again on other examples."""

    def fit(self, examples: Sequence[Example]) -> None: ...
    def probabilities(self, texts: Sequence[str]) -> Floats: ...
    def save(self, folder: Path) -> None: ...
    def load(self, folder: Path) -> None: ...


def make(name: str, minilm: Path | None = None, model: Path | None = None) -> Peer:
    """The peer of that name; `minilm` and `model` are the folders of all-MiniLM-L6-v2 and of our model, to learn from."""
    if name == "majority":
        return Majority()
    if name in {"length", "tfidf"}:
        return Counted(name)
    if name == "spacy":
        return SpacyTextcat()
    if name == "ours":
        return Ours(model)
    return Frozen(minilm) if name == "minilm" else FewShot(minilm)


class Majority:
    """Always the most common level of the training examples."""

    def fit(self, examples: Sequence[Example]) -> None:
        self.level = int(np.bincount(levels_of(examples)).argmax())

    def probabilities(self, texts: Sequence[str]) -> Floats:
        return np.tile(np.eye(SIZE)[self.level], (len(texts), 1))

    def save(self, folder: Path) -> None:
        (folder / "level.json").write_text(json.dumps(self.level), "utf-8")

    def load(self, folder: Path) -> None:
        self.level = json.loads((folder / "level.json").read_text("utf-8"))


class Counted:
    """Logistic regression on the logarithm of the number of words ("length"), or on TF-IDF of one and two words ("tfidf")."""

    def __init__(self, name: str) -> None:
        self.name = name

    def fit(self, examples: Sequence[Example]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer, StandardScaler

        counted = FunctionTransformer(log_words), StandardScaler(), LogisticRegression()
        weighed = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True), LogisticRegression(C=10.0, max_iter=300)
        self.pipeline = make_pipeline(*(counted if self.name == "length" else weighed))
        self.pipeline.fit([e.text for e in examples], levels_of(examples))

    def probabilities(self, texts: Sequence[str]) -> Floats:
        return by_level(self.pipeline.predict_proba(list(texts)), self.pipeline.classes_)

    def save(self, folder: Path) -> None:
        import joblib

        joblib.dump(self.pipeline, folder / "pipeline.joblib")

    def load(self, folder: Path) -> None:
        import joblib

        self.pipeline = joblib.load(folder / "pipeline.joblib")


class SpacyTextcat:
    """spaCy's textcat with its own default architecture, on a blank English pipeline."""

    def fit(self, examples: Sequence[Example]) -> None:
        import spacy
        from spacy.training import Example as Training

        spacy.util.fix_random_seed(0)
        self.nlp = spacy.blank("en")
        textcat = self.nlp.add_pipe("textcat")
        for level in range(SIZE):
            textcat.add_label(str(level))
        labelled = [
            Training.from_dict(self.nlp.make_doc(e.text), {"cats": {str(k): float(k == level) for k in range(SIZE)}})
            for e, level in zip(examples, levels_of(examples), strict=True)
        ]
        optimizer = self.nlp.initialize(lambda: labelled)
        chance = np.random.default_rng(0)
        for _ in range(EPOCHS):
            order = chance.permutation(len(labelled))
            for batch in np.array_split(order, max(1, len(order) // 32)):
                self.nlp.update([labelled[i] for i in batch], sgd=optimizer, drop=0.2)

    def probabilities(self, texts: Sequence[str]) -> Floats:
        rows = np.array([[doc.cats[str(k)] for k in range(SIZE)] for doc in self.nlp.pipe(texts, batch_size=64)])
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))

    def save(self, folder: Path) -> None:
        self.nlp.to_disk(folder)

    def load(self, folder: Path) -> None:
        import spacy

        self.nlp = spacy.load(folder)


class Frozen:
    """all-MiniLM-L6-v2 as published (mean of the token vectors), and logistic regression on its 384 numbers."""

    def __init__(self, minilm: Path | None) -> None:
        self.minilm = minilm
        self.known: dict[str, Floats] = {}

    def fit(self, examples: Sequence[Example]) -> None:
        from sklearn.linear_model import LogisticRegression

        self.head = LogisticRegression(C=10.0, max_iter=1000).fit(self.vectors([e.text for e in examples]), levels_of(examples))

    def probabilities(self, texts: Sequence[str]) -> Floats:
        return by_level(self.head.predict_proba(self.vectors(texts)), self.head.classes_)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Vectors of the texts; each text is encoded once, since no label changes them."""
        import torch

        if not hasattr(self, "encoder"):
            from transformers import AutoModel, AutoTokenizer

            self.tokenizer, self.encoder = AutoTokenizer.from_pretrained(self.minilm), AutoModel.from_pretrained(self.minilm).eval()
        new = sorted({text for text in texts if text not in self.known}, key=len)
        for start in range(0, len(new), 32):
            batch = new[start : start + 32]
            tokens = self.tokenizer(batch, padding=True, truncation=True, max_length=WINDOW, return_tensors="pt")
            with torch.no_grad():
                hidden = self.encoder(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None]
            mean = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))
            self.known.update(zip(batch, mean.double().numpy(), strict=True))
        return np.array([self.known[text] for text in texts])

    def save(self, folder: Path) -> None:
        import joblib

        self.encoder.save_pretrained(folder / "encoder")
        self.tokenizer.save_pretrained(folder / "encoder")
        joblib.dump(self.head, folder / "head.joblib")

    def load(self, folder: Path) -> None:
        import joblib

        self.minilm, self.head = folder / "encoder", joblib.load(folder / "head.joblib")


class FewShot:
    """SetFit: all-MiniLM-L6-v2 tuned on pairs of a few texts a level, then its own logistic regression on these texts."""

    def __init__(self, minilm: Path | None) -> None:
        self.minilm = minilm

    def fit(self, examples: Sequence[Example]) -> None:
        import tempfile

        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        levels = levels_of(examples)
        chance = np.random.default_rng(0)
        few = [int(i) for k in range(SIZE) for i in chance.permutation(np.flatnonzero(levels == k))[:SHOTS]]
        shown = Dataset.from_dict({"text": [examples[i].text for i in few], "label": [int(levels[i]) for i in few]})
        self.model = SetFitModel.from_pretrained(str(self.minilm), local_files_only=True)
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder, batch_size=16, num_epochs=1, max_steps=STEPS, save_strategy="no", report_to="none", show_progress_bar=False
            )
            Trainer(model=self.model, args=arguments, train_dataset=shown).train()

    def probabilities(self, texts: Sequence[str]) -> Floats:
        return by_level(np.asarray(self.model.predict_proba(list(texts), as_numpy=True)), np.asarray(self.model.model_head.classes_))

    def save(self, folder: Path) -> None:
        self.model.save_pretrained(str(folder))

    def load(self, folder: Path) -> None:
        from setfit import SetFitModel

        self.model = SetFitModel.from_pretrained(str(folder), local_files_only=True)


class Ours:
    """The project's heads on its encoder. Texts of the corpus get the scores of encoders that had not seen their writer."""

    def __init__(self, model: Path | None) -> None:
        self.model = model

    def fit(self, examples: Sequence[Example]) -> None:
        from classifier.assessor import Assessor, load_assessor

        shipped = load_assessor(self.model)
        self.assessor = Assessor(shipped.encoder, shipped.seed)
        self.assessor.fit(examples, self.assessor.read_unseen(e.text for e in examples))

    def probabilities(self, texts: Sequence[str]) -> Floats:
        answers = self.assessor.assess_readings(self.assessor.read_unseen(texts))
        return np.array([answer.ratings["level"].probabilities for answer in answers])

    def save(self, folder: Path) -> None:
        """Copy what the loaded model consists of, and nothing that only training needs."""
        from classifier.assessor import read_manifest

        source = self.assessor.encoder.folder.parent
        for name in ("model.json", *read_manifest(source)["files"]):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, folder / name)

    def load(self, folder: Path) -> None:
        from classifier.assessor import load_assessor

        self.assessor = load_assessor(folder)


def levels_of(examples: Sequence[Example]) -> NDArray[np.int64]:
    return np.array([e.ratings["level"] for e in examples])


def log_words(texts: Sequence[str]) -> Floats:
    return np.log([[max(len(text.split()), 1)] for text in texts])


def by_level(rows: Floats, classes: NDArray[np.int64]) -> Floats:
    """Columns for all levels, also for one that training did not hold."""
    full = np.zeros((len(rows), SIZE))
    full[:, classes] = rows
    return full


def peak_memory() -> float:
    """Most memory that this process held, in MB. Not ru_maxrss, which on Linux may be that of the process that started it.

    Not that of classifier.provenance either: importing the package takes 85 MB, which most peers do without.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text("utf-8").split("VmHWM:")[1].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # bytes on macOS


def serve(name: str, folder: Path, texts: list[str], started: float) -> dict[str, Any]:
    """Seconds from `started` to the first answer, texts a second after it, and peak memory of this process."""
    peer = make(name)
    peer.load(folder)
    # Ours answers with the whole assessment, evidence and flags included, as its users get it.
    answer = (lambda batch: list(peer.assessor.assess_many(batch))) if isinstance(peer, Ours) else peer.probabilities
    answer(texts[:1])
    cold, begun = time.time() - started, time.perf_counter()
    if texts[1:]:
        answer(texts[1:])
    return {"cold": cold, "rate": len(texts[1:]) / (time.perf_counter() - begun), "memory": peak_memory()}


if __name__ == "__main__":
    chosen, saved, asked, begin = sys.argv[1:]
    print(json.dumps(serve(chosen, Path(saved), json.loads(Path(asked).read_text("utf-8")), float(begin))))
