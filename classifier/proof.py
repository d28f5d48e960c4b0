"""The evaluation's figures as one self-contained page: a table each, a bar with its interval for each share or agreement, a picture for each curve."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from classifier.sections import RELIABILITY, Figure, Points, Section, read_sections

_STYLE = """
body{font:1rem/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1rem;width:100%}th,td{border:1px solid #767676;padding:.2rem .6rem;text-align:right}
th[scope=row],thead th:first-child{text-align:left}caption{text-align:left;padding:.2rem 0}svg{display:block}
pre{background:#f2f2f2;padding:.6rem 1rem;overflow:auto}.notice{border-left:.4rem solid #0b2f4a;padding:.2rem 1rem;background:#f2f2f2}
a{color:#0b2f4a}figure{display:inline-block;margin:.5rem 1.5rem 1rem 0}figcaption{max-width:17rem}.wide{overflow:auto}
"""
_WIDTH, _HEIGHT = 240, 18
_SIDE = 240
# Figures that are no share, agreement or correlation: mean errors, numbers of levels, differences, ratios, and what an answer costs.
_WITHOUT_BAR = re.compile(r"mae|.*(?: mean size|difference|ratio of standard deviations|, seconds|, MB)|texts a second .*")

# What a report in Markdown consists of: a fenced block, a comment, a heading, a table, or lines of a paragraph.
_BLOCK = re.compile(
    r"```\n(?P<printed>.*?)\n```|<!--.*?-->|(?P<marks>#+) (?P<heading>[^\n]+)"
    r"|(?P<table>\|[^\n]+(?:\n\|[^\n]+)*)|(?P<text>[^\n]+(?:\n(?!```|<!--|[#|])[^\n]+)*)",
    re.DOTALL,
)


def page(sections: Iterable[Section], title: str, notice: str) -> str:
    """One HTML page without scripts, pictures or fonts from elsewhere; every picture stands beside its figure."""
    return _page(f"{title}: how well it does", notice, "\n".join(_section(section, 2) for section in sections))


def report_page(report: str, notice: str) -> str:
    """The same page of a whole report in Markdown, whose fenced blocks hold printed sections: every heading and figure of it, with contents.

    Of Markdown only what the report uses is known: headings, tables, paragraphs, `code` and **bold**.
    """
    title = "Report"
    parts: list[str] = []
    for block in _BLOCK.finditer(report):
        if block["printed"]:
            parts += [_section(section, 3) for section in read_sections(block["printed"])]
        elif block["heading"]:
            if block["marks"] == "#":
                title = block["heading"]
            else:
                parts.append(f"<h{len(block['marks'])}>{_words(block['heading'])}</h{len(block['marks'])}>")
        elif block["table"]:
            parts.append(_table(block["table"]))
        elif block["text"]:
            parts.append(f"<p>{_words(block['text'])}</p>")
    listed: list[str] = []

    def numbered(heading: re.Match[str]) -> str:
        listed.append(f'<li><a href="#s{len(listed)}">{heading[2]}</a></li>')
        return f'<h{heading[1]} id="s{len(listed) - 1}">{heading[2]}</h{heading[1]}>'

    body = re.sub(r"<h([23])>(.*?)</h\1>", numbered, "\n".join(parts))
    return _page(title, notice, f'<nav aria-label="Contents"><ul>{"".join(listed)}</ul></nav>\n{body}')


def _page(title: str, notice: str, body: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style></head>\n'
        f'<body><main>\n<h1>{escape(title)}</h1>\n<p class="notice">{escape(notice)}</p>\n{body}\n</main></body></html>\n'
    )


def _words(text: str) -> str:
    """A line of Markdown: `code` and **bold**, the rest as it stands."""
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", shown)


def _table(lines: str) -> str:
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines.split("\n"))
    heads = "".join(f'<th scope="col">{_words(cell)}</th>' for cell in head)
    body = "".join(f'<tr><th scope="row">{_words(row[0])}</th>{"".join(f"<td>{_words(cell)}</td>" for cell in row[1:])}</tr>' for row in rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _section(section: Section, level: int) -> str:
    parts = [f"<h{level}>{escape(section.title)}</h{level}>"]
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
    bar = "" if _WITHOUT_BAR.fullmatch(name) else _bar(value, bounds)
    return f'<tr><th scope="row">{escape(name)}</th><td>{value:.3f}</td><td>{shown}</td><td>{bar}</td></tr>'


def _curve(name: str, points: Points) -> str:
    """A picture of points from 0 to 1, its ends in words."""
    line = " ".join(f"{x * _SIDE:.1f},{(1 - y) * _SIDE:.1f}" for x, y in points)
    label = escape(f"{name}; from {points[0][1]:.2f} to {points[-1][1]:.2f}", quote=True)
    quarters = "".join(f"M{q * _SIDE:.0f} 0V{_SIDE}M0 {q * _SIDE:.0f}H{_SIDE}" for q in (0.25, 0.5, 0.75))
    drawn = f'<path d="{quarters}" stroke="#d0d0d0"/><rect x="0" y="0" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#767676"/>'
    if name == RELIABILITY:
        drawn += f'<path d="M0 {_SIDE}L{_SIDE} 0" stroke="#767676" stroke-dasharray="4 4"/>'
    drawn += f'<polyline points="{line}" fill="none" stroke="#2f6690" stroke-width="2"/>'
    for share in (0, 0.5, 1):
        drawn += f'<text x="{share * _SIDE:.0f}" y="{_SIDE + 15}" text-anchor="middle">{share:g}</text>'
        drawn += f'<text x="-5" y="{(1 - share) * _SIDE + 4:.0f}" text-anchor="end">{share:g}</text>'
    box = f'viewBox="-26 -8 {_SIDE + 36} {_SIDE + 28}" width="{_SIDE + 36}" height="{_SIDE + 28}" font-size="12"'
    return f'<figure><svg role="img" aria-label="{label}" {box}>{drawn}</svg><figcaption>{label}</figcaption></figure>'


def _bar(value: float, bounds: tuple[float, float] | None) -> str:
    """A bar from 0 to 1; none for what lies outside, as a kappa or correlation below 0 does."""
    if not 0 <= value <= 1:
        return ""
    drawn = f'<rect x="0" y="3" width="{value * _WIDTH:.1f}" height="{_HEIGHT - 6}" fill="#2f6690"/>'
    if bounds:
        low, high = (min(max(bound, 0.0), 1.0) * _WIDTH for bound in bounds)
        drawn += f'<path d="M{low:.1f} 9H{high:.1f}M{low:.1f} 4V14M{high:.1f} 4V14" stroke="#1a1a1a" stroke-width="2"/>'
    frame = f'<rect x="0" y="0" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#767676"/>'
    return f'<svg aria-hidden="true" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">{drawn}{frame}</svg>'
