"""The fairness audit against figures worked by hand, and its table, refusals and small groups."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from classifier.assessment import Assessment, Rating
from classifier.cli import main
from classifier.errors import InputError
from classifier.fairness import Cut, Row, below_four_fifths, compare, fairness, read_rows

# Two groups of four texts. Human levels, levels given, scores:
#        a: human 0 1 2 3   given 1 1 2 4   score 1.0 1.0 2.0 4.0
#        b: human 0 1 2 3   given 0 0 2 2   score 0.0 0.0 2.0 2.0
TRUE = np.array([0, 1, 2, 3, 0, 1, 2, 3])
GIVEN = np.array([1, 1, 2, 4, 0, 0, 2, 2])
SCORE = GIVEN.astype(np.float64)
NAMES = ["a"] * 4 + ["b"] * 4


def test_the_figures_by_hand() -> None:
    a, b = compare(TRUE, GIVEN, SCORE, NAMES, smallest=4)
    assert (a.name, a.n, b.name, b.n) == ("a", 4, "b", 4)
    # The scores' mean is 12/8 = 1.5 and their squares' sum is 22 + 8 = 30, so their variance is (30 - 8 * 2.25) / 7 = 12/7.
    # People's means are 1.5 in both groups, so that their standardized means are 0; the model's are 2 and 1.
    assert a.dsm == pytest.approx((2 - 1.5) / math.sqrt(12 / 7))
    assert b.dsm == pytest.approx((1 - 1.5) / math.sqrt(12 / 7))
    # Within a: variances 6/3 (scores 1 1 2 4: squares 22 - 4 * 4 = 6) and 5/3 (levels 0 1 2 3: 14 - 9 = 5).
    assert a.smd == pytest.approx(0.5 / math.sqrt((2 + 5 / 3) / 2))
    # a is off by 1 0 0 1, b by 0 1 0 1.
    assert (a.mae, b.mae) == (0.5, 0.5)
    # Quadratic kappa of a: observed squares 1 + 0 + 0 + 1 = 2; expected: sum over all 16 pairs of (human - given)^2 / 4
    # = (rows 0 1 2 3 against 1 1 2 4) (1+1+4+16) + (0+0+1+9) + (1+1+0+4) + (4+4+1+1) = 22 + 10 + 6 + 10 = 48, / 4 = 12.
    assert a.qwk == pytest.approx(1 - 2 / 12)
    # b against a at human levels 0 1 2 3: -1 -1 0 -2, mean -1.
    assert b.conditional == pytest.approx(-1)
    assert a.conditional == pytest.approx(1)
    # The median of 0 0 1 1 2 2 2 4 is 1.5; above it are two of each group.
    assert (a.scoring_rate, b.scoring_rate, a.impact_ratio, b.impact_ratio) == (0.5, 0.5, 1, 1)


def test_groups_that_people_rate_differently_by_hand() -> None:
    """a: human 0 0 0 2, scores 1 1 1 2. b: human 0 2 2 2, scores 0 3 3 3."""
    true, score = np.array([0, 0, 0, 2, 0, 2, 2, 2]), np.array([1.0, 1, 1, 2, 0, 3, 3, 3])
    a, b = compare(true, score.astype(np.int64), score, NAMES, smallest=4)
    # Scores: mean 14/8 = 1.75, squares 7 + 27 = 34, variance (34 - 8 * 1.75 ** 2) / 7 = 9.5/7; means 1.25 and 2.25 in the groups.
    # Human levels: mean 1, each 1 off it, variance 8/7; means 0.5 and 1.5 in the groups.
    assert a.dsm == pytest.approx((1.25 - 1.75) / math.sqrt(9.5 / 7) - (0.5 - 1) / math.sqrt(8 / 7))
    assert b.dsm == pytest.approx(-a.dsm)
    # a against b: 1 higher at human level 0, where a has three texts, and 1 lower at 2, where it has one: (3 - 1) / 4. b: (-1 + 3) / 4.
    assert (a.conditional, b.conditional) == pytest.approx((0.5, 0.5))


def test_selection_by_hand() -> None:
    a, b = compare(TRUE, GIVEN, SCORE, NAMES, smallest=4)
    # Level 1 or more: 4 of 4 in a, 2 of 4 in b.
    assert (a.cuts[0].rate, a.cuts[0].ratio, b.cuts[0].rate, b.cuts[0].ratio) == (1, 1, 0.5, 0.5)
    # Fisher: of the 70 ways to choose 4 of 8, those as or less likely than (2, 4): C(6,2) C(2,2) = 15 each side, so 30/70.
    assert b.cuts[0].p == pytest.approx(30 / 70)
    # Katz: the logarithm's variance is 1/2 - 1/4 + 1/4 - 1/4 = 1/4.
    assert (b.cuts[0].low, b.cuts[0].high) == pytest.approx((0.5 * math.exp(-0.98), 0.5 * math.exp(0.98)))
    assert b.cuts[0].verdict == "below four fifths, too few to tell"
    # Level 3 or more: one in a, none in b; the interval of a ratio of 0 is not defined.
    assert b.cuts[2].ratio == 0 and math.isnan(b.cuts[2].low)
    assert [cut.level for cut in a.cuts] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [((40, 50), "passes"), ((20, 50), "fails"), ((3, 4), "below four fifths, too few to tell"), ((0, 0), "no group that sets a highest share reaches it")],
)
def test_four_fifths_passes_fails_and_is_too_small(counts: tuple[int, int], verdict: str) -> None:
    """A group of which some reach level 2, against a group of the same size that all reach it (or, the last, none)."""
    reached, n = counts
    size = n or 5
    given = np.array([2] * reached + [0] * (size - reached) + [2 if n else 0] * size)
    first, _ = compare(given, given, given.astype(np.float64), ["a"] * size + ["b"] * size, smallest=1)
    cut = first.cuts[1]
    assert cut.verdict == verdict


def test_impact_ratio_by_hand() -> None:
    """Above the median of 1: 8 of 10 in a and 6 of 20 in b, so .3 / .8."""
    score = np.array([2.0] * 8 + [0.0] * 2 + [2.0] * 6 + [1.0] * 14)
    levels = score.astype(np.int64)
    _, b = compare(levels, levels, score, ["a"] * 10 + ["b"] * 20, smallest=5)
    assert b.scoring_rate == pytest.approx(0.3)
    assert b.impact_ratio == pytest.approx(0.3 / 0.8)


def test_exactly_four_fifths_passes() -> None:
    """16 of 25 against 20 of 25 is .8 by hand, and .7999999999999999 in a computer's fractions."""
    levels = np.array([1] * 16 + [0] * 9 + [1] * 20 + [0] * 5)
    a, _ = compare(levels, levels, levels.astype(np.float64), ["a"] * 25 + ["b"] * 25)
    assert a.cuts[0].ratio < 0.8 and a.cuts[0].verdict == "passes"
    assert below_four_fifths(79_999 / 100_000)


