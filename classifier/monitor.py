"""Drift: whether what comes in, and what is made of it, still is what the model was trained on. Pure functions of counts.

The limits are written in ``data/monitor.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.framework import DATA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DRAWS = 4_000
_PARTS = 5


@dataclass(frozen=True)
class Reference:
    """The model's figures in training, on writers that it had not seen.

    edges : number of words at which the lengths are cut into parts; words : share of texts in each part
    levels : share of texts that got each level; refused : share of refused texts
    overridden : share of texts whose suggested level is not the readers'
    """

    edges: tuple[float, ...]
    words: tuple[float, ...]
    levels: tuple[float, ...]
    refused: float
    overridden: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for model.json."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Reference:
        """The figures that `to_dict` wrote."""
        return cls(tuple(raw["edges"]), tuple(raw["words"]), tuple(raw["levels"]), raw["refused"], raw["overridden"])


@dataclass(frozen=True)
class Seen:
    """What came in: lengths and suggested levels of the assessed texts, and how many of how many were refused or overridden."""

    words: Sequence[int]
    levels: Sequence[int]
    refused: int
    asked: int
    overridden: int
    concluded: int


@dataclass(frozen=True)
class Watched:
    """One alarm: what it looks at, how many texts, the difference, its limit, the chance of such a difference, and whether it rings.

    `enough` is False with too few texts; then nothing is judged.
    """

    key: str
    n: int
    difference: float
    limit: float
    chance: float
    enough: bool
    rings: bool


@cache
def limits() -> dict[str, Any]:
    """The written limits."""
    return tomllib.loads((DATA / "monitor.toml").read_text("utf-8"))


def reference_of(words: Sequence[int], suggested: Sequence[int], labelled: Sequence[int], size: int, refused: int = 0) -> Reference:
    """Figures of a training corpus, from suggestions on writers left out.

    size : number of levels; refused : texts that were refused, beside those given
    """
    edges = np.unique(np.quantile(words, np.linspace(0, 1, _PARTS + 1)[1:-1]))
    levels = np.bincount(suggested, minlength=size) / len(suggested)
    differing = float((np.asarray(suggested) != np.asarray(labelled)).mean())
    shares = _parts(words, edges) / len(words)
    return Reference(tuple(edges.tolist()), tuple(shares.tolist()), tuple(levels.tolist()), refused / (refused + len(words)), differing)


def watch(reference: Reference, seen: Seen) -> tuple[Watched, ...]:
    """Every alarm, ringing or not. The same counts always give the same answer."""
    random = np.random.default_rng(0)
    words = _parts(seen.words, np.array(reference.edges))
    levels = np.bincount(np.asarray(seen.levels, dtype=np.int64), minlength=len(reference.levels))
    return (
        _distribution("words", words, np.array(reference.words), random),
        _distribution("levels", levels, np.array(reference.levels), random),
        _share("refused", seen.refused, seen.asked, reference.refused, random),
        _share("overridden", seen.overridden, seen.concluded, reference.overridden, random),
    )


def stability(counts: Floats | Ints, shares: Floats) -> Floats:
    """Population stability index of counts (…, k) against shares (k,); half a text is added to each part, so that none is empty."""
    total = counts.sum(axis=-1, keepdims=True)
    found = (counts + 0.5) / (total + 0.5 * counts.shape[-1])
    wanted = (shares * total + 0.5) / (total + 0.5 * counts.shape[-1])
    return np.asarray(((found - wanted) * np.log(found / wanted)).sum(axis=-1))


def _distribution(key: str, counts: Ints, shares: Floats, random: np.random.Generator) -> Watched:
    n = int(counts.sum())
    if n == 0:
        return _judged(key, 0, 0.0, 1.0)
    difference = float(stability(counts, shares))
    by_chance = stability(random.multinomial(n, shares / shares.sum(), _DRAWS), shares)
    return _judged(key, n, difference, float((1 + (by_chance >= difference).sum()) / (1 + _DRAWS)))


def _share(key: str, count: int, n: int, share: float, random: np.random.Generator) -> Watched:
    """One-sided: fewer refusals or overrides than in training are no alarm."""
    if n == 0:
        return _judged(key, 0, 0.0, 1.0)
    by_chance = random.binomial(n, share, _DRAWS)
    return _judged(key, n, count / n - share, float((1 + (by_chance >= count).sum()) / (1 + _DRAWS)))


def _judged(key: str, n: int, difference: float, chance: float) -> Watched:
    limit, enough = float(limits()["more"][key]), n >= limits()["smallest"]
    return Watched(key, n, difference, limit, chance, enough, enough and difference > limit and chance < limits()["chance"])


def _parts(words: Sequence[int], edges: Floats) -> Ints:
    return np.bincount(np.searchsorted(edges, np.asarray(words, dtype=float), side="right"), minlength=len(edges) + 1)
