"""Put a new evaluation into the report, its main figures into the tables of the README and the model card, and the report on a page (report.html):

    classifier evaluate models/en --all --examples FILE --statements FILE --table tests/examples.toml > printed.txt
    python scripts/figures.py printed.txt

Several files may be given, such as one printed with --stress alone; without any, the tables and the page are made anew from
the report. The sentences around them, but for the model card's first, are for a person to bring up to date.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from classifier.assessor import COVERAGE
from classifier.card import read_figures
from classifier.document import messages
from classifier.proof import report_page

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "models" / "en" / "report.md"
PAGE = REPORT.with_suffix(".html")
CARD = ROOT / "models" / "en" / "README.md"
SHOWN_IN = (ROOT / "README.md", CARD)

Figures = Mapping[str, Mapping[str, str]]

MADE, NEW, OUTSIDE = "Made corpus, writer left out", "Writers that the encoder was not trained on", "Examples"
# Label of a row -> what stands in the columns: a section (without its column's title) and a figure, or words. What rests on
# another number of texts or pairs than its column's head says has that number behind it.
ROWS: dict[str, tuple[tuple[str, str] | str, tuple[str, str] | str, tuple[str, str] | str]] = {
    **{
        label: ((": level", name),) * 3
        for label, name in {
            "level: QWK": "qwk",
            "level: exact": "exact",
            "level: adjacent": "adjacent",
            "level: calibration error": "calibration error (ECE)",
            f"plausible levels cover (set at {COVERAGE:.2f}; aim .88 to .95)".replace("0.", "."): "level set covers",
            "plausible levels, mean number": "level set mean size",
        }.items()
    },
    "client: accuracy": ((": client, length, pairs", "client accuracy"), "", (": client, length, flags", "client accuracy")),
    "PSPC level: QWK": ((": pspc_level", "qwk"), "", (": pspc_level", "qwk")),
    "pairs of texts that differ in the decisive act: both right": ((": client, length, pairs", "pairs with both right"), "", ""),
    "flags: precision per text and key": ((": flags and evidence", "flags: precision per text and key"),) * 2 + ("not labelled",),
    "flags: recall": ((": flags and evidence", "flags: recall"),) * 2 + ("not labelled",),
    "flags: F1": ((": flags and evidence", "flags: F1"),) * 2 + ("not labelled",),
    "flags: character F1": ((": flags and evidence", "flags: character F1"),) * 2 + ("not labelled",),
    "texts with a false flag": ("", "", (": client, length, flags", "texts with a false flag")),
    "look-alikes flagged": ((": flags and evidence", "look-alikes flagged"),) * 2 + ("not labelled",),
    "evidence: character F1, exact behaviour": ((": flags and evidence", "evidence: character F1, exact behaviour"),) * 2 + ("not labelled",),
    "evidence: character F1, level 2 or higher": ((": flags and evidence", "evidence: character F1, level 2 or higher"),) * 2 + ("not labelled",),
    "evidence taken out: the level falls": ("", (": right for the right reason", "evidence taken out: the level falls"), ""),
    "as many other words taken out: it changes": ("", (": right for the right reason", "other words taken out: it changes"), ""),
}


def table(figures: Figures) -> str:
    """The main figures of a report (`read_figures`) as a Markdown table."""
    new = next(name.partition(":")[0] for name in figures if name.startswith(NEW))
    titles = (MADE, new, OUTSIDE)
    counts = [figures[f"{title}: level"]["n"] for title in titles]
    heads = f"| | made, writer left out (n = {counts[0]}) | made, writers new to the encoder (n = {counts[1]}) | texts by strangers (n = {counts[2]}) |"
    lines = [heads, "| --- | --- | --- | --- |"]
    for label, cells in ROWS.items():
        shown = [
            cell if isinstance(cell, str) else _value(figures[title + cell[0]], cell[1], count)
            for title, cell, count in zip(titles, cells, counts, strict=True)
        ]
        lines.append(f"| {label} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _value(section: Mapping[str, str], name: str, count: str) -> str:
    """A figure by its name, behind which the report may put the number of cases, with this or the section's own number where it is not `count`."""
    for printed, value in section.items():
        if found := re.fullmatch(rf"{re.escape(name)}(?: \(n = (\d+)\))?", printed):
            own = found[1] or section.get("n", count)
            return value if own == count else f"{value}, n = {own}"
    raise SystemExit(f"The evaluation has no figure {name!r}.")


def put(text: str, mark: str, content: str) -> str:
    """The text with the code block or the table after a mark replaced."""
    block = rf"(<!-- {mark} -->\n)(?:```\n(?s:.*?)\n```\n|(?:\|.*\n)+)"
    found, times = re.subn(block, lambda match: match[1] + content, text)
    if times != 1:
        raise SystemExit(f"<!-- {mark} --> stands {times} times before a table or a code block, not once.")
    return found


def with_first_sentence(card: str, figures: Figures) -> str:
    """The model card with both figures of its first sentence, how far made and real texts lie apart."""
    made, outside = (figures[f"{title}: level"]["qwk"] for title in (MADE, OUTSIDE))
    found, times = re.subn(r"agrees with QWK [-\d., \[\]]+;(\s+on texts by strangers with) [-\d., \[\]]+ \(", rf"agrees with QWK {made};\1 {outside} (", card)
    if times != 1:
        raise SystemExit(f"{CARD}: its first sentence, with the QWK on made and on strangers' texts, stands {times} times, not once.")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("printed", type=Path, nargs="*", help="what `classifier evaluate` printed")
    options = parser.parse_args()
    report = REPORT.read_text("utf-8")
    sections = [section for path in options.printed for section in path.read_text("utf-8").strip().split("\n\n")]
    stress = [section for section in sections if section.startswith("Stress: ")]
    for mark, of_mark in (("evaluation", [section for section in sections if section not in stress]), ("stress", stress)):
        if of_mark:
            report = put(report, mark, "```\n" + "\n\n".join(of_mark) + "\n```\n")
    figures = read_figures(report)
    shown = table(figures)
    texts = {REPORT: report, PAGE: page(report), **{path: put(path.read_text("utf-8"), "figures", shown) for path in SHOWN_IN}}
    texts[CARD] = with_first_sentence(texts[CARD], figures)
    for path, text in texts.items():
        path.write_text(text, "utf-8")


def page(report: str) -> str:
    """The report as one page with pictures."""
    return report_page(report, messages()["notice"]["text"])


if __name__ == "__main__":
    main()
