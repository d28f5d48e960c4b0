"""The parts of which every report of figures is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Figure = tuple[float, tuple[float, float] | None]


@dataclass(frozen=True)
class Section:
    """One table of a report: named figures, each with a 95 % interval where there is one, lines of text, and curves (points from 0 to 1)."""

    title: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    curves: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = [self.title, "-" * len(self.title)]
        for name, (value, bounds) in self.figures.items():
            rows.append(f"  {name:<44} {value:6.3f}" + (f"   [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""))
        return "\n".join([*rows, *(f"  {line}" for line in self.lines)])
