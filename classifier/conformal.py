"""Plausible levels: contiguous sets with a nominal coverage, by split conformal prediction."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def level_set(probabilities: Floats, mass: float) -> tuple[int, ...]:
    """The interval grown from the likeliest value, the likelier neighbour first, until it holds at least `mass`.

    >>> level_set(np.array([0.05, 0.1, 0.5, 0.3, 0.05]), 0.75)
    (2, 3)
    """
    grown = list(_growing(probabilities))
    return next((tuple(levels) for levels, held in grown if held >= mass), tuple(grown[-1][0]))


def conformal_mass(probabilities: Floats, levels: NDArray[np.int64], coverage: float) -> float:
    """The mass at which `level_set` covers the true level of unseen texts with at least `coverage`.

    probabilities : (n, n_levels) of texts that the model has not seen; levels : (n,) the true ones.
    Romano, Sesia, Candès (2020), Classification with valid and adaptive coverage, without randomization, for
    contiguous sets.
    """
    scores = []
    for row, level in zip(probabilities, levels, strict=True):
        scores.append(max((held for levels, held in _growing(row) if level not in levels), default=0.0))
    rank = int(np.ceil((len(scores) + 1) * coverage))
    return float(min(sorted(scores)[rank - 1] + 1e-9, 1.0)) if rank <= len(scores) else 1.0


def _growing(probabilities: Floats) -> Iterator[tuple[range, float]]:
    """The likeliest value, then one neighbour more each time, the likelier first, up to all values; and what they hold together."""
    low = high = int(np.argmax(probabilities))
    held = float(probabilities[low])
    yield range(low, high + 1), held
    while high - low + 1 < len(probabilities):
        below = probabilities[low - 1] if low > 0 else -1.0
        above = probabilities[high + 1] if high < len(probabilities) - 1 else -1.0
        low, high = (low - 1, high) if below > above else (low, high + 1)
        held += float(max(below, above))
        yield range(low, high + 1), held
