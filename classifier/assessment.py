"""What the product answers: findings, ratings and the assessment, all frozen and free of numpy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Finding:
    """Words of the text that show a behaviour (evidence) or an anti-pattern (flag).

    `start` and `end` are character offsets into the text as given: ``text[start:end] == quote``.
    `confidence` is the calibrated probability (0 to 1) that a reader would mark these words with this key.
    """

    key: str
    start: int
    end: int
    quote: str
    confidence: float


@dataclass(frozen=True)
class Note:
    """Words of the text that a rule points out (who is served, parts of the story); no probability is attached."""

    key: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Rating:
    """One scale's answer. `probabilities` has the scale's length and order and sums to 1.

    `level_set` holds the plausible values: contiguous, with the nominal coverage that model.json states.
    """

    level: int
    probabilities: tuple[float, ...]
    level_set: tuple[int, ...]

    def __post_init__(self) -> None:
        if not math.isclose(sum(self.probabilities), 1.0, abs_tol=1e-6):
            raise ValueError("probabilities do not sum to 1")

    @property
    def sure(self) -> bool:
        """True when no other level is plausible."""
        return len(self.level_set) == 1

    @property
    def open(self) -> bool:
        """True when every level is plausible."""
        return len(self.level_set) == len(self.probabilities)

    @property
    def expected(self) -> float:
        """The mean of the values, each weighed with its probability."""
        return sum(value * probability for value, probability in enumerate(self.probabilities))


@dataclass(frozen=True)
class Client:
    """Who is served: external, internal, not_a_client or none, each with its probability."""

    value: str
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Assessment:
    """The answer for one text. A refused text has a status that says why, and nothing else.

    evidence : words that show a behaviour, by the behaviour's key
    flags : words that show an anti-pattern, by its key
    means : words that show the conduct opposite to an anti-pattern, by the anti-pattern's key
    client_words : words that name who is served, by the client's value
    story : words that tell the situation, task, action and result; a part without words is not told
    values : words of the result that speak of a dimension of value, by its name
    shared : segments whose act cannot be told to be the writer's, by how they are told: "we", "passive", or where nothing is told as the writer's act,
        "other" (of other people) or "habit"
    """

    status: str
    model: str
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    client: Client | None = None
    evidence: tuple[Finding, ...] = ()
    flags: tuple[Finding, ...] = ()
    means: tuple[Finding, ...] = ()
    client_words: tuple[Note, ...] = ()
    story: tuple[Note, ...] = ()
    values: tuple[Note, ...] = ()
    shared: tuple[Note, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the text was assessed, False when it was refused."""
        return self.status == "ok"

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Assessment:
        """The assessment that `to_dict` wrote, also after JSON."""
        ratings = {k: Rating(r["level"], tuple(r["probabilities"]), tuple(r["level_set"])) for k, r in raw["ratings"].items()}
        client = None if raw["client"] is None else Client(raw["client"]["value"], dict(raw["client"]["probabilities"]))
        evidence, flags, means = (tuple(Finding(**f) for f in raw[name]) for name in _FINDINGS)
        notes = (tuple(Note(**n) for n in raw[name]) for name in _NOTES)
        return cls(raw["status"], raw["model"], ratings, client, evidence, flags, means, *notes)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dictionaries, ready for JSON."""
        return {
            "status": self.status,
            "model": self.model,
            "ratings": {key: asdict(rating) for key, rating in self.ratings.items()},
            "client": None if self.client is None else {"value": self.client.value, "probabilities": dict(self.client.probabilities)},
            **{name: [asdict(found) for found in getattr(self, name)] for name in (*_FINDINGS, *_NOTES)},
        }


_FINDINGS = ("evidence", "flags", "means")
_NOTES = ("client_words", "story", "values", "shared")


class Assesses(Protocol):
    """What measuring needs of an assessor."""

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        """Assessments in the order of the texts."""
        ...
