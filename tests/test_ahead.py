"""in_order: results in the order of the items, a bounded look ahead, exceptions where the result would stand."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from classifier.ahead import in_order


@pytest.mark.parametrize("at_once", [1, 3])
def test_results_come_in_order_and_items_are_not_run_through_ahead(at_once: int) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    results = in_order(lambda number: number * number, items(), at_once)
    assert list(itertools.islice(results, 5)) == [0, 1, 4, 9, 16]
    assert len(taken) <= 5 + 2 * at_once
    results.close()


def test_works_on_several_at_once() -> None:
    """Each piece of work waits for the other; one after the other, neither would end."""
    meet = threading.Barrier(2, timeout=10)
    assert sorted(in_order(lambda _: meet.wait(), range(2), 2)) == [0, 1]


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_exception_stands_in_the_place_of_its_result(at_once: int) -> None:
    results = in_order(lambda number: 6 // number, [3, 2, 0, 1], at_once)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
