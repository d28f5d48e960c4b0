"""The parts of which every report of figures is made: printed as text, and read back from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Figure = tuple[float, tuple[float, float] | None]
Points = tuple[tuple[float, float], ...]

# The curve that would lie on the diagonal if every confidence were true.
RELIABILITY = "share right (up) by confidence (right)"

# A title, a rule below it, and rows that are set in.
_SECTION = re.compile(r"^(?P<title>\S.*)\n-+$(?P<rows>(?:\n  .*)*)", re.MULTILINE)
_NUMBER = r"-?(?:\d+\.\d+|nan)"
# A name holds single blanks only, which keeps the rows of tables apart from figures.
_FIGURE = re.compile(rf"  (?P<name>\S+(?: \S+)*) +(?P<value>{_NUMBER})(?:   \[(?P<low>{_NUMBER}), (?P<high>{_NUMBER})\])?")
_CURVE = re.compile(r"  (?P<name>\S.*?)  (?P<points>\d\.\d\d: \d\.\d{3}(?:, \d\.\d\d: \d\.\d{3})*)")


@dataclass(frozen=True)
class Section:
    """One table of a report: named figures, each with a 95 % interval where there is one, lines of text, and curves (points from 0 to 1)."""

    title: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    curves: Mapping[str, Points] = field(default_factory=dict)

    def __str__(self) -> str:
        rows = [self.title, "-" * len(self.title)]
        for name, (value, bounds) in self.figures.items():
            rows.append(f"  {name:<44} {value:6.3f}" + (f"   [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else ""))
        rows += [f"  {line}" for line in self.lines]
        return "\n".join([*rows, *(f"  {name}  " + ", ".join(f"{x:.2f}: {y:.3f}" for x, y in points) for name, points in self.curves.items())])


def read_sections(printed: str) -> list[Section]:
    """The sections that were printed, also within a Markdown page; what is no section is left out.

    >>> read_sections("Level (n = 2)\\n-------------\\n  qwk   0.500\\n  recall  0: 1.00")
    [Section(title='Level (n = 2)', figures={'qwk': (0.5, None)}, lines=('recall  0: 1.00',), curves={})]
    """
    return [_section(found["title"], found["rows"].split("\n")[1:]) for found in _SECTION.finditer(printed)]


def _section(title: str, rows: list[str]) -> Section:
    figures: dict[str, Figure] = {}
    lines: list[str] = []
    curves: dict[str, Points] = {}
    for row in rows:
        if (figure := _FIGURE.fullmatch(row)) and not lines:
            bounds = (float(figure["low"]), float(figure["high"])) if figure["low"] else None
            figures[figure["name"]] = (float(figure["value"]), bounds)
        elif curve := _CURVE.fullmatch(row):
            pairs = (pair.split(": ") for pair in curve["points"].split(", "))
            curves[curve["name"]] = tuple((float(x), float(y)) for x, y in pairs)
        else:
            lines.append(row.removeprefix("  "))
    return Section(title, figures, tuple(lines), curves)
