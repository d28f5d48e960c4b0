"""What a careful reader points out beside the level: who is served, which parts of the story are told, who acted.

Rules over cue phrases (data/en.toml), no model: each note quotes the words that set it off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from classifier.assessment import Note
from classifier.document import Segment, cues
from classifier.words import words

STORY = ("situation", "task", "action", "result")

# "was sent", "were then told": a form of be, at most one adverb, a participle.
_PASSIVE = re.compile(
    r"\b(?:was|were|been|being|is|are|got)\s+(?:\w+ly\s+|then\s+|also\s+)?"
    r"(?:\w{3,}ed|sent|told|given|made|found|done|put|taken|built|written|held|kept|shown|brought|set up)\b",
    re.IGNORECASE,
)
_WE = frozenset({"we", "we're", "we've", "we'd", "we'll"})


def client_words(text: str) -> tuple[Note, ...]:
    """Words that name who is served, each with the client's value that it speaks for, in the order of the text."""
    found = [note for value in ("external", "internal", "not_a_client") for note in _matches(text, value, cues("client_words")[value], 0, len(text))]
    return tuple(sorted(found, key=lambda note: (note.start, -note.end)))


def story(text: str, parts: Sequence[Segment]) -> tuple[Note, ...]:
    """The first segment that tells the situation, the task, the action and the result; absent parts are left out."""
    found = {}
    for part in STORY:
        for segment in parts if part != "result" else reversed(parts):
            if _heads(text, segment, part) or next(_matches(text, part, cues("story")[part], segment.start, segment.end), None):
                found[part] = Note(part, segment.start, segment.end, text[segment.start : segment.end])
                break
    return tuple(found[part] for part in STORY if part in found)


def values(text: str, parts: Sequence[Segment]) -> tuple[Note, ...]:
    """Which dimensions of value the last third of the text, where the result stands, speaks of."""
    if not parts:
        return ()
    start = parts[len(parts) * 2 // 3].start
    firsts = (next(_matches(text, name, phrases, start, len(text)), None) for name, phrases in cues("values").items())
    return tuple(note for note in firsts if note is not None)


def shared(text: str, parts: Sequence[Segment]) -> tuple[Note, ...]:
    """Segments told as "we" or in the passive, with no word for the writer."""
    first_person = set(cues("writer")["first_person"])
    found = []
    for segment in parts:
        quote = text[segment.start : segment.end]
        named = set(words(quote))
        if named & first_person:
            continue
        if named & _WE:
            found.append(Note("we", segment.start, segment.end, quote))
        elif _PASSIVE.search(quote):
            found.append(Note("passive", segment.start, segment.end, quote))
    return tuple(found)


def _heads(text: str, segment: Segment, part: str) -> bool:
    """Whether the segment begins with the part's heading ("Task:", "T -")."""
    match = re.match(r"\W{0,3}(\w+)\s*[:\-–—)]", text[segment.start : segment.end])
    return match is not None and match.group(1).lower() in cues("story_headings")[part]


def _matches(text: str, key: str, phrases: Iterable[str], start: int, end: int) -> Iterator[Note]:
    for match in _pattern(tuple(phrases)).finditer(text, start, end):
        yield Note(key, match.start(), match.end(), match.group())


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<![\w'’])(?:" + "|".join(re.escape(p) for p in longest_first) + r")(?![\w])", re.IGNORECASE)
