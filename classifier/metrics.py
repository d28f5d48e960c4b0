"""Agreement, calibration and span measures: pure functions of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score, confusion_matrix

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def qwk(true: Ints, given: Ints, size: int) -> float:
    """Quadratic weighted kappa over all `size` values of the scale (Cohen 1968); absent values count as present.

    0 where either side is constant, since a constant agrees by chance only.
    """
    if len(np.unique(true)) < 2 and len(np.unique(given)) < 2:
        return 0.0
    return float(cohen_kappa_score(true, given, weights="quadratic", labels=range(size)))


def agreement(true: Ints, given: Ints, size: int) -> dict[str, float]:
    """QWK, exact and adjacent (within one) agreement, and mean absolute error."""
    apart = np.abs(true - given)
    return {
        "qwk": qwk(true, given, size),
        "exact": float((apart == 0).mean()),
        "adjacent": float((apart <= 1).mean()),
        "mae": float(apart.mean()),
    }


def interval(measure: Callable[[Ints], float | Sequence[float]], n: int, groups: Sequence[str] | None = None) -> tuple[Any, Any]:
    """95 % bootstrap interval of `measure(indices)`, a figure or several; whole groups are resampled where given (writers), else texts.

    Returns the lower and the upper end, each a number or a list as long as the measure.
    """
    random, resamples = np.random.default_rng(0), 1000
    if groups is None:
        drawn = [measure(random.integers(0, n, n)) for _ in range(resamples)]
    else:
        names, codes = np.unique(np.asarray(groups), return_inverse=True)
        members = [np.flatnonzero(codes == k) for k in range(len(names))]
        drawn = [measure(np.concatenate([members[k] for k in random.integers(0, len(names), len(names))])) for _ in range(resamples)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0).tolist()
    return low, high


def recalls(true: Ints, given: Ints, size: int) -> list[float]:
    """Share of each level's texts that got it; NaN where the level is absent."""
    return [float((given[true == k] == k).mean()) if (true == k).any() else float("nan") for k in range(size)]


def confusion(true: Ints, given: Ints, size: int) -> Ints:
    """(size, size) counts: rows the true level, columns the given one."""
    return np.asarray(confusion_matrix(true, given, labels=range(size)))


def calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error with bins of equal count (Naeini et al. 2015): mean |accuracy - confidence|."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(p) * abs(right[p].mean() - confidence[p].mean()) for p in parts) / max(len(order), 1))


def partial_correlation(score: Floats, length: Floats, level: Floats) -> float:
    """Rank correlation of score and length once the true level is taken out of both."""
    ranks = [rankdata(v) for v in (score, length, level)]
    design = np.column_stack([np.ones(len(level)), ranks[2]])
    left, right = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in ranks[:2])
    return float(np.corrcoef(left, right)[0, 1])


def grouped_spearman(score: Floats, value: Floats, groups: Sequence[str]) -> float:
    """Spearman correlation within each group of two values or more, averaged over groups."""
    names = np.asarray(groups)
    found = [spearmanr(score[names == g], value[names == g]).statistic for g in np.unique(names) if len(np.unique(value[names == g])) > 1]
    return float(np.nanmean(found))


def precision_recall_f1(true_positives: int, found: int, wanted: int) -> tuple[float, float, float]:
    """Precision, recall and F1 from counts; 0 where undefined."""
    precision, recall = true_positives / max(found, 1), true_positives / max(wanted, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def moments_apart(true: Ints, given: Floats) -> tuple[float, float]:
    """Standardized mean difference, and ratio of the standard deviations (given to true); ETS asks for at most .15 apart (Williamson et al. 2012).

    The difference is divided by sqrt((variance of true + variance of given) / 2); NaN where neither varies.
    """
    of_true, of_given = float(np.var(true, ddof=1)), float(np.var(given, ddof=1))
    spread = np.sqrt((of_true + of_given) / 2)
    difference = float((np.mean(given) - np.mean(true)) / spread) if spread else float("nan")
    return difference, float(np.sqrt(of_given / of_true)) if of_true else float("nan")


def prmse(ratings: Floats, score: Floats) -> float:
    """Share of the variance of the *true* rating that the score explains, the readers' own error taken out (Loukina et al. 2020, as in RSMTool).

    ratings : (n, 2) or more columns, independent readings of each text
    score : (n,) of the program, on the same scale

    1 where the score is the true rating; with few texts it can come out above 1.
    """
    n, readers = ratings.shape
    means = ratings.mean(1)
    error = float(((ratings - means[:, None]) ** 2).sum() / (n * (readers - 1)))
    squared = readers * float(((means - score) ** 2).sum()) - n * error
    variance = readers * float(((means - means.mean()) ** 2).sum()) - (n - 1) * error
    return float(1 - (squared / (n * readers)) / (variance / (readers * (n - 1))))


def risk_coverage(confidence: Floats, wrong: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """(coverage, risk): share of the texts that are answered when the surest go first, and share wrong among these (Geifman and El-Yaniv 2017)."""
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    return list(zip((answered / len(order)).tolist(), (np.cumsum(wrong[order]) / answered).tolist(), strict=True))
