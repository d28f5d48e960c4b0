"""The Assessor: learns from labelled examples, assesses texts, and is saved as a checked model folder."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from classifier.assessment import Assessment, Client, Rating
from classifier.conformal import conformal_mass, level_set
from classifier.corpus import CLIENTS, Example, scale_sizes, writer_groups
from classifier.document import refusal
from classifier.encoder import Encoder, Encoding
from classifier.errors import InputError
from classifier.features import feature_names, features
from classifier.framework import framework_names, load_framework
from classifier.notes import client_words, shared, story, values
from classifier.ordinal import OrdinalRegression
from classifier.spans import SpanTagger

Floats = NDArray[np.float64]

COVERAGE = 0.9
_HEADS = "heads.joblib"


class Assessor:
    """Reads a written behavioural example and answers with an `Assessment`.

    Examples
    --------
    >>> from classifier import load_assessor
    >>> assessor = load_assessor()                                     # doctest: +SKIP
    >>> assessor.assess("A client asked …").ratings["level"].level     # doctest: +SKIP
    2
    """

    def __init__(self, encoder: Encoder, seed: int = 0, C: float = 0.01) -> None:
        self.encoder = encoder
        self.seed = seed
        self.C = C
        self.version = "untrained"

    # Learning ---------------------------------------------------------------------------------------------------

    def fit(self, examples: Sequence[Example], encodings: Sequence[Encoding], weights: Mapping[str, float] | None = None) -> Assessor:
        """Learn from labelled examples and their encodings.

        Parameters
        ----------
        examples, encodings : of the same length. The encodings should come from encoders that had not seen the
            example's writer (`Encoder.unseen`), so that the strength of evidence is as it will be on new texts.
        weights : weight of an example by its source; 1 where absent.
        """
        texts = [e.text for e in examples]
        behaviours = [b.key for name in framework_names() for b in load_framework(name).behaviours if b.key in self.encoder.keys]
        anti_patterns = [a.key for name in framework_names() for a in load_framework(name).anti_patterns if a.key in self.encoder.keys]
        self.evidence_tagger = SpanTagger(behaviours, [self.encoder.keys.index(k) for k in behaviours], min_precision=0.5)
        self.flag_tagger = SpanTagger(anti_patterns, [self.encoder.keys.index(k) for k in anti_patterns], min_precision=0.8)
        self.evidence_tagger.fit(texts, encodings, [e.evidence for e in examples])
        self.flag_tagger.fit(texts, encodings, [e.flags for e in examples])
        opposites = [key for key in anti_patterns if f"means:{key}" in self.encoder.keys]
        read = [i for i, e in enumerate(examples) if e.means is not None]
        self.means_tagger = SpanTagger(opposites, [self.encoder.keys.index(f"means:{k}") for k in opposites], min_precision=0.6)
        self.means_tagger.fit([texts[i] for i in read], [encodings[i] for i in read], [examples[i].means or () for i in read])
        X = self._features(texts, encodings)
        weight = np.array([(weights or {}).get(e.source, 1.0) for e in examples])
        self.scales: dict[str, Pipeline] = {}
        for scale, size in scale_sizes().items():
            rated = np.array([scale in e.ratings for e in examples])
            if rated.any():
                y = np.array([e.ratings[scale] for e in examples if scale in e.ratings])
                self.scales[scale] = _fit(OrdinalRegression(self.C, levels=tuple(range(size))), X[rated], y, weight[rated])
        known = np.array([e.client is not None for e in examples])
        served = np.array([CLIENTS.index(e.client) for e in examples if e.client is not None])
        self.client_model = _fit(LogisticRegression(C=self.C, max_iter=1000, random_state=self.seed), X[known], served, weight[known])
        self.mass = dict.fromkeys(self.scales, 0.9)
        return self

    def calibrate(self, examples: Sequence[Example], encodings: Sequence[Encoding], folds: int = 10) -> Assessor:
        """Set the mass of the level sets from predictions for writers left out of the fit."""
        unseen = self.cross_predict(examples, encodings, folds)
        for scale in self.scales:
            rated = [i for i, e in enumerate(examples) if scale in e.ratings]
            levels = np.array([examples[i].ratings[scale] for i in rated])
            self.mass[scale] = conformal_mass(unseen[scale][rated], levels, COVERAGE)
        return self

    def cross_predict(self, examples: Sequence[Example], encodings: Sequence[Encoding], folds: int | None = None) -> dict[str, Floats]:
        """Probabilities by heads that had not seen the writer: {scale: (n, n_levels)}, and "client".

        folds : number of groups of writers; None leaves out one writer (with the writers tied to it) at a time.
        """
        groups = writer_groups(examples)
        names = sorted(set(groups.values()))
        order = {name: i if folds is None else i % folds for i, name in enumerate(np.random.default_rng(self.seed).permutation(names))}
        fold = np.array([order[groups[e.source]] for e in examples])
        found = {scale: np.zeros((len(examples), size)) for scale, size in scale_sizes().items()} | {"client": np.zeros((len(examples), len(CLIENTS)))}
        for left_out in np.unique(fold):
            train, test = np.flatnonzero(fold != left_out).tolist(), np.flatnonzero(fold == left_out).tolist()
            if not train:
                raise InputError("The corpus has one writer only; leaving writers out needs at least two.")
            heads = Assessor(self.encoder, self.seed, self.C).fit([examples[i] for i in train], [encodings[i] for i in train])
            for name, rows in heads.probabilities([examples[i].text for i in test], [encodings[i] for i in test]).items():
                found[name][test] = rows
        return found

    # Assessing --------------------------------------------------------------------------------------------------

    def assess(self, text: str) -> Assessment:
        """Assess one text. Any string gets an assessment; one that cannot be assessed says why in its status."""
        return next(self.assess_many([text]))

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        """Assess texts one after another, in order; the memory does not grow with their number."""
        for text in texts:
            reason = refusal(text)
            if reason is not None:
                yield Assessment(status=f"refused: {reason}", model=self.version)
                continue
            yield from self._assess([text], list(self.encoder.encode([text])))

    def assess_encoded(self, texts: Sequence[str], encodings: Sequence[Encoding]) -> list[Assessment]:
        """Assess texts whose encodings are at hand (evaluation on encodings by encoders that had not seen them)."""
        return list(self._assess(texts, encodings))

    def _assess(self, texts: Sequence[str], encodings: Sequence[Encoding]) -> Iterator[Assessment]:
        probabilities = self.probabilities(texts, encodings)
        for i, (text, encoding) in enumerate(zip(texts, encodings, strict=True)):
            ratings = {}
            for scale in self.scales:
                row = probabilities[scale][i]
                chosen = int(np.argmax(np.cumsum(row) >= 0.5 - 1e-12))
                plausible = level_set(row, self.mass[scale])
                low, high = min(plausible[0], chosen), max(plausible[-1], chosen)
                ratings[scale] = Rating(chosen, tuple(float(p) for p in row), tuple(range(low, high + 1)))
            shares = {name: float(p) for name, p in zip(CLIENTS, probabilities["client"][i], strict=True)}
            yield Assessment(
                status="ok",
                model=self.version,
                ratings=ratings,
                client=Client(max(shares, key=lambda name: shares[name]), shares),
                evidence=self.evidence_tagger.tag(text, encoding),
                flags=self.flag_tagger.tag(text, encoding),
                means=self.means_tagger.tag(text, encoding),
                client_words=client_words(text),
                story=story(text),
                values=values(text),
                shared=shared(text),
            )

    def _features(self, texts: Sequence[str], encodings: Sequence[Encoding]) -> Floats:
        return features(texts, encodings, (self.evidence_tagger, self.flag_tagger))

    def probabilities(self, texts: Sequence[str], encodings: Sequence[Encoding]) -> dict[str, Floats]:
        """Probabilities of every scale, {scale: (n, n_levels)}, and of the client, after the guide's rules."""
        X = self._features(texts, encodings)
        client = np.zeros((len(X), len(CLIENTS)))
        client[:, self.client_model[-1].classes_] = self.client_model.predict_proba(X)
        found = {scale: model.predict_proba(X) for scale, model in self.scales.items()}
        return apply_guide(found, client) | {"client": client}

    # Saving -----------------------------------------------------------------------------------------------------

    def save(self, folder: Path, described: Mapping[str, Any]) -> None:
        """Write the model folder: the heads, the encoder, and model.json with versions, seed and every file's hash."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / "encoder"
        if target.resolve() != self.encoder.folder.resolve():
            target.mkdir(exist_ok=True)
            for name in self.encoder.files:
                shutil.copyfile(self.encoder.folder / name, target / name)
        state = {k: getattr(self, k) for k in ("evidence_tagger", "flag_tagger", "means_tagger", "scales", "client_model", "mass", "seed", "C")}
        joblib.dump(state, folder / _HEADS)
        names = [_HEADS, *(f"encoder/{name}" for name in self.encoder.files)]
        manifest = {
            **described,
            "seed": self.seed,
            "versions": {"classifier": version("service-excellence-classifier"), "scikit-learn": sklearn.__version__, "python": platform.python_version()},
            "features": feature_names(self.encoder, (self.evidence_tagger, self.flag_tagger)),
            "level_set_mass": self.mass,
            "level_set_coverage": COVERAGE,
            "files": {name: _sha256(folder / name) for name in names},
        }
        (folder / "model.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Assessor:
        """Load a model folder. Hashes and versions are checked before anything in it is unpickled.

        Raises
        ------
        InputError
            When a part is missing or altered, or the model was trained with another minor version of scikit-learn.
        """
        manifest = read_manifest(folder)
        heads_hash = manifest["files"].get(_HEADS)
        for name, expected in manifest["files"].items():
            path = folder / name
            if not path.is_file():
                raise InputError(f"{path}: this part of the model is missing; install the package again or train the model anew.")
            if _sha256(path) != expected:
                raise InputError(
                    f"{path}: this file is not the one that model.json names (its hash differs); install the package again or train the model anew."
                )
        trained, here = manifest["versions"]["scikit-learn"], sklearn.__version__
        if trained.split(".")[:2] != here.split(".")[:2]:
            wanted = ".".join(trained.split(".")[:2])
            raise InputError(f"{folder}: trained with scikit-learn {trained}, and this is {here}; install scikit-learn {wanted} or train the model anew.")
        if heads_hash is None:
            raise InputError(f"{folder / _HEADS}: this part of the model is missing; install the package again or train the model anew.")
        assessor = cls(Encoder(folder / "encoder"))
        vars(assessor).update(joblib.load(folder / _HEADS))
        assessor.version = f"{manifest.get('name', folder.name)}-{heads_hash[:12]}"
        return assessor


def apply_guide(probabilities: Mapping[str, Floats], client: Floats) -> dict[str, Floats]:
    """The guide's hard rules, after the models.

    LABELLING.md, sections 1 to 3: where nobody is served, or the one served is no client, the level and both degrees are
    0. So the probability of a level of 1 or more cannot exceed the probability that a client is served.
    """
    served = client[:, CLIENTS.index("external")] + client[:, CLIENTS.index("internal")]
    ruled = dict(probabilities)
    for scale in ("level", "involvement", "commitment"):
        if scale in ruled:
            rows = ruled[scale].copy()
            above = 1 - rows[:, 0]
            factor = np.minimum(1.0, served / np.maximum(above, 1e-12))
            rows[:, 1:] *= factor[:, None]
            rows[:, 0] = 1 - rows[:, 1:].sum(axis=1)
            ruled[scale] = rows
    return ruled


def read_manifest(folder: Path) -> dict[str, Any]:
    """model.json of a model folder, as written by `Assessor.save`."""
    try:
        manifest = json.loads((folder / "model.json").read_text("utf-8"))
        if not isinstance(manifest["files"], dict) or not isinstance(manifest["versions"]["scikit-learn"], str):
            raise TypeError("files or versions are missing")
    except OSError as error:
        raise InputError(f"{folder}: there is no model here (model.json: {error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / 'model.json'}: not a model's description ({error}).") from error
    return dict(manifest)


def shipped_model() -> Path:
    """Folder of the shipped model: inside the installed package, or in the repository of an editable install."""
    package = Path(__file__).parent
    inside, repository = package / "models" / "en", package.parent / "models" / "en"
    return inside if inside.is_dir() else repository


def load_assessor(folder: str | Path | None = None) -> Assessor:
    """The shipped assessor, or the one in a model folder."""
    return Assessor.load(Path(folder) if folder is not None else shipped_model())


def _fit(model: Any, X: Floats, y: NDArray[np.int64], weight: Floats) -> Pipeline:
    scaler = StandardScaler().fit(X)
    return make_pipeline(scaler, model.fit(scaler.transform(X), y, sample_weight=weight))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
