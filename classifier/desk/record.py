"""What the desk's store hands out: examples, readings, the queue."""

from __future__ import annotations

from dataclasses import dataclass

from classifier.assessment import Assessment
from classifier.desk.judgement import Judgement


@dataclass(frozen=True)
class Model:
    """Which model a suggestion came from: its version, and the hash over the hashes of all its files."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Entered:
    """An example of the queue."""

    id: int
    name: str
    text: str
    input: str
    wanted: int


@dataclass(frozen=True)
class Suggested:
    """A stored suggestion and the model that gave it."""

    model: Model
    assessment: Assessment


@dataclass(frozen=True)
class Reading:
    """One assessor's way through one example.

    blind : no suggestion and no other reading was shown to the assessor before the rating
    choice : "accept", "keep" or "change"; "none" where there was no suggestion
    """

    example: int
    assessor: str
    blind: bool
    rating: Judgement | None
    rated_at: str | None
    suggestion: Suggested | None
    choice: str | None
    conclusion: Judgement | None
    concluded_at: str | None


@dataclass(frozen=True)
class Final:
    """The decision on an example, by a named person."""

    assessor: str
    judgement: Judgement
    decided_at: str
    entry: int


@dataclass(frozen=True)
class Queued:
    """One line of an assessor's queue. `state`: rate, reveal, conclude, waiting, decide, decided or full."""

    id: int
    name: str
    state: str
    read_by: int
    wanted: int
