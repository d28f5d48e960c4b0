"""How a model treats groups of writers: differences, error, selection at each level, and the tests that American rules name.

The figures are those of RSMTool (differences of standardized means), of 29 CFR 1607.4(D) (four fifths, with a test of
significance and an interval, since small groups give any ratio by chance) and of New York City's Local Law 144 (impact ratios
of the scoring rate). A figure beyond its limit is a reason to look, not a proof.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import fisher_exact

from classifier.assessment import Assesses
from classifier.errors import InputError
from classifier.excel import Formula
from classifier.metrics import agreement
from classifier.rows import as_text
from classifier.sections import Section
from classifier.tables import open_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALLEST = 20
LEVELS = 5
MAX_DSM = 0.10
FOUR_FIFTHS = 0.8
# Local Law 144 lets categories be set aside that hold less than this share of the people.
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
            return "nobody reaches it"
        if self.ratio >= FOUR_FIFTHS:
            return "passes"
        return "fails" if self.p < 0.05 else "below four fifths, too few to tell"


@dataclass(frozen=True)
class Group:
    """One group's figures.

    dsm : difference of standardized means: how much higher the model places the group than people do, in standard deviations of all.
    smd : the model's mean less people's within the group, in standard deviations of the group.
    conditional : mean difference of the score to other groups' at the same human level.
    scoring_rate, impact_ratio : share above the median of all scores, and against the highest share (Local Law 144).
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
    cuts: tuple[Cut, ...]


def compare(true: Ints, given: Ints, score: Floats, names: Sequence[str], smallest: int = SMALLEST) -> list[Group]:
    """Figures of every group of `smallest` texts or more, in the order of their names.

    true, given : levels by people and by the model.
    score : the model's expected level, between the levels.
    """
    groups = np.asarray(names)
    members = {str(name): groups == name for name in np.unique(groups) if (groups == name).sum() >= smallest}
    above = {name: float((score[inside] > np.median(score)).mean()) for name, inside in members.items()}
    highest = max(above.values(), default=0.0)
    cuts = _cuts(given, members)
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
                cuts=tuple(cuts[name]),
            )
        )
    return found


def fairness(assessor: Assesses, rows: Sequence[Row], columns: Sequence[str], smallest: int = SMALLEST) -> list[Section]:
    """The audit of each column, and of all columns together where there are two or more."""
    answers = list(assessor.assess_many(row.text for row in rows))
    assessed = [i for i, answer in enumerate(answers) if answer.ok]
    true = np.array([rows[i].level for i in assessed])
    given = np.array([answers[i].ratings["level"].level for i in assessed])
    score = np.array([answers[i].ratings["level"].expected for i in assessed], dtype=np.float64)
    wanted = [(column, [row.groups[k] for row in rows]) for k, column in enumerate(columns)]
    if len(columns) > 1:
        wanted.append((" × ".join(columns), [" × ".join(row.groups) for row in rows]))
    sections = []
    for column, names in wanted:
        groups = compare(true, given, score, [names[i] for i in assessed], smallest) if assessed else []
        refused = Counter(name for name, answer in zip(names, answers, strict=True) if not answer.ok)
        sections += _sections(column, groups, Counter(names), refused, len(assessed), smallest)
    return sections


def read_rows(path: Path, columns: Sequence[str], text: str = "text", level: str = "level") -> list[Row]:
    """A table of any readable format with the texts, people's levels and the writers' groups.

    Raises
    ------
    InputError
        When a column is missing, or a level is none.
    """
    table = open_table(path)
    for name in (text, level, *columns):
        if name not in table.columns:
            raise InputError(f"{path}: there is no column {name!r}; it has {', '.join(map(repr, table.columns))}.")
    place = {name: table.columns.index(name) for name in (text, level, *columns)}
    found: list[Row] = []
    for chunk in table.read():
        for cells in chunk.cells:
            shown = as_text(cells[place[level]])
            try:
                value = float(shown)
            except ValueError:
                value = -1.0
            if value not in range(LEVELS):
                raise InputError(f"{path}: row {len(found) + table.first_row}: {shown!r} is no level.")
            if isinstance(cells[place[text]], Formula):
                raise InputError(f"{path}: row {len(found) + table.first_row}: the text is a formula without a stored value.")
            found.append(Row(as_text(cells[place[text]]), int(value), tuple(as_text(cells[place[c]]) or "(empty)" for c in columns)))
    return found


def _cuts(given: Ints, members: dict[str, NDArray[np.bool_]]) -> dict[str, list[Cut]]:
    found: dict[str, list[Cut]] = {name: [] for name in members}
    for level in range(1, LEVELS):
        reached = {name: (int((given[inside] >= level).sum()), int(inside.sum())) for name, inside in members.items()}
        best, whole = max(reached.values(), key=lambda pair: pair[0] / pair[1], default=(0, 1))
        for name, (count, n) in reached.items():
            if not best:
                found[name].append(Cut(level, 0.0, math.nan, math.nan, math.nan, math.nan))
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


def _sections(column: str, groups: Sequence[Group], rows: Counter[str], refused: Counter[str], n: int, smallest: int) -> list[Section]:
    hidden = len(rows) - len(groups)
    head = [f"{'group':<28} {'n':>5} {'DSM':>7} {'SMD':>7} {'QWK':>6} {'MAE':>6} {'given level':>11} {'above median':>12} {'impact ratio':>12}"]
    for g in groups:
        marks = [
            *([f"DSM over {MAX_DSM:.2f}"] if abs(g.dsm) > MAX_DSM else []),
            *(["impact ratio below four fifths"] if g.impact_ratio < FOUR_FIFTHS else []),
            *(["may be set aside (under 2 %)"] if g.n < _SET_ASIDE * n else []),
        ]
        head.append(
            f"{g.name[:28]:<28} {g.n:5d} {g.dsm:7.3f} {g.smd:7.3f} {g.qwk:6.3f} {g.mae:6.3f} {g.conditional:11.3f} {g.scoring_rate:12.3f} "
            f"{g.impact_ratio:12.3f}  {'; '.join(marks)}".rstrip()
        )
    head.append(f"{hidden} groups of fewer than {smallest} assessed texts are not shown")
    head += [f"refused: {refused[g.name]} of {rows[g.name]} in {g.name}" for g in groups if refused[g.name]]
    lines = [f"{'group':<28} {'cut':>4} {'share':>6} {'ratio':>6} {'95 % interval':>16} {'Fisher p':>9}  four fifths"]
    for g in groups:
        for cut in g.cuts:
            interval = f"[{cut.low:.3f}, {cut.high:.3f}]"
            lines.append(f"{g.name[:28]:<28} >= {cut.level} {cut.rate:6.3f} {cut.ratio:6.3f} {interval:>16} {cut.p:9.3f}  {cut.verdict}")
    return [Section(f"Fairness by {column} (n = {n})", {}, tuple(head)), Section(f"Selection at each level, by {column}", {}, tuple(lines))]
