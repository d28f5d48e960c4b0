"""Level sets are contiguous, hold the likeliest level and cover as promised."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.conformal import conformal_mass, level_set


@pytest.mark.parametrize("mass", [0.0, 0.5, 0.9, 1.0])
def test_sets_are_contiguous_and_hold_the_mode(mass: float) -> None:
    for row in np.random.default_rng(0).dirichlet(np.ones(5), 200):
        found = level_set(row, mass)
        assert found == tuple(range(found[0], found[-1] + 1))
        assert int(row.argmax()) in found
        assert row[list(found)].sum() >= mass - 1e-9


def test_the_mass_is_what_the_sets_without_the_true_level_hold() -> None:
    rows = np.array([[0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.25, 0.25, 0.5]])
    # Left out are: nothing; .7 alone, then .7 and .2; .5 alone, then .5 and .25.
    for levels, masses in (([0, 1, 2], (0.0, 0.0, 0.0)), ([0, 0, 0], (0.0, 0.75, 0.9)), ([1, 2, 1], (0.5, 0.5, 0.7))):
        found = [conformal_mass(rows, np.array(levels), rank / 4) for rank in (1, 2, 3)]
        assert found == pytest.approx(masses, abs=1e-8)
        assert all(level in level_set(row, found[2]) for row, level in zip(rows, levels, strict=True))
    assert conformal_mass(rows, np.array([0, 0, 0]), 0.9) == 1


def test_coverage_on_unseen_data() -> None:
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.full(5, 0.7), 16000)
    levels = np.array([random.choice(5, p=row) for row in rows])
    mass = conformal_mass(rows[:8000], levels[:8000], 0.9)
    covered = np.mean([level in level_set(row, mass) for row, level in zip(rows[8000:], levels[8000:], strict=True)])
    assert 0.88 <= covered <= 0.95
