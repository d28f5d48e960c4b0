"""One self-contained page of pictures from a scored table. Each picture has its figures as a table below it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from classifier.contract import COLUMNS
from classifier.errors import InputError
from classifier.framework import load_framework
from classifier.job import guess_text, kind
from classifier.private import write_private
from classifier.rows import Table, as_level, as_text
from classifier.tables import open_table, position
from classifier.words import words

_LEVELS = range(5)
_COLOURS = ("#767676", "#4a7ba6", "#2f6690", "#1b4f72", "#0b2f4a")
_BIN = 25  # words
_STYLE = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 2rem}th,td{border:1px solid #767676;padding:.2rem .6rem;text-align:right}
th[scope=row],thead th:first-child{text-align:left}caption{text-align:left;padding:.2rem 0}svg{display:block;max-width:100%;height:auto}
.notice{border-left:.4rem solid #0b2f4a;padding:.2rem 1rem;background:#f2f2f2}
"""


@dataclass
class Counts:
    """What the pictures show, gathered row by row; `flags` and `unsure` are None where the table has no column that tells."""

    flags: Counter[str] | None
    unsure: Counter[int] | None
    levels: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lengths: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    groups: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    models: Counter[str] = field(default_factory=Counter)


def write_report(scored: Path, page: Path, notice: str, *, text: str | None, group: str | None, smallest: int) -> None:
    """Write the page for a table that `score` wrote.

    Parameters
    ----------
    notice : stands before the pictures.
    text : column with the examples, for length against level; guessed where it can be, left out where not.
    group : column whose groups are compared.
    smallest : groups of fewer scored rows are hidden, and so many larger ones that the hidden rows cannot be told by subtraction.
    """
    if smallest < 1:
        raise InputError("--smallest is a number of rows, 1 or more.")
    table = open_table(scored)
    if page.exists() and page.samefile(scored):
        raise InputError(f"{page}: the page would replace the table; give it another name.")
    counts = _count(table, scored, text, group)
    write_private(page, _page(scored.name, counts, notice, group, smallest).encode("utf-8", "replace"))


def _count(table: Table, path: Path, text: str | None, group: str | None) -> Counts:
    place = {name: i for i, name in enumerate(table.columns)}
    for name in ("status", "level"):
        if name not in place:
            raise InputError(f"{path}: there is no column {name!r}; is this what `classifier score` wrote?")
    group_place = position(table, group, path) if group is not None else None
    text_place = position(table, text, path) if text is not None else _guessed(table, path)
    counts = Counts(flags=Counter() if "flags" in place else None, unsure=Counter() if "level_set" in place else None)
    number = table.first_row - 1
    for chunk in table.read():
        for row in chunk.cells:
            number += 1
            status = as_text(row[place["status"]])
            counts.statuses[kind(status)] += 1
            if "model" in place:
                counts.models[as_text(row[place["model"]])] += 1
            if status != "ok":
                continue
            level = as_level(row[place["level"]], len(_LEVELS), f"{path}: row {number}")
            counts.levels[level] += 1
            if counts.unsure is not None:
                counts.unsure[level] += "|" in as_text(row[place["level_set"]])
            if counts.flags is not None:
                counts.flags.update(_keys(row[place["flags"]], path, number))
            if text_place is not None:
                counts.lengths[level][len(words(as_text(row[text_place]))) // _BIN] += 1
            if group_place is not None:
                counts.groups[as_text(row[group_place]) or "(empty)"][level] += 1
    return counts


def _guessed(table: Table, path: Path) -> int | None:
    """The column with the examples, when it stands out among the columns that scoring did not add."""
    given = [i for i, name in enumerate(table.columns) if name not in COLUMNS]
    if not given:
        return None
    read = lambda: (type(c)([[row[i] for i in given] for row in c.cells], c.faults) for c in table.read())  # noqa: E731
    try:
        return given[guess_text(Table(tuple(table.columns[i] for i in given), table.total, table.described, read), path)]
    except InputError:
        return None


def _keys(cell: Any, path: Path, number: int) -> set[str]:
    try:
        return {str(found["key"]) for found in json.loads(as_text(cell) or "[]")}
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: row {number}: the cell in column 'flags' is not what `classifier score` wrote.") from error


def shown_groups(groups: Mapping[str, Counter[int]], smallest: int) -> tuple[list[str], int]:
    """Names of the groups that may be shown, largest first, and how many are hidden.

    When the hidden rows together are fewer than `smallest`, the total less the shown groups would give them away; then
    the smallest shown group is hidden too.

    >>> shown_groups({"a": Counter({1: 30}), "b": Counter({1: 12}), "c": Counter({1: 2})}, 10)
    (['a'], 2)
    """
    order = sorted(groups, key=lambda name: (-groups[name].total(), name))
    shown = [name for name in order if groups[name].total() >= smallest]
    hidden = sum(groups[name].total() for name in order if name not in shown)
    while shown and 0 < hidden < smallest:
        hidden += groups[shown.pop()].total()
    return shown, len(order) - len(shown)


def _page(name: str, counts: Counts, notice: str, group: str | None, smallest: int) -> str:
    rows, scored = counts.statuses.total(), counts.levels.total()
    parts = [
        f"<h1>Scored examples: {escape(name)}</h1>",
        f'<p class="notice">{escape(notice)}</p>',
        f"<p>{rows:,} rows, {scored:,} scored. Model: {escape(', '.join(sorted(counts.models)) or 'not named in the table')}.</p>",
        _section("Rows by status", "status", [(status, number, rows) for status, number in counts.statuses.most_common()]),
    ]
    if scored:
        parts.append(_section("Levels", "level", [(f"Level {level}", counts.levels[level], scored) for level in _LEVELS]))
        if counts.unsure is not None:
            unsure = [(f"Level {level}", counts.unsure[level], counts.levels[level]) for level in _LEVELS]
            parts.append(_section("Where more than one level is plausible", "level", unsure))
        if counts.flags is not None:
            parts.append(_flags(counts.flags, scored))
        if counts.lengths:
            parts.append(_lengths(counts.lengths))
        if group is not None:
            parts.append(_groups(counts.groups, group, smallest))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>Scored examples: {escape(name)}</title><style>{_STYLE}</style></head>'
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )


