"""The evaluation's figures as one self-contained page: a table each, and a bar with its interval for each share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from classifier.sections import Figure, Section

_STYLE = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1rem;width:100%}th,td{border:1px solid #767676;padding:.2rem .6rem;text-align:right}
th[scope=row],thead th:first-child{text-align:left}caption{text-align:left;padding:.2rem 0}svg{display:block}
pre{background:#f2f2f2;padding:.6rem 1rem;overflow:auto}.notice{border-left:.4rem solid #0b2f4a;padding:.2rem 1rem;background:#f2f2f2}
"""
_WIDTH, _HEIGHT = 240, 18


def page(sections: Iterable[Section], title: str, notice: str) -> str:
    """One HTML page without scripts, pictures or fonts from elsewhere; every picture stands beside its figure."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    body = "\n".join(_section(section) for section in sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}: how well it does</title><style>{_STYLE}</style></head>\n'
        f'<body><main>\n<h1>{escape(title)}: how well it does</h1>\n<p class="notice">{escape(notice)}</p>\n{body}\n</main></body></html>\n'
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.figures:
        rows = "".join(_row(name, figure) for name, figure in section.figures.items())
        head = '<tr><th scope="col">figure</th><th scope="col">value</th><th scope="col">95 % interval</th><th scope="col">from 0 to 1</th></tr>'
        parts.append(f"<table><caption>{escape(section.title)}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>")
    parts.extend(_curve(name, points) for name, points in section.curves.items())
    if section.lines:
        # Scrolled by keyboard too, so it takes the focus and has a name.
        lines = escape("\n".join(section.lines))
        parts.append(f'<pre tabindex="0" role="region" aria-label="{escape(section.title, quote=True)}: details">{lines}</pre>')
    return "\n".join(parts)


def _row(name: str, figure: Figure) -> str:
    value, bounds = figure
    shown = f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else "–"
    return f'<tr><th scope="row">{escape(name)}</th><td>{value:.3f}</td><td>{shown}</td><td>{_bar(value, bounds)}</td></tr>'


def _curve(name: str, points: Sequence[tuple[float, float]]) -> str:
    """A picture of points from 0 to 1, its ends in words."""
    side = 240
    line = " ".join(f"{x * side:.1f},{(1 - y) * side:.1f}" for x, y in points)
    said = f"{name}; from {points[0][1]:.2f} to {points[-1][1]:.2f}"
    frame = f'<rect x="0" y="0" width="{side}" height="{side}" fill="none" stroke="#767676"/>'
    drawn = f'<polyline points="{line}" fill="none" stroke="#2f6690" stroke-width="2"/>'
    label = escape(said, quote=True)
    picture = f'<svg role="img" aria-label="{label}" viewBox="0 0 {side} {side}" width="{side}" height="{side}">{frame}{drawn}</svg>'
    return f"<figure>{picture}<figcaption>{label}</figcaption></figure>"


def _bar(value: float, bounds: tuple[float, float] | None) -> str:
    """A bar for what lies between 0 and 1; a mean error or number of levels has none."""
    if not 0 <= value <= 1:
        return ""
    drawn = f'<rect x="0" y="3" width="{value * _WIDTH:.1f}" height="{_HEIGHT - 6}" fill="#2f6690"/>'
    if bounds:
        low, high = (min(max(bound, 0.0), 1.0) * _WIDTH for bound in bounds)
        drawn += f'<path d="M{low:.1f} 9H{high:.1f}M{low:.1f} 4V14M{high:.1f} 4V14" stroke="#1a1a1a" stroke-width="2"/>'
    frame = f'<rect x="0" y="0" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#767676"/>'
    return f'<svg aria-hidden="true" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">{drawn}{frame}</svg>'
