"""Names, numbers and addresses out of a text, by rules on spaCy's tokens. A person looks at the result and confirms it.

Rules find what looks like a name, not who somebody is: they take out too much rather than too little, and they miss a name
that stands only at the beginning of sentences. Such words are listed as doubtful.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import spacy
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc, Token

from classifier.assessment import Note

_TITLES = {"mr", "mrs", "ms", "miss", "dr", "mme", "mlle", "sir", "madam", "prof"}
_STREETS = ["street", "st", "st.", "avenue", "ave", "ave.", "road", "rd", "rd.", "boulevard", "blvd", "drive", "lane", "crescent", "court", "way", "place"]
# Capitalized words that name no person or place of the text.
_KNOWN = {
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "english", "french", "i", "canada", "canadian",
    "service", "excellence", "situation", "task", "action", "result", "excel", "word", "outlook", "christmas", "easter",
}  # fmt: skip
_PATTERNS = (
    ("address", re.compile(r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ -]?\d[A-Z]\d\b", re.IGNORECASE)),
    ("number", re.compile(r"(?<![\w$€£.,])\+?\(?\d(?:[ ().-]?\d){6,}(?![\w])")),
    ("number", re.compile(r"(?<![\w$€£.,])[A-Za-z]{0,4}-?\d{5,}[\w-]*")),
)


@dataclass(frozen=True)
class Pseudonymized:
    """A text with placeholders.

    replaced : (start, end, placeholder) in the text as it was, in order
    doubtful : words that begin a sentence and may be names; they still stand in the text
    """

    text: str
    replaced: tuple[tuple[int, int, str], ...]
    doubtful: tuple[str, ...]

    def moved(self, start: int, end: int) -> tuple[int, int]:
        """Where the words from `start` to `end` of the text as it was stand now; a placeholder is taken whole."""
        return self._moved(start, False), self._moved(end, True)

    def _moved(self, place: int, is_end: bool) -> int:
        shift = 0
        for start, end, placeholder in self.replaced:
            if place >= end:
                shift += len(placeholder) - (end - start)
            elif place > start:
                return start + shift + (len(placeholder) if is_end else 0)
        return place + shift


def pseudonymize(text: str) -> Pseudonymized:
    """Put placeholders for what looks like a name, a number or an address; the same name always gets the same one.

    >>> pseudonymize("I called Ms. Tremblay at 613-555-0199. Tremblay was glad.").text
    'I called Ms. [name 1] at [number]. [name 1] was glad.'
    """
    doc = _pipeline()(text)
    found: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(_found(doc), key=lambda f: (f[0], -f[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end, kind))
    names: dict[str, int] = {}
    replaced = []
    for start, end, kind in found:
        name = text[start:end].lower()
        placeholder = f"[name {names.setdefault(name, len(names) + 1)}]" if kind == "name" else f"[{kind}]"
        replaced.append((start, end, placeholder))
    parts, last = [], 0
    for start, end, placeholder in replaced:
        parts += [text[last:start], placeholder]
        last = end
    parts.append(text[last:])
    return Pseudonymized("".join(parts), tuple(replaced), tuple(_doubtful(doc, replaced)))


def labels(text: str, made: Pseudonymized, notes: Sequence[Note]) -> list[dict[str, str]]:
    """Keys with their quotes in a pseudonymized text that a person may have edited; a quote that is no longer in it is left out."""
    found = []
    for note in notes:
        start, end = made.moved(note.start, note.end)
        quote = made.text[start:end]
        if quote in text:
            found.append({"key": note.key, "quote": quote})
    return found


def _found(doc: Doc) -> Iterator[tuple[int, int, str]]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(doc.text):
            yield match.start(), match.end(), kind
    for token in doc:
        if token.like_email or token.like_url:
            yield token.idx, token.idx + len(token), "address"
    for _, first, last in _addresses()(doc):
        span = doc[first:last]
        yield span.start_char, span.end_char, "address"
    names = {token.text for token in doc if _named(token)}
    run: list[Token] = []
    for token in [*doc, None]:
        if token is not None and token.text in names and (not run or token.i == run[-1].i + 1):
            run.append(token)
            continue
        if run:
            yield run[0].idx, run[-1].idx + len(run[-1]), "name"
        run = [token] if token is not None and token.text in names else []


def _named(token: Token) -> bool:
    """A capitalized word after a title, or inside a sentence."""
    if not token.text[:1].isupper() or (token.is_upper and len(token) > 2) or token.lower_.strip(".") in _KNOWN | _TITLES:
        return False
    if token.i and token.nbor(-1).lower_.strip(".") in _TITLES:
        return True
    return not _begins(token) and token.is_title and token.is_alpha and len(token) > 1 and token.lower_ not in _lower(token.doc) and not token.is_stop


def _begins(token: Token) -> bool:
    """Whether a capital says nothing here: the first word of a sentence, a line, a quotation or a list."""
    before = token.nbor(-1) if token.i else None
    if before is None or before.is_space:
        return True
    joined = before.text in {",", "'s", "’s", "&"} or (before.text == "-" and not before.whitespace_)
    return not (before.is_alpha or joined or before.lower_.strip(".") in _TITLES)


def _doubtful(doc: Doc, replaced: list[tuple[int, int, str]]) -> Iterator[str]:
    seen = set()
    for token in doc:
        inside = any(start <= token.idx < end for start, end, _ in replaced)
        plain = token.is_stop or token.lower_ in _KNOWN or token.lower_ in _lower(doc) or not token.is_alpha
        if token.is_title and not inside and not plain and token.text not in seen:
            seen.add(token.text)
            yield token.text


def _lower(doc: Doc) -> set[str]:
    return {token.text for token in doc if token.is_lower}


@cache
def _pipeline() -> Language:
    return spacy.blank("en")


@cache
def _addresses() -> Matcher:
    matcher = Matcher(_pipeline().vocab)
    matcher.add("street", [[{"IS_DIGIT": True}, {"IS_TITLE": True, "OP": "{1,3}"}, {"LOWER": {"IN": _STREETS}}]], greedy="LONGEST")
    return matcher
