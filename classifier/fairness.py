"""How a model treats groups of writers: differences, error, selection at each level, and the tests that American rules name.

The figures are those of RSMTool (differences of standardized means), of 29 CFR 1607.4(D) (four fifths, with a test of
significance and an interval, since small groups give any ratio by chance) and of New York City's Local Law 144 (impact ratios
of the scoring rate). A figure beyond its limit is a reason to look, not a proof.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from classifier.assessment import Assesses
from classifier.errors import InputError
from classifier.excel import Formula
from classifier.metrics import agreement
from classifier.rows import as_level, as_text
from classifier.sections import Section
from classifier.tables import open_table, position

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST = 20
LEVELS = 5
MAX_DSM = 0.10
FOUR_FIFTHS = 0.8
# Local Law 144 and the Uniform Guidelines let groups be set aside that hold less than this share of the people. Their figures are
# shown, but they are no measure for the others: chance gives a small group a high share easily.
_SET_ASIDE = 0.02


@dataclass(frozen=True)
class Row:
    """A text that a person has rated, and the writer's groups, one a column."""

    text: str
    level: int
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Cut:
    """Selection at a level: the share that reaches it, against the group with the highest share (four-fifths rule).

    ratio : NaN where no group that may set the highest share reaches the level.

    low, high : 95 % interval of the ratio (Katz); NaN where a share is 0.
    p : Fisher's exact test against that group, two-sided.
    """

    level: int
    rate: float
    ratio: float
    low: float
    high: float
    p: float

    @property
    def verdict(self) -> str:
        """What the four-fifths rule and the test say together."""
        if math.isnan(self.ratio):
            return "no group that sets a highest share reaches it"
        if not below_four_fifths(self.ratio):
            return "passes"
        return "fails" if self.p < 0.05 else "below four fifths, too few to tell"


def below_four_fifths(ratio: float) -> bool:
    """Whether a ratio of two shares is below 4/5; one of exactly 4/5, which rounding puts a little below, is not.

    >>> (16 / 25) / (20 / 25) < 0.8, below_four_fifths((16 / 25) / (20 / 25))
    (True, False)
    """
    return ratio < FOUR_FIFTHS - 1e-12


@dataclass(frozen=True)
class Group:
    """One group's figures.

    dsm : difference of standardized means: how much higher the model places the group than people do, in standard deviations of all.
    smd : the model's mean less people's within the group, in standard deviations of the group.
    conditional : mean difference of the score to other groups' at the same human level.
    scoring_rate, impact_ratio : share above the median of all scores, and against the highest share (Local Law 144).
    set_aside : whether it holds less than 2 % of the texts, and so sets no highest share.
    """

    name: str
    n: int
    dsm: float
    smd: float
    qwk: float
    mae: float
    conditional: float
    scoring_rate: float
    impact_ratio: float
    set_aside: bool
    cuts: tuple[Cut, ...]


def compare(true: Ints, given: Ints, score: Floats, names: Sequence[str], smallest: int = SMALLEST) -> list[Group]:
    """Figures of every group of `smallest` texts or more, in the order of their names.

    true, given : levels by people and by the model.
    score : the model's expected level, between the levels.
    """
    groups = np.asarray(names)
    members = {str(name): groups == name for name in np.unique(groups) if (groups == name).sum() >= smallest}
    above = {name: float((score[inside] > np.median(score)).mean()) for name, inside in members.items()}
    small = {name for name, inside in members.items() if inside.sum() < _SET_ASIDE * len(groups)}
    highest = max((rate for name, rate in above.items() if name not in small), default=0.0)
    cuts = _cuts(given, members, small)
    z_score, z_true = _standardized(score), _standardized(true.astype(np.float64))
    found = []
    for name, inside in members.items():
        figures = agreement(true[inside], given[inside], LEVELS)
        spread = math.sqrt((_variance(score[inside]) + _variance(true[inside])) / 2)
        found.append(
            Group(
                name=name,
                n=int(inside.sum()),
                dsm=float(z_score[inside].mean() - z_true[inside].mean()),
                smd=float((score[inside].mean() - true[inside].mean()) / spread) if spread else math.nan,
                qwk=figures["qwk"],
                mae=figures["mae"],
                conditional=_conditional(true, score, inside),
                scoring_rate=above[name],
                impact_ratio=above[name] / highest if highest else math.nan,
                set_aside=name in small,
                cuts=tuple(cuts[name]),
            )
        )
    return found


def fairness(assessor: Assesses, rows: Sequence[Row], columns: Sequence[str]) -> list[Section]:
    """The audit of each column, of each pair of columns, and of all columns together."""
    answers = list(assessor.assess_many(row.text for row in rows))
    assessed = [i for i, answer in enumerate(answers) if answer.ok]
    true = np.array([rows[i].level for i in assessed])
    given = np.array([answers[i].ratings["level"].level for i in assessed])
    score = np.array([answers[i].ratings["level"].expected for i in assessed], dtype=np.float64)
    sections = []
    for crossed in _crossings(len(columns)):
        column, names = " × ".join(columns[k] for k in crossed), [" × ".join(row.groups[k] for k in crossed) for row in rows]
        groups = compare(true, given, score, [names[i] for i in assessed]) if assessed else []
        refused = Counter(name for name, answer in zip(names, answers, strict=True) if not answer.ok)
        sections += _sections(column, groups, Counter(names), refused, len(assessed))
    return sections


