"""What the drift alarms look at: the desk's latest suggestions, and what assessors made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from classifier.desk.record import Entered, Reading
from classifier.monitor import Reference, Seen, Watched, limits, watch
from classifier.words import words


def watched(described: Mapping[str, Any], examples: Sequence[Entered], readings: Sequence[Reading], version: str, scale: str) -> tuple[Watched, ...] | None:
    """The alarms for one model; None where its description (model.json) holds no training figures."""
    if "reference" not in described:
        return None
    return watch(Reference.from_dict(described["reference"]), seen(examples, readings, version, scale))


def seen(examples: Sequence[Entered], readings: Sequence[Reading], version: str, scale: str) -> Seen:
    """The latest suggestions of a model, one a text, and the blind readings that were concluded after them."""
    mine = [r for r in readings if r.suggestion is not None and r.suggestion.model.version == version]
    latest = set(sorted({r.example for r in mine})[-limits()["window"] :])
    suggestions = {r.example: r.suggestion.assessment for r in mine if r.suggestion is not None and r.example in latest}
    texts = {e.id: e.text for e in examples}
    rated = [example for example, given in suggestions.items() if scale in given.ratings]
    concluded = [r for r in mine if r.blind and r.conclusion is not None and r.example in latest and scale in suggestions[r.example].ratings]
    return Seen(
        words=[len(words(texts[example])) for example in rated],
        levels=[suggestions[example].ratings[scale].level for example in rated],
        refused=sum(not given.ok for given in suggestions.values()),
        asked=len(suggestions),
        overridden=sum(r.conclusion is not None and r.conclusion.level != suggestions[r.example].ratings[scale].level for r in concluded),
        concluded=len(concluded),
    )
