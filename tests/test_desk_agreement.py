"""Agreement at the desk: the figures are those of `metrics`, intervals hold them, small numbers are hidden."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from desks import MODEL, desk_of, read_through
from fixed import FixedAssessor
from starlette.testclient import TestClient

from classifier import metrics
from classifier.assessor import Assessor
from classifier.desk.agreement import SMALLEST, Pair, furthest, kappa, person_pairs, suggestion_pairs, table
from classifier.desk.drift import seen, watched
from classifier.desk.pages import create_desk
from classifier.document import messages
from classifier.monitor import reference_of


def pairs(n: int, seed: int = 0, people: tuple[str, ...] = ("Ann", "Bo"), month: str = "2024-03") -> list[Pair]:
    random = np.random.default_rng(seed)
    first = random.integers(0, 5, n)
    second = np.clip(first + random.integers(-1, 2, n), 0, 4)
    return [Pair(i, people, month, int(a), int(a), int(b)) for i, (a, b) in enumerate(zip(first, second, strict=True))]


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_the_metrics(seed: int) -> None:
    random = np.random.default_rng(seed)
    true, given = random.integers(0, 1 + seed % 5, 40), random.integers(0, 1 + (seed * 3) % 5, 40)
    counts = np.zeros((5, 5))
    np.add.at(counts, (true, given), 1)
    assert float(kappa(counts)) == pytest.approx(metrics.qwk(true, given, 5), abs=1e-12)


def test_figures_lie_in_their_intervals_and_the_groups_are_whole() -> None:
    found = table(pairs(200), 5)
    assert found.whole.n == 200
    for row in (found.whole, *(row for _, rows, _ in found.groups for row in rows)):
        for figure in (row.qwk, row.exact, row.adjacent):
            assert figure is None or figure.low <= figure.value <= figure.high
    assert found.whole.adjacent is not None and found.whole.adjacent.value == 1.0
    kinds = {kind: rows for kind, rows, _ in found.groups}
    assert sum(row.n or 0 for row in kinds["level"]) == 200 and [row.name for row in kinds["assessor"]] == ["Ann", "Bo"]


def test_small_numbers_are_hidden_and_cannot_be_told_by_subtraction() -> None:
    assert table(pairs(SMALLEST - 1), 5).whole.n is None
    few = [*pairs(40, people=("Ann",)), *pairs(12, people=("Bo",)), *pairs(3, people=("Cy",))]
    _, rows, hidden = next(group for group in table(few, 5).groups if group[0] == "assessor")
    assert [row.name for row in rows] == ["Ann"] and hidden == 2


def test_only_blind_first_ratings_count(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 2)
    read_through(desk, 1, "Ann", 4, "accept")
    read_through(desk, 1, "Bo", 1)
    desk.enter("Cy")
    desk.reveal(2, "Cy", FixedAssessor().assess(desk.example(2).text), MODEL, blinding=False)
    from desks import rating

    desk.rate(2, "Cy", rating(desk, 2))
    between, with_suggestion = person_pairs(desk.readings(), {}), suggestion_pairs(desk.readings(), {}, "level")
    assert [(p.first, p.second) for p in between] == [(4, 1)]
    assert [(p.people, p.first, p.second) for p in with_suggestion] == [(("Ann",), 4, 2), (("Bo",), 1, 2)]
    assert [p.first for p in furthest([*with_suggestion, *between])] == [4, 4, 1]


def test_the_page_shows_figures_and_hides_what_is_still_to_be_rated(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 14)
    for number in range(1, 13):
        read_through(desk, number, "Ann", 4)
        read_through(desk, number, "Bo", 1 + number % 4)
    page = messages()["desk"]
    assessor: Assessor = FixedAssessor()  # type: ignore[assignment]
    for name, sees in (("Ann", True), ("Cy", True)):
        with TestClient(create_desk(desk, assessor), base_url="http://localhost") as client:
            client.post("/session", json={"name": name})
            shown = client.get("/agreement").text
            assert page["between"] in shown and re.search(r"<td>12</td><td>-?\d\.\d\d", shown)
            assert (page["furthest"] in shown) is sees
    desk.add([("new", "A client asked for her form, and I gave it to her at once, with a note.")])
    read_through_first = desk_of(tmp_path / "other", 1)
    read_through(read_through_first, 1, "Ann", 0)
    with TestClient(create_desk(read_through_first, assessor), base_url="http://localhost") as client:
        client.post("/session", json={"name": "Bo"})
        shown = client.get("/agreement").text
        assert page["furthest"] not in shown and page["too_few"].format(smallest=SMALLEST) in shown


def test_drift_looks_at_this_models_suggestions_only(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, 3)
    read_through(desk, 1, "Ann", 3)
    read_through(desk, 1, "Bo", 2)
    found = seen(desk.examples(), desk.readings(), "fixed-1", "level")
    assert (found.levels, found.refused, found.asked, found.overridden, found.concluded) == ([2], 0, 1, 1, 2)
    assert seen(desk.examples(), desk.readings(), "another", "level").asked == 0
    assert watched({}, desk.examples(), desk.readings(), "fixed-1", "level") is None
    reference = reference_of([10, 20, 30, 40, 50], [0, 1, 2, 3, 4], [0, 1, 2, 3, 3], 5)
    alarms = watched({"reference": reference.to_dict()}, desk.examples(), desk.readings(), "fixed-1", "level")
    assert alarms is not None and not any(alarm.enough for alarm in alarms)
