"""A page of pictures from a scored table."""

from __future__ import annotations

from pathlib import Path


def write_report(scored: Path, page: Path, notice: str, *, text: str | None, group: str | None, smallest: int) -> None:
    """placeholder while the rest is built"""
    raise NotImplementedError
