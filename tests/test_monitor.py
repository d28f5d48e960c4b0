"""The drift alarms: they ring on made shifts and stay silent on the same population."""

from __future__ import annotations

import numpy as np
import pytest

from classifier.monitor import Reference, Seen, limits, reference_of, stability, watch

SIZE = 5


def population(n: int = 3_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Word counts, suggested levels and labels that a model gets right seven times of ten."""
    random = np.random.default_rng(1)
    words = random.lognormal(4.9, 0.4, n).astype(int)
    labels = random.choice(SIZE, n, p=[0.24, 0.16, 0.28, 0.15, 0.17])
    suggested = np.where(random.random(n) < 0.7, labels, random.choice(SIZE, n))
    return words, suggested, labels


WORDS, SUGGESTED, LABELS = population()
REFERENCE = reference_of(WORDS.tolist(), SUGGESTED.tolist(), LABELS.tolist(), SIZE)


def drawn(n: int, seed: int) -> Seen:
    chosen = np.random.default_rng(seed).choice(len(WORDS), n)
    differ = int((SUGGESTED[chosen] != LABELS[chosen]).sum())
    return Seen(WORDS[chosen].tolist(), SUGGESTED[chosen].tolist(), 0, n, differ, n)


def ringing(seen: Seen) -> set[str]:
    return {alarm.key for alarm in watch(REFERENCE, seen) if alarm.rings}


@pytest.mark.parametrize("n", [50, 100, 300])
def test_silent_on_100_resamples_of_the_same_population(n: int) -> None:
    assert sum(bool(ringing(drawn(n, seed))) for seed in range(100)) <= 5


@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize(
    ("key", "shift"),
    [
        ("words", lambda s: Seen([w // 2 for w in s.words], s.levels, s.refused, s.asked, s.overridden, s.concluded)),
        ("levels", lambda s: Seen(s.words, [min(level + 1, 4) for level in s.levels], s.refused, s.asked, s.overridden, s.concluded)),
        ("refused", lambda s: Seen(s.words, s.levels, s.asked // 8, s.asked, s.overridden, s.concluded)),
        ("overridden", lambda s: Seen(s.words, s.levels, s.refused, s.asked, int(0.55 * s.concluded), s.concluded)),
    ],
)
def test_rings_on_a_made_shift_and_on_that_alone(n: int, key: str, shift: object) -> None:
    assert [ringing(shift(drawn(n, seed))) for seed in (11, 12, 13)] == [{key}] * 3  # type: ignore[operator]


def test_too_few_texts_are_not_judged() -> None:
    seen = Seen([5] * 49, [4] * 49, 49, 49, 49, 49)
    assert [(alarm.enough, alarm.rings) for alarm in watch(REFERENCE, seen)] == [(False, False)] * 4
    assert [alarm.n for alarm in watch(REFERENCE, Seen([], [], 0, 0, 0, 0))] == [0] * 4


def test_fewer_refusals_and_overrides_than_in_training_are_no_alarm() -> None:
    strict = Reference(REFERENCE.edges, REFERENCE.words, REFERENCE.levels, 0.3, 0.6)
    seen = drawn(300, 5)
    calm = Seen(seen.words, seen.levels, 0, 300, 0, 300)
    assert not any(alarm.rings for alarm in watch(strict, calm))


def test_the_same_counts_give_the_same_answer_and_the_figures_survive_json() -> None:
    import json

    again = Reference.from_dict(json.loads(json.dumps(REFERENCE.to_dict())))
    assert again == REFERENCE and watch(again, drawn(120, 3)) == watch(REFERENCE, drawn(120, 3))


def test_the_index_by_hand_and_every_alarm_has_a_written_limit() -> None:
    # (.5-.25)·ln(.5/.25) + (.5-.75)·ln(.5/.75), with many texts, so that the half that is added does not count
    assert stability(np.array([500_000, 500_000]), np.array([0.25, 0.75])) == pytest.approx(0.2747, abs=1e-4)
    assert set(limits()["more"]) == {alarm.key for alarm in watch(REFERENCE, drawn(60, 1))}
