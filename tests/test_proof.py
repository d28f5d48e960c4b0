"""The page of the evaluation: every figure is on it, nothing comes from elsewhere, and hostile names stay text."""

from __future__ import annotations

import os
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from classifier.errors import InputError
from classifier.private import write_private
from classifier.proof import page
from classifier.sections import Section

SECTIONS = [
    Section("Level (n = 3)", {"qwk": (0.5, (0.25, 0.75)), "mae": (1.25, None), "partial r": (-0.1, None)}, ("recall 0: 0.5",)),
    Section("Certainty", {}, (), {"wrong by answered": ((0.5, 0.0), (1.0, 0.25))}),
    Section("Group <script>alert(1)</script>", {}, ("a & b",)),
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "rect", "path", "polyline"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "rect", "path", "polyline"}:
            assert self.open.pop() == tag


def test_the_page_holds_every_figure_and_stands_alone() -> None:
    shown = page(SECTIONS, "Model x", "A person decides.")
    tags = Tags()
    tags.feed(shown)
    assert tags.open == []
    assert not any(name in attributes for _, attributes in tags.found for name in ("src", "href", "onload"))
    assert not {tag for tag, _ in tags.found} & {"script", "link", "img", "iframe"}
    for expected in ("0.500", "0.250 to 0.750", "1.250", "-0.100", "recall 0: 0.5", "a &amp; b", "A person decides."):
        assert expected in shown
    assert len(re.findall("<svg aria-hidden", shown)) == 1, "a mean error and what is below 0 have no bar"
    assert 'width="120.0"' in shown and "M60.0 9H180.0" in shown


@pytest.mark.parametrize("name", ["qwk", "level set covers", "mean Spearman over organizations", "PRMSE (n = 3 read twice)", "must fall (aim 0.90, n = 9)"])
def test_a_share_an_agreement_and_a_correlation_have_a_bar(name: str) -> None:
    assert "<svg" in page([Section("A", {name: (0.25, None)})], "model", "notice")


@pytest.mark.parametrize(
    "name",
    [
        "mae",
        "level set mean size",
        "expected level: standardized mean difference",
        "expected level: ratio of standard deviations",
        "one text of 190 words: p50, seconds",
        "p95, seconds",
        "texts a second (of 64)",
        "peak memory, MB",
        "model on disk, MB",
    ],
)
def test_another_figure_has_none_though_it_lies_between_0_and_1(name: str) -> None:
    shown = page([Section("A", {name: (0.25, None)})], "model", "notice")
    assert "<td>0.250</td>" in shown and "<svg" not in shown


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "a.html", b"one")
        write_private(tmp_path / "a.html", b"two")
    finally:
        os.umask(before)
    assert (tmp_path / "a.html").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "a.html").stat().st_mode) == 0o600
    with pytest.raises(InputError, match="cannot be written"):
        write_private(tmp_path / "no" / "a.html", b"x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_private(tmp_path / "folder", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "folder"], "a part was left"


def test_a_curve_is_drawn_and_told() -> None:
    shown = page(SECTIONS, "model", "notice")
    assert '<polyline points="120.0,240.0 240.0,180.0"' in shown
    assert 'aria-label="wrong by answered; from 0.00 to 0.25"' in shown
