"""The Assessor: learns from labelled examples, assesses texts, and is saved as a checked model folder."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.ahead import in_order
from classifier.assessment import Assessment, Client, Rating
from classifier.conformal import conformal_mass, level_set
from classifier.corpus import CLIENTS, Example, register_of, scale_sizes, writer_groups
from classifier.document import refusal
from classifier.encoder import Encoder, Encoding
from classifier.errors import InputError
from classifier.features import Reading, columns, read
from classifier.heads import Heads, median_level
from classifier.notes import client_words, shared, story, values

Floats = NDArray[np.float64]

# Of the level sets on made text by writers left out. Texts by strangers are harder: the sets cover fewer of them, so this aims high.
COVERAGE = 0.92
_HEADS = "heads.json"
# Every file that is read when a model is loaded or assesses.
_PARTS = (_HEADS, *(f"encoder/{name}" for name in Encoder.files))


class Assessor:
    """Reads a written behavioural example and answers with an `Assessment`.

    Examples
    --------
    >>> from classifier import load_assessor
    >>> assessor = load_assessor()                                     # doctest: +SKIP
    >>> assessor.assess("A client asked …").ratings["level"].level     # doctest: +SKIP
    2
    """

    def __init__(self, encoder: Encoder, seed: int = 0) -> None:
        self.encoder = encoder
        self.seed = seed
        self.version = "untrained"
        self.heads: Heads

    @property
    def scales(self) -> tuple[str, ...]:
        """The rating scales that it has learnt."""
        return tuple(self.heads.scales)

    # Learning ---------------------------------------------------------------------------------------------------

    def read_unseen(self, texts: Iterable[str]) -> list[Reading]:
        """Readings of texts by encoders that had not seen them (see `Encoder.unseen`), for training and evaluation."""
        texts = list(texts)
        return [read(text, encoding, self.encoder) for text, encoding in zip(texts, self.encoder.unseen(texts), strict=True)]

    def fit(self, examples: Sequence[Example], readings: Sequence[Reading]) -> Assessor:
        """Learn from labelled examples and their readings (`read_unseen`), of the same length."""
        # Here and not above: importing scikit-learn takes longer than assessing a text, which needs none of it.
        from classifier.learning import fit_heads

        keys = {kind: tuple(of_kind) for kind, of_kind in columns(self.encoder).items()}
        self.heads = fit_heads(examples, readings, keys, COVERAGE, of_the_level(self.encoder, examples))
        return self

    def calibrate(self, examples: Sequence[Example], answers: Sequence[Assessment]) -> Assessor:
        """Set the mass of the level sets so that they cover writers left out of the fit, whose answers `cross_assess` gives."""
        self.heads.mass |= _masses(examples, answers, of_the_level(self.encoder, examples))
        return self

    def cross_assess(self, examples: Sequence[Example], readings: Sequence[Reading], folds: int | None = None) -> list[Assessment]:
        """Assessments by heads that had not seen the writer, in the order of the examples; their level sets are calibrated on the other writers.

        folds : number of groups of writers; None leaves out one writer (with the writers tied to it) at a time.
        """
        groups = writer_groups(examples)
        names = np.random.default_rng(self.seed).permutation(sorted(set(groups.values()))).tolist()
        if len(names) < 2:
            raise InputError("The corpus has one writer only; leaving writers out needs at least two.")
        fold_of = {name: number % (folds or len(names)) for number, name in enumerate(names)}
        fold = np.array([fold_of[groups[e.source]] for e in examples])
        answers: dict[int, Assessment] = {}
        for left_out in np.unique(fold):
            train, test = np.flatnonzero(fold != left_out).tolist(), np.flatnonzero(fold == left_out).tolist()
            others = Assessor(self.encoder, self.seed).fit([examples[i] for i in train], [readings[i] for i in train])
            answers |= zip(test, others.assess_readings([readings[i] for i in test]), strict=True)
        learnt, found = of_the_level(self.encoder, examples), [answers[i] for i in range(len(examples))]
        for left_out in np.unique(fold):
            masses = _masses(examples, found, [i for i in learnt if fold[i] != left_out])
            for i in np.flatnonzero(fold == left_out).tolist():
                rated = {scale: _rating(np.array(r.probabilities), masses.get(scale, COVERAGE)) for scale, r in found[i].ratings.items()}
                answers[i] = replace(found[i], ratings=rated)
        return [answers[i] for i in range(len(examples))]

    # Assessing --------------------------------------------------------------------------------------------------

    def assess(self, text: str) -> Assessment:
        """Assess one text. Any string gets an assessment; one that cannot be assessed says why in its status."""
        return self._answer(self._look(text))

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        """Assess texts, in order; a few are looked at ahead, so the memory does not grow with their number."""
        self.encoder.warm_up()
        return map(self._answer, in_order(self._look, texts, self.encoder.at_once))

    def _look(self, text: str) -> tuple[str, Encoding | str]:
        """A text with what the encoder says of it, or with the reason why it cannot be assessed."""
        return text, refusal(text) or self.encoder.encode_one(text)

    def _answer(self, looked: tuple[str, Encoding | str]) -> Assessment:
        text, found = looked
        if isinstance(found, str):
            return Assessment(status=f"refused: {found}", model=self.version)
        return next(self.assess_readings([read(text, found, self.encoder)]))

    def assess_readings(self, readings: Sequence[Reading]) -> Iterator[Assessment]:
        """Assess texts that have been read already."""
        probabilities = self._probabilities(readings)
        for i, reading in enumerate(readings):
            shares = {name: float(p) for name, p in zip(CLIENTS, probabilities["client"][i], strict=True)}
            told = story(reading.text, reading.parts)
            yield Assessment(
                status="ok",
                model=self.version,
                ratings={scale: _rating(probabilities[scale][i], self.heads.mass[scale]) for scale in self.heads.scales},
                client=Client(max(shares, key=lambda name: shares[name]), shares),
                evidence=self.heads.taggers["evidence"].tag(reading.text, reading.evidence, reading.parts),
                flags=self.heads.taggers["flags"].tag(reading.text, reading.flags, reading.parts),
                means=self.heads.taggers["means"].tag(reading.text, reading.means, reading.parts),
                client_words=client_words(reading.text),
                story=told,
                values=values(reading.text, told),
                shared=shared(reading.text, reading.parts, told),
            )

    def _probabilities(self, readings: Sequence[Reading]) -> dict[str, Floats]:
        cuts = {scale: np.array([r.cuts[scale] for r in readings]) for scale in readings[0].cuts}
        acts = np.array([r.acts for r in readings])
        found = {scale: head.predict_proba(cuts, acts) for scale, head in self.heads.scales.items()}
        return found | {"client": apply_guide(np.array([r.client for r in readings]), found["level"])}

    # Saving -----------------------------------------------------------------------------------------------------

    def save(self, folder: Path, described: Mapping[str, Any]) -> None:
        """Write the model folder: the heads, the encoder, and model.json with versions, seed and every file's hash."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / "encoder"
        if target.resolve() != self.encoder.folder.resolve():
            target.mkdir(exist_ok=True)
            for name in self.encoder.files:
                shutil.copyfile(self.encoder.folder / name, target / name)
        (folder / _HEADS).write_text(json.dumps(self.heads.to_json()) + "\n", "utf-8")
        manifest = {
            **described,
            "seed": self.seed,
            "versions": {"classifier": version("service-excellence-classifier"), "scikit-learn": version("scikit-learn"), "python": platform.python_version()},
            "level_set_mass": self.heads.mass,
            "level_set_coverage": COVERAGE,
            "files": {name: file_hash(folder / name) for name in _PARTS},
        }
        (folder / "model.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Assessor:
        """Load a model folder. Hashes and versions are checked before anything in it is used; nothing in it can run code.

        Raises
        ------
        InputError
            When a part is missing or altered, or the model was trained with another minor version of scikit-learn.
        """
        manifest = read_manifest(folder)
        for name in _PARTS:
            if name not in manifest["files"]:
                raise InputError(f"{folder / name}: model.json does not name this file, so it cannot be checked; train the model anew.")
        for name, expected in manifest["files"].items():
            path = folder / name
            if not path.is_file():
                raise InputError(f"{path}: this part of the model is missing; install the package again or train the model anew.")
            if file_hash(path) != expected:
                raise InputError(
                    f"{path}: this file is not the one that model.json names (its hash differs); install the package again or train the model anew."
                )
        # The figures that are shipped with a model hold for the minor version that fitted and measured it.
        trained, here = manifest["versions"]["scikit-learn"], _installed("scikit-learn")
        if here is not None and trained.split(".")[:2] != here.split(".")[:2]:
            wanted = ".".join(trained.split(".")[:2])
            raise InputError(f"{folder}: trained with scikit-learn {trained}, and this is {here}; install scikit-learn {wanted} or train the model anew.")
        assessor = cls(Encoder(folder / "encoder"))
        try:
            assessor.heads = Heads.from_json(json.loads((folder / _HEADS).read_text("utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder / _HEADS}: not the heads of a model ({error}).") from error
        assessor.version = f"{manifest.get('name', folder.name)}-{manifest['files'][_HEADS][:12]}"
        return assessor


def _installed(package: str) -> str | None:
    """Version of a package; None where it is not installed, as scikit-learn is not where nobody trains."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def apply_guide(client: Floats, level: Floats) -> Floats:
    """The client's probabilities, (n, n_clients), made to agree with those of the level, (n, n_levels).

    LABELLING.md, section 1: where nobody is served, or the one served is no client, the level is 0. So the probability that a client is
    served cannot be below that of a level of 1 or more. The level leads, since it is the surer of the two; bounding it by the client
    lowered the agreement on texts by strangers.
    """
    served = [CLIENTS.index("external"), CLIENTS.index("internal")]
    now = client[:, served].sum(axis=1)
    wanted = np.maximum(now, 1 - level[:, 0])
    ruled = client * ((1 - wanted) / np.maximum(1 - now, 1e-12))[:, None]
    ruled[:, served] = client[:, served] * (wanted / np.maximum(now, 1e-12))[:, None]
    return np.asarray(ruled / ruled.sum(axis=1, keepdims=True))


def fold_read(encoder: Encoder, examples: Sequence[Example]) -> list[int]:
    """Positions of the examples that the encoder was trained on, which the encoders of the folds read (`Encoder.unseen`); all where it tells of none."""
    return [i for i, e in enumerate(examples) if encoder.trained_on(e.text)] or list(range(len(examples)))


def of_the_level(encoder: Encoder, examples: Sequence[Example]) -> list[int]:
    """Positions of the examples from which the scales are learnt: those of `fold_read`, and those that nobody made up, such as a desk's.

    Made texts by other writers are read by the shipped encoder. It has seen more than those of the folds and is right more often, so that a
    level that is learnt from its scores too is too sure (calibration error on texts by strangers .11 to .12, QWK .62 to .60).
    """
    read = set(fold_read(encoder, examples))
    return [i for i, e in enumerate(examples) if i in read or register_of(e.source) is None]


def _masses(examples: Sequence[Example], answers: Sequence[Assessment], which: Sequence[int]) -> dict[str, float]:
    """For each scale the mass at which the level sets of these answers cover the readers' level."""
    masses = {}
    for scale in scale_sizes():
        rated = [i for i in which if scale in examples[i].ratings and scale in answers[i].ratings]
        if rated:
            probabilities = np.array([answers[i].ratings[scale].probabilities for i in rated])
            masses[scale] = conformal_mass(probabilities, np.array([examples[i].ratings[scale] for i in rated]), COVERAGE)
    return masses


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


def _rating(probabilities: Floats, mass: float) -> Rating:
    """The median level, and the plausible levels with it."""
    level = int(median_level(probabilities[None, :])[0])
    plausible = level_set(probabilities, mass)
    low, high = min(plausible[0], level), max(plausible[-1], level)
    return Rating(level, tuple(float(p) for p in probabilities), tuple(range(low, high + 1)))


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
