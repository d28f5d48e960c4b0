"""How far assessors agree with each other and with the suggestion: blind first ratings only, small numbers hidden."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from classifier.desk.record import Final, Reading
from classifier.report import shown_groups

Floats = NDArray[np.float64]

SMALLEST = 10  # a figure of fewer pairs is hidden, and so is what would give it away by subtraction
_RESAMPLES = 1_000


@dataclass(frozen=True)
class Pair:
    """Two levels given to one example, the first by a person. `level` is the decided one, or the person's."""

    example: int
    people: tuple[str, ...]
    month: str
    level: int
    first: int
    second: int


@dataclass(frozen=True)
class Figure:
    """A value and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """Agreement of a group; the figures are None where the number of pairs is too small."""

    name: str
    n: int | None
    qwk: Figure | None
    exact: Figure | None
    adjacent: Figure | None


@dataclass(frozen=True)
class Table:
    """Agreement as a whole and by groups: (kind of group, rows, how many groups are hidden)."""

    whole: Row
    groups: tuple[tuple[str, tuple[Row, ...], int], ...]


def person_pairs(readings: Iterable[Reading], finals: dict[int, Final]) -> list[Pair]:
    """Pairs of blind ratings of the same example."""
    by_example: dict[int, list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.blind and reading.rating is not None:
            by_example[reading.example].append(reading)
    found = []
    for example, own in by_example.items():
        for a, b in combinations(own, 2):
            assert a.rating is not None and b.rating is not None
            level = finals[example].judgement.level if example in finals else a.rating.level
            found.append(Pair(example, (a.assessor, b.assessor), str(b.rated_at)[:7], level, a.rating.level, b.rating.level))
    return found


def suggestion_pairs(readings: Iterable[Reading], finals: dict[int, Final], scale: str) -> list[Pair]:
    """Blind ratings beside the suggestion that was shown afterwards."""
    found = []
    for r in readings:
        if r.blind and r.rating is not None and r.suggestion is not None and scale in r.suggestion.assessment.ratings:
            level = finals[r.example].judgement.level if r.example in finals else r.rating.level
            found.append(Pair(r.example, (r.assessor,), str(r.rated_at)[:7], level, r.rating.level, r.suggestion.assessment.ratings[scale].level))
    return found


def table(pairs: Sequence[Pair], size: int) -> Table:
    """Agreement by level, assessor and month; `size` is the number of levels."""
    kinds: tuple[tuple[str, Callable[[Pair], Iterable[str]]], ...] = (
        ("level", lambda pair: [str(pair.level)]),
        ("assessor", lambda pair: pair.people),
        ("month", lambda pair: [pair.month]),
    )
    groups = []
    for kind, names_of in kinds:
        members: dict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            for name in names_of(pair):
                members[name].append(pair)
        shown, hidden = shown_groups({name: Counter({0: len(of)}) for name, of in members.items()}, SMALLEST)
        # Within one level the chance that QWK takes out is not defined, so it is left out there.
        rows = tuple(_row(name, members[name], size, kind != "level") for name in sorted(shown))
        groups.append((kind, rows, hidden))
    return Table(_row("", pairs, size, True), tuple(groups))


def furthest(pairs: Sequence[Pair], most: int = 10) -> list[Pair]:
    """The pairs that lie furthest apart."""
    apart = [pair for pair in pairs if pair.first != pair.second]
    return sorted(apart, key=lambda pair: (-abs(pair.first - pair.second), pair.example))[:most]


def _row(name: str, pairs: Sequence[Pair], size: int, with_qwk: bool) -> Row:
    if len(pairs) < SMALLEST:
        return Row(name, None, None, None, None)
    counts = np.zeros((size, size))
    for pair in pairs:
        counts[pair.first, pair.second] += 1
    drawn = np.random.default_rng(0).multinomial(len(pairs), counts.ravel() / len(pairs), _RESAMPLES).reshape(-1, size, size).astype(np.float64)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return Row(
        name,
        len(pairs),
        _figure(lambda c: kappa(c), counts, drawn) if with_qwk else None,
        _figure(lambda c: (c * (apart == 0)).sum((-2, -1)) / c.sum((-2, -1)), counts, drawn),
        _figure(lambda c: (c * (apart <= 1)).sum((-2, -1)) / c.sum((-2, -1)), counts, drawn),
    )


def kappa(counts: Floats) -> Floats:
    """Quadratic weighted kappa of tables of counts (…, size, size), as `metrics.qwk` but for many tables at once.

    0 where both sides are constant.
    """
    size = counts.shape[-1]
    weights = np.subtract.outer(np.arange(size), np.arange(size)) ** 2
    total = counts.sum((-2, -1))
    by_chance = counts.sum(-1)[..., :, None] * counts.sum(-2)[..., None, :] / total[..., None, None]
    seen, expected = (weights * counts).sum((-2, -1)), (weights * by_chance).sum((-2, -1))
    constant = ((counts.sum(-1) > 0).sum(-1) < 2) & ((counts.sum(-2) > 0).sum(-1) < 2)
    return np.asarray(np.where(constant, 0.0, 1 - seen / np.where(expected > 0, expected, 1.0)))


def _figure(measure: Callable[[Floats], Floats], counts: Floats, drawn: Floats) -> Figure:
    low, high = np.percentile(measure(drawn), [2.5, 97.5])
    return Figure(float(measure(counts)), float(low), float(high))