def read_rows(path: Path, columns: Sequence[str]) -> list[Row]:
    """A table of any readable format with the columns text, level (people's) and those of the writers' groups.

    Raises
    ------
    InputError
        When a column is missing, or a level is none.
    """
    table = open_table(path)
    place = {name: position(table, name, path) for name in ("text", "level", *columns)}
    found: list[Row] = []
    for chunk in table.read():
        for cells, fault in zip(chunk.cells, chunk.faults, strict=True):
            where = f"{path}: row {len(found) + table.first_row}"
            if fault:
                raise InputError(f"{where}: {fault}.")
            level, text = as_level(cells[place["level"]], LEVELS, where), cells[place["text"]]
            if isinstance(text, Formula):
                raise InputError(f"{where}: the text is a formula without a stored value.")
            found.append(Row(as_text(text), level, tuple(as_text(cells[place[c]]) or "(empty)" for c in columns)))
    return found


def _crossings(columns: int) -> list[tuple[int, ...]]:
    """Places of the columns that are looked at together.

    >>> _crossings(3)
    [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
    """
    return [places for size in sorted({1, 2, columns} - {0}) for places in combinations(range(columns), size)]


def _cuts(given: Ints, members: dict[str, NDArray[np.bool_]], small: Set[str]) -> dict[str, list[Cut]]:
    """Selection of each group at each level; the groups in `small` set no highest share."""
    found: dict[str, list[Cut]] = {name: [] for name in members}
    for level in range(1, LEVELS):
        reached = {name: (int((given[inside] >= level).sum()), int(inside.sum())) for name, inside in members.items()}
        best, whole = max((pair for name, pair in reached.items() if name not in small), key=lambda pair: pair[0] / pair[1], default=(0, 1))
        for name, (count, n) in reached.items():
            if not best:
                found[name].append(Cut(level, count / n, math.nan, math.nan, math.nan, math.nan))
                continue
            ratio = (count / n) / (best / whole)
            margin = 1.96 * math.sqrt(1 / count - 1 / n + 1 / best - 1 / whole) if count else math.nan
            low, high = (ratio * math.exp(sign * margin) for sign in (-1, 1))
            p = float(fisher_exact([[count, n - count], [best, whole - best]]).pvalue)
            found[name].append(Cut(level, count / n, ratio, low, high, p))
    return found


def _conditional(true: Ints, score: Floats, inside: NDArray[np.bool_]) -> float:
    """Differences at each human level that both the group and the others have, weighted by the group's texts there."""
    differences, weights = [], []
    for level in np.unique(true[inside]):
        others = score[(true == level) & ~inside]
        if len(others):
            own = score[(true == level) & inside]
            differences.append(own.mean() - others.mean())
            weights.append(len(own))
    return float(np.average(differences, weights=weights)) if weights else math.nan


def _standardized(values: Floats) -> Floats:
    spread = math.sqrt(_variance(values))
    return (values - values.mean()) / spread if spread else np.zeros(len(values))


def _variance(values: NDArray[np.float64] | Ints) -> float:
    return float(np.var(values, ddof=1)) if len(values) > 1 else 0.0


def _sections(column: str, groups: Sequence[Group], rows: Counter[str], refused: Counter[str], n: int) -> list[Section]:
    hidden = len(rows) - len(groups)
    head = [f"{'group':<28} {'n':>5} {'DSM':>7} {'SMD':>7} {'QWK':>6} {'MAE':>6} {'given level':>11} {'above median':>12} {'impact ratio':>12}"]
    for g in groups:
        marks = [
            *([f"DSM over {MAX_DSM:.2f}"] if abs(g.dsm) > MAX_DSM else []),
            *(["impact ratio below four fifths"] if below_four_fifths(g.impact_ratio) else []),
            *(["under 2 %: may be set aside, sets no highest share"] if g.set_aside else []),
        ]
        head.append(
            f"{g.name[:28]:<28} {g.n:5d} {g.dsm:7.3f} {g.smd:7.3f} {g.qwk:6.3f} {g.mae:6.3f} {g.conditional:11.3f} {g.scoring_rate:12.3f} "
            f"{g.impact_ratio:12.3f}  {'; '.join(marks)}".rstrip()
        )
    head.append(f"{hidden} groups of fewer than {SMALLEST} assessed texts are not shown")
    head += [f"refused: {refused[g.name]} of {rows[g.name]} in {g.name}" for g in groups if refused[g.name]]
    lines = [f"{'group':<28} {'cut':>4} {'share':>6} {'ratio':>6} {'95 % interval':>16} {'Fisher p':>9}  four fifths"]
    for g in groups:
        for cut in g.cuts:
            interval = f"[{cut.low:.3f}, {cut.high:.3f}]"
            lines.append(f"{g.name[:28]:<28} >= {cut.level} {cut.rate:6.3f} {cut.ratio:6.3f} {interval:>16} {cut.p:9.3f}  {cut.verdict}")
    return [Section(f"Fairness by {column} (n = {n})", {}, tuple(head)), Section(f"Selection at each level, by {column}", {}, tuple(lines))]