def _flags(flags: Counter[str], scored: int) -> str:
    title = "Rows with a flag, by kind"
    if not flags:
        return f"<h2>{title}</h2>\n<p>No scored row has a flag.</p>"
    meant = {pattern.key: pattern.does_not_mean for pattern in load_framework("cra").anti_patterns}
    return _section(title, "flag", [(key, number, scored) for key, number in flags.most_common()], meant)


def _section(title: str, first: str, bars: Sequence[tuple[str, int, int]], meant: Mapping[str, str] | None = None) -> str:
    """A heading, a bar each with its share of a whole, and the same figures as a table, where names are followed by what is `meant`."""
    height, left, width = 26, 220, 460
    drawn = []
    for i, (name, number, whole) in enumerate(bars):
        share = number / whole if whole else 0
        y = i * height
        drawn.append(
            f'<text x="{left - 8}" y="{y + 17}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect x="{left}" y="{y + 3}" width="{share * width:.1f}" height="{height - 8}" fill="{_COLOURS[2]}"/>'
            f'<text x="{left + share * width + 6:.1f}" y="{y + 17}">{share:.0%}</text>'
        )
    told = {name: f"{name}: {meaning}" for name, meaning in (meant or {}).items()}
    rows = [(told.get(name, name), f"{number:,}", f"{number / whole:.1%}" if whole else "–") for name, number, whole in bars]
    return f"<h2>{escape(title)}</h2>\n{_svg(title, 740, height * len(bars), drawn)}\n{_table(title, (first, 'rows', 'share'), rows)}"


def _lengths(lengths: Mapping[int, Counter[int]]) -> str:
    """The middle half of the lengths at each level as a box, the median as a line in it."""
    title = "Length against level"
    spans = {level: [_quantile(lengths[level], q) for q in (0.25, 0.5, 0.75)] for level in _LEVELS if level in lengths}
    longest = max(span[2] for span in spans.values()) + _BIN
    height, left, width = 30, 220, 460
    drawn, rows = [], []
    for i, (level, (low, middle, high)) in enumerate(spans.items()):
        x, y = [left + value / longest * width for value in (low, middle, high + _BIN)], i * height
        drawn.append(
            f'<text x="{left - 8}" y="{y + 19}" text-anchor="end">Level {level}</text>'
            f'<rect x="{x[0]:.1f}" y="{y + 5}" width="{x[2] - x[0]:.1f}" height="{height - 12}" fill="{_COLOURS[level]}"/>'
            f'<text x="{x[2] + 6:.1f}" y="{y + 19}">about {middle + _BIN // 2} words</text>'
        )
        rows.append((f"Level {level}", f"{lengths[level].total():,}", *(f"{value} to {value + _BIN - 1}" for value in (low, middle, high))))
    head = ("level", "rows", "a quarter are shorter than", "median, words", "a quarter are longer than")
    return f"<h2>{title}</h2>\n{_svg(title, 740, height * len(spans), drawn)}\n{_table(title, head, rows)}"


def _quantile(bins: Counter[int], share: float) -> int:
    """First word count of the bin in which the quantile lies."""
    wanted, seen = share * bins.total(), 0
    for number in sorted(bins):
        seen += bins[number]
        if seen >= wanted:
            return number * _BIN
    raise ValueError("no lengths")


def _groups(groups: Mapping[str, Counter[int]], column: str, smallest: int) -> str:
    shown, hidden = shown_groups(groups, smallest)
    title = f"Levels by {column}"
    height, left, width = 30, 220, 460
    drawn, rows = [], []
    for i, name in enumerate(shown):
        total, x, y = groups[name].total(), float(left), i * height
        drawn.append(f'<text x="{left - 8}" y="{y + 19}" text-anchor="end">{escape(_short(name))}</text>')
        for level in _LEVELS:
            step = groups[name][level] / total * width
            drawn.append(f'<rect x="{x:.1f}" y="{y + 4}" width="{step:.1f}" height="{height - 8}" fill="{_COLOURS[level]}" stroke="#fff"/>')
            if step > 16:  # so that the level is read without its colour
                drawn.append(f'<text x="{x + step / 2:.1f}" y="{y + 19}" text-anchor="middle" fill="#fff">{level}</text>')
            x += step
        rows.append((name, f"{total:,}", *(f"{groups[name][level] / total:.0%}" for level in _LEVELS)))
    picture = _svg(title, 740, height * len(shown), drawn) if shown else "<p>No group is large enough to be shown.</p>"
    note = f"<p>{hidden} groups are hidden: groups of fewer than {smallest} scored rows, and those by which they could be told.</p>" if hidden else ""
    head = ("group", "rows", *(f"level {level}" for level in _LEVELS))
    return f"<h2>{escape(title)}</h2>\n{picture}\n{_table(title, head, rows) if rows else ''}{note}"


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"


def _svg(title: str, width: int, height: int, drawn: Sequence[str]) -> str:
    inside = "".join(drawn)
    label = escape(f"{title}; the figures are in the table below", quote=True)
    return f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}" width="{width}" font-size="14">{inside}</svg>'


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    first = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"
