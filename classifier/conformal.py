"""Plausible levels: contiguous sets with a nominal coverage, by split conformal prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def level_set(probabilities: Floats, mass: float) -> tuple[int, ...]:
    """The interval grown from the likeliest value, the likelier neighbour first, until it holds at least `mass`.

    >>> level_set(np.array([0.05, 0.1, 0.5, 0.3, 0.05]), 0.75)
    (2, 3)
    """
    low = high = int(np.argmax(probabilities))
    held = float(probabilities[low])
    while held < mass and (low > 0 or high < len(probabilities) - 1):
        below = probabilities[low - 1] if low > 0 else -1.0
        above = probabilities[high + 1] if high < len(probabilities) - 1 else -1.0
        if below > above:
            low -= 1
            held += float(below)
        else:
            high += 1
            held += float(above)
    return tuple(range(low, high + 1))


def conformal_mass(probabilities: Floats, levels: NDArray[np.int64], coverage: float) -> float:
    """The mass at which `level_set` covers the true level of unseen texts with at least `coverage`.

    probabilities : (n, n_levels) of texts that the model has not seen; levels : (n,) the true ones.
    Romano, Sesia, Candès (2020), Classification with valid and adaptive coverage, without randomization, for
    contiguous sets.
    """
    scores = []
    for row, level in zip(probabilities, levels, strict=True):
        low = high = int(np.argmax(row))
        held = float(row[low])
        needed = 0.0
        while not low <= level <= high:
            needed = held
            below = row[low - 1] if low > 0 else -1.0
            above = row[high + 1] if high < len(row) - 1 else -1.0
            if below > above:
                low -= 1
            else:
                high += 1
            held = float(row[low : high + 1].sum())
        scores.append(needed)
    rank = int(np.ceil((len(scores) + 1) * coverage))
    return float(min(sorted(scores)[rank - 1] + 1e-9, 1.0)) if rank <= len(scores) else 1.0