def test_a_group_under_two_percent_sets_no_highest_share() -> None:
    """400 of 1,000 in a and all 20 in s, which is 20/1020 of the texts: a is not held against s."""
    levels = np.array([3] * 400 + [1] * 600 + [3] * 20)
    a, s = compare(levels, levels, levels.astype(np.float64), ["a"] * 1_000 + ["s"] * 20)
    assert (a.set_aside, a.impact_ratio, a.cuts[2].ratio) == (False, 1, 1)
    assert (s.set_aside, s.impact_ratio, s.cuts[2].ratio) == (True, pytest.approx(2.5), pytest.approx(2.5))
    # 20 of 1,000 are not under 2 %.
    a, s = compare(levels[20:], levels[20:], levels[20:].astype(np.float64), ["a"] * 980 + ["s"] * 20)
    assert not s.set_aside and (a.impact_ratio, s.impact_ratio) == (pytest.approx(380 / 980), 1)


def test_a_level_that_only_a_group_under_two_percent_reaches_has_no_ratio() -> None:
    levels = np.array([1] * 1_000 + [3] * 20)
    a, s = compare(levels, levels, levels.astype(np.float64), ["a"] * 1_000 + ["s"] * 20)
    assert a.cuts[2].verdict == s.cuts[2].verdict == "no group that sets a highest share reaches it"
    assert s.cuts[2].rate == 1 and math.isnan(s.cuts[2].ratio)


def test_small_groups_are_not_compared() -> None:
    names = ["a"] * 20 + ["b"] * 19
    levels = np.arange(39) % 5
    assert [group.name for group in compare(levels, levels, levels.astype(np.float64), names)] == ["a"]


