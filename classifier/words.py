"""The words of a text."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> list[str]:
    """The words of a text, lower-cased: runs of letters, inner apostrophes kept.

    >>> words("Don’t call me 2 times")
    ["don't", 'call', 'me', 'times']
    """
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]
