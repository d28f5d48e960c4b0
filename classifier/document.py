"""Text to a spaCy Doc and its segments. The only module that loads a spaCy pipeline.

The default pipeline is ``spacy.blank("en")``: rules only, nothing to download.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from classifier.framework import DATA
from classifier.refusals import suspect
from classifier.words import words

MAX_CHARACTERS = 20_000
MIN_WORDS = 8


@dataclass(frozen=True)
class Segment:
    """A sentence, a line or a bullet: `start` and `end` are character offsets, without outer white space."""

    start: int
    end: int


@Language.component("segment_starts")
def _segment_starts(doc: Doc) -> Doc:
    """Mark sentence starts at sentence ends, line ends and bullets (spaCy's sentencizer ignores the last two)."""
    start_next = True
    for token in doc:
        token.is_sent_start = start_next
        start_next = token.is_space and (start_next or "\n" in token.text)
        if token.text in {".", "!", "?", "…", "...", ";"} or token.text.endswith(('."', '!"', '?"')):
            following = doc[token.i + 1] if token.i + 1 < len(doc) else None
            start_next = following is not None and (bool(token.whitespace_) or not _closes(following.text))
        elif not token.is_sent_start and token.text in {'"', "”", ")", "'"} and token.i and doc[token.i - 1].text in {".", "!", "?"}:
            start_next = True
    return doc


def _closes(text: str) -> bool:
    return text in {'"', "”", ")", "]", "'", "’", ".", "!", "?", ","}


@cache
def messages() -> dict[str, Any]:
    """data/en.toml: every visible string, and the words that the rules look for."""
    return tomllib.loads((DATA / "en.toml").read_text("utf-8"))


def cues(name: str) -> dict[str, list[str]]:
    """A table of cue phrases from data/en.toml, by its name."""
    found: dict[str, list[str]] = messages()[name]
    return found


# No word or address is so long, and spaCy's time grows with the square of a run of signs.
_ENDLESS = re.compile(r"\S{501}")


@cache
def _pipeline() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("segment_starts")
    nlp.max_length = 10 * MAX_CHARACTERS
    return nlp


def segments(text: str) -> tuple[Segment, ...]:
    """Cut a text into segments, in order, without overlap; white space between them belongs to none.

    Examples
    --------
    >>> text = "I called back. She was glad.\\n- sent the form"
    >>> [text[s.start:s.end] for s in segments(text)]
    ['I called back.', 'She was glad.', '- sent the form']
    """
    found = []
    for sentence in _pipeline()(text).sents:
        stripped = sentence.text.strip()
        if stripped:
            start = sentence.start_char + sentence.text.index(stripped)
            found.append(Segment(start, start + len(stripped)))
    return tuple(found)


def refusal(text: str) -> str | None:
    """Why this text cannot be assessed, in a few words; None when it can.

    >>> refusal("   ")
    'empty'
    """
    if not text.strip():
        return _reason("empty")
    if len(text) > MAX_CHARACTERS:
        return _reason("too_long", found=len(text), limit=MAX_CHARACTERS)
    if any(unicodedata.category(character) == "Cs" or character == "\0" for character in text):
        return _reason("not_text")
    if _ENDLESS.search(text):
        return _reason("not_text")
    found = words(text)
    if len(found) < MIN_WORDS:
        return _reason("too_short", found=len(found), limit=MIN_WORDS)
    key = suspect(text, found)
    return None if key is None else _reason(key)


def _reason(key: str, **numbers: int) -> str:
    return str(messages()["refusals"][key]).format(**numbers)