class Fixed:
    """Level 1, and 3 for texts that say so; an empty text is refused."""

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        for text in texts:
            shares = (0.0, 0.0, 0.0, 1.0, 0.0) if "three" in text else (0.0, 1.0, 0.0, 0.0, 0.0)
            yield Assessment("ok", "m", {"level": Rating(3 if "three" in text else 1, shares, (1,))}) if text else Assessment("refused: empty", "m")


def table(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def test_a_table_is_audited_by_column_and_by_both_together(tmp_path: Path) -> None:
    rows = [[("three" if i % 2 else "one"), str(1 + i % 2 * 2), "x" if i < 40 else "y", "n" if i % 4 < 2 else "s"] for i in range(80)]
    rows += [["", "1", "x", "n"], ["one", "1", "z", "n"]]
    read = read_rows(table(tmp_path / "t.csv", [["text", "level", "gender", "region"], *rows]), ["gender", "region"])
    assert read[1] == Row("three", 3, ("x", "n"))
    shown = [str(section) for section in fairness(Fixed(), read, ["gender", "region"])]
    assert [text.splitlines()[0] for text in shown[::2]] == [f"Fairness by {name} (n = 81)" for name in ("gender", "region", "gender × region")]
    assert "1 groups of fewer than 20 assessed texts are not shown" in shown[0]
    assert "refused: 1 of 41 in x" in shown[0]
    assert "x × n" in shown[4] and "passes" in shown[5]


def marks(*groups: tuple[str, int, int, int]) -> dict[str, str]:
    """What the audit writes behind the figures of each group: its name, its texts, how many of them get 3 from the model, and from people (the others 1)."""
    rows = [Row("three" if i < given else "one", 3 if i < true else 1, (name,)) for name, n, given, true in groups for i in range(n)]
    head, *lines = fairness(Fixed(), rows, ["g"])[0].lines
    return {line.split()[0]: line[len(head) :].strip() for line in lines[: len(groups)]}


def test_each_mark_stands_where_its_limit_is_passed_and_nowhere_else() -> None:
    # Shares above the median .64, .8 and 0; the model and people agree.
    assert marks(("a", 25, 16, 16), ("b", 25, 20, 20), ("c", 50, 0, 0)) == {"a": "", "b": "", "c": "impact ratio below four fifths"}
    # The model places both alike, people place x half a level higher than all.
    assert marks(("x", 40, 20, 20), ("y", 40, 20, 0)) == {"x": "DSM over 0.10", "y": "DSM over 0.10"}
    assert marks(("a", 1_000, 400, 400), ("s", 20, 20, 20)) == {"a": "", "s": "under 2 %: may be set aside, sets no highest share"}


def test_of_three_columns_each_pair_is_crossed_too() -> None:
    rows = [Row("three" if i % 2 else "one", 1, ("x", "n" if i % 4 < 2 else "s", "f")) for i in range(80)]
    titles = [section.title for section in fairness(Fixed(), rows, ["a", "b", "c"])[::2]]
    assert titles == [f"Fairness by {name} (n = 80)" for name in ("a", "b", "c", "a × b", "a × c", "b × c", "a × b × c")]


def test_bad_tables_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = table(tmp_path / "t.csv", [["text", "level", "g"], ["a", "1", "x"], ["b", "7", "x"]])
    with pytest.raises(InputError, match=r"t\.csv: row 3: the cell in column 'level' is no level\."):
        read_rows(good, ["g"])
    with pytest.raises(InputError, match="there is no column 'h'; it has 'text', 'level', 'g'"):
        read_rows(good, ["h"])
    assert main(["evaluate", "models/en", "--groups", "g"]) == 1
    assert capsys.readouterr().err.strip() == "--groups needs the table: --audit FILE, with the columns text and level and the groups."


def test_the_verdicts_do_not_hide_a_missing_figure() -> None:
    assert Cut(1, 0.0, math.nan, math.nan, math.nan, math.nan).verdict == "no group that sets a highest share reaches it"


def test_a_row_with_a_cell_too_many_is_a_fault_and_no_half_text(tmp_path: Path) -> None:
    (table := tmp_path / "audit.csv").write_text("level,group,text\n2,b,I called her, then I wrote a plan\n", "utf-8")
    with pytest.raises(InputError, match=r"row 2: .*4 cells"):
        read_rows(table, ["group"])
