"""What a careful reader points out beside the level: who is served, which parts of the story are told, who acted.

Rules over cue phrases (data/en.toml), no model: each note quotes the words that set it off. A rule that cannot be sure finds nothing, so
that the writer is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil

from classifier.assessment import Note
from classifier.document import Segment, cues
from classifier.words import words

STORY = ("situation", "task", "action", "result")

_FEW_WORDS = 4  # a quote with fewer words tells nothing by itself
_HEADING = re.compile(
    r"[\W_]{0,4}(?P<names>[a-z]+(?:(?:\s*[/&,]\s*|\s+)[a-z]+){0,3}?)\s*(?:\([^)]*\)\s*)?(?:[:)\]*_]+|\s[-–—]+\s|\.?$)[\s*_:–—-]*", re.IGNORECASE
)


@dataclass(frozen=True)
class _Told:
    """A segment without its heading; `heads` are the parts of the story under whose heading it stands."""

    place: int
    start: int
    end: int
    quote: str
    heads: frozenset[str]


def client_words(text: str) -> tuple[Note, ...]:
    """Words that name who is served, each with the client's value that it speaks for, in the order of the text."""
    found = [note for value in ("external", "internal", "not_a_client") for note in _matches(text, value, cues("client_words")[value], 0, len(text))]
    found = [note for note in found if not _names_another(text, note)]
    whole = [note for note in found if not any(note is not other and other.start <= note.start and note.end <= other.end for other in found)]
    return tuple(sorted(whole, key=lambda note: (note.start, -note.end)))


def story(text: str, parts: Sequence[Segment]) -> tuple[Note, ...]:
    """The words that tell the situation, the task, the action and the result; a part that no rule is sure of is left out."""
    told = _told(text, parts)
    action = _action(told)
    found = (_situation(told, action), _task(told), None if action is None else _note("action", action), _result(text, told, action))
    return tuple(note for note in found if note is not None)


def values(text: str, told: Sequence[Note]) -> tuple[Note, ...]:
    """Which dimensions of value the result of a `story` speaks of; none where no result is found."""
    results = [note for note in told if note.key == "result"]
    firsts = (next(_matches(text, name, phrases, r.start, r.end), None) for r in results for name, phrases in cues("values").items())
    return tuple(note for note in firsts if note is not None)


def shared(text: str, parts: Sequence[Segment], found_story: Sequence[Note]) -> tuple[Note, ...]:
    """Segments whose act cannot be told to be the writer's, by how they are told: "we", "passive", or where nothing is told as
    the writer's act, of "other" people or as a "habit". What was asked, and what came of it (by the `story`), is nobody's act.
    """
    told = _told(text, parts)
    outside = [note for note in found_story if note.key in {"task", "result"}]
    none_told = not any(tells_act(t.quote) or _bare_act(t.quote) for t in told)
    told_now = any(tells_act_now(t.quote) for t in told)
    found = []
    for t in told:
        if (t.heads and "action" not in t.heads) or any(note.start < t.end and t.start < note.end for note in outside):
            continue
        key = _shared_key(t.quote, none_told)
        if key is not None and not (key == "other" and told_now):
            found.append(_note(key, t))
    return tuple(found)


def headless(quote: str) -> str:
    """A quote without the heading of the story that it begins with.

    >>> headless("Action: I read their e-mail")
    'I read their e-mail'
    """
    names, length = _heading(quote)
    return quote[length:] if names and length < len(quote) else quote


def tells_act(quote: str) -> bool:
    """Whether the words tell something that the writer did ("I called"), not a state or a habit.

    >>> [tells_act(q) for q in ("I then called her", "I was upset", "I always call", "we called")]
    [True, False, False, False]
    """
    return next(_acts(quote), None) is not None


def tells_act_now(quote: str) -> bool:
    """Whether the words tell something that the writer does, as those write who tell a story in the present; not a state or a habit.

    >>> [tells_act_now(q) for q in ("I then call her", "I think so", "I always call", "when I call")]
    [True, False, False, False]
    """
    if _cue(quote, "habit"):
        return False
    for match in _subject("bare").finditer(quote):
        rest = quote[match.start("verb") :]
        contracted = quote[match.end() : match.end() + 1] in {"'", "’"}  # "didn't", "couldn't"
        settled = contracted or _is_past(match["verb"]) or _starts(rest, "habits") or _starts(rest, "not_acts_now")
        if not settled and _told_for_itself(quote[: match.start()]):
            return True
    return False


# The parts of the story ---------------------------------------------------------------------------------------------


def _action(told: Sequence[_Told]) -> _Told | None:
    headed = [t for t in told if "action" in t.heads]
    among = headed or [t for t in told if "result" not in t.heads]
    tests: tuple[Callable[[str], bool], ...] = (_tells_one_act, tells_act, _bare_act)
    if not any(_habit(t.quote) for t in told):
        tests += (tells_act_now,)
    for test in tests:
        for t in among:
            if test(t.quote):
                return t
    return headed[0] if headed else None


def _situation(told: Sequence[_Told], action: _Told | None) -> Note | None:
    """What is told before the first act of the writer, also in the same segment."""
    headed = [t for t in told if "situation" in t.heads]
    if headed:
        return _note("situation", headed[0])
    last = _first_third(told) - 1 if action is None else action.place
    among = [t for t in told if t.place <= last and not t.heads and not _habit(t.quote)]
    for test in (_tells_event, _sets_scene):
        for t in among:
            before = _without_joining(t.quote[: _own_act(t.quote)])
            if len(words(before)) >= _FEW_WORDS and test(before) and not _bare_act(before):
                return Note("situation", t.start, t.start + len(before), before)
    return None


def _task(told: Sequence[_Told]) -> Note | None:
    """What the writer says was to be done, or what others asked for before the writer acted; in the first third."""
    headed = [t for t in told if "task" in t.heads]
    if headed:
        return _note("task", headed[0])
    early = [t for t in told[: _first_third(told)] if not t.heads & {"action", "result"} and not _habit(t.quote)]
    for t in early:
        if _cue(t.quote, "task"):
            return _note("task", t)
    for t in early:
        asked = _first_cue(t.quote[: _own_act(t.quote)], "asked")
        if asked is not None:
            # What stands before the asking is another part's; of "wrote to ask", the task is "to ask".
            first = asked.end - 2 if asked.quote.lower().endswith(" to") else asked.start
            return Note("task", t.start + first, t.end, t.quote[first:])
    return None


def _result(text: str, told: Sequence[_Told], action: _Told | None) -> Note | None:
    """What stands under its heading; else the last segment of the second half that tells what came of it, with those before it that do."""
    headed = [t for t in told if "result" in t.heads]
    if headed:
        return Note("result", headed[0].start, headed[-1].end, text[headed[0].start : headed[-1].end])
    first = len(told) * 2 // 3 if action is None else max(action.place + 1, len(told) // 2)
    after = [t for t in told[first:] if not t.heads & {"situation", "task"}]
    ends = [t for t in after if _tells_result(t, told)]
    if not ends:
        return None
    end = start = ends[-1]
    while start.place > first and _tells_result(told[start.place - 1], told):
        start = told[start.place - 1]
    if len(words(text[start.start : end.end])) < _FEW_WORDS and start.place > 0:  # "She had." answers the segment before
        start = told[start.place - 1]
    return Note("result", start.start, end.end, text[start.start : end.end])


def _tells_result(t: _Told, told: Sequence[_Told]) -> bool:
    """By its words; the last segment also where it tells neither an act of the writer nor of the writer's group."""
    if _cue(t.quote, "reflection") or (_habit(t.quote) and not _cue(t.quote, "thanks")):
        return False
    ours = set(words(t.quote)) & {*cues("writer")["first_person"], *cues("writer")["we"]}
    others = _subject("me").sub("", t.quote)  # "I thanked her" is no thanks of hers
    return _cue(others, "result") or _cue(others, "thanks") or (0 < t.place == len(told) - 1 and not ours and _tells_event(t.quote))


def _first_third(told: Sequence[_Told]) -> int:
    return max(1, ceil(len(told) / 3))


def _told(text: str, parts: Sequence[Segment]) -> tuple[_Told, ...]:
    """The segments without headings, each under the heading that stands last before it. Single letters head only where two differ."""
    headings = [_heading(text[s.start : s.end]) for s in parts]
    long = any(len(name) > 1 for names, _ in headings for name in names)
    trusted = long or len({part for names, _ in headings for part in _parts_of(names)}) > 1
    heads: frozenset[str] = frozenset()
    found: list[_Told] = []
    for segment, (names, length) in zip(parts, headings, strict=True):
        start = segment.start
        if names and trusted:
            heads = _parts_of(names)
            start += length
        if start < segment.end:
            found.append(_Told(len(found), start, segment.end, text[start : segment.end], heads))
    return tuple(found)


def _heading(quote: str) -> tuple[tuple[str, ...], int]:
    """The names of the parts that a segment's heading gives ("Task:", "[T]", "Situation / Task -"), and the heading's length."""
    match = _HEADING.match(quote)
    if match is None:
        return (), 0
    known = {name for names in cues("story_headings").values() for name in names}
    whole = " ".join(match["names"].lower().split())
    names = (whole,) if whole in known else tuple(n for n in re.split(r"\s*[/&,]\s*|\s+and\s+", whole) if n)
    return (names, match.end()) if all(name in known for name in names) else ((), 0)


def _parts_of(names: Iterable[str]) -> frozenset[str]:
    return frozenset(part for part, headings in cues("story_headings").items() if any(name in headings for name in names))


# Who acted ----------------------------------------------------------------------------------------------------------


def _shared_key(quote: str, none_told: bool) -> str | None:
    named = set(words(quote))
    first_person = named & set(cues("writer")["first_person"])
    if none_told and _habit(quote) and named & {*cues("writer")["me"], *cues("writer")["we"]}:
        return "habit"
    if not first_person and _tells_act_of(quote, "we"):
        return "we"
    if none_told and _tells_act_of(quote, "others"):
        return "other"
    return "passive" if not first_person and _passive(quote) else None


def _passive(quote: str) -> bool:
    """Whether an act is told with no word on who did it; states, feelings and what a clause adds on the side are no acts."""
    states = {*cues("writer")["states"], *cues("writer")["feelings"]}
    for match in _passives().finditer(quote):
        before = words(quote[: match.start()])[-_FEW_WORDS:]
        told_by = _starts(quote[match.end() :], "agents")
        if match["verb"].lower() not in states and _is_past(match["verb"]) and not told_by and not set(before) & set(cues("writer")["subordinators"]):
            return True
    return False


def _tells_act_of(quote: str, whom: str) -> bool:
    return any(_is_past(match["verb"]) and not _starts(quote[match.start("verb") :], "states") for match in _subject(whom).finditer(quote))


def _acts(quote: str) -> Iterator[int]:
    """Where "I" with an act in the past begins."""
    for match in _subject("me").finditer(quote):
        rest = quote[match.start("verb") :]
        if _starts(rest, "able") or (_is_past(match["verb"]) and not _starts(rest, "states") and not _starts(rest, "not_done")):
            yield match.start()


def _own_act(quote: str) -> int | None:
    """Where the first act of the writer begins that is told for itself, and not to say when ("when I took over …")."""
    return next((start for start in _acts(quote) if _told_for_itself(quote[:start])), None)


def _told_for_itself(before: str) -> bool:
    """Whether an act behind these words is told for itself."""
    named = words(before)
    return not named or named[-1] not in cues("writer")["subordinators"]


def _tells_one_act(quote: str) -> bool:
    return _own_act(quote) is not None and not _cue(quote, "habit")


def _bare_act(quote: str) -> bool:
    """Whether it begins with an act and no subject, as in notes ("- asked the bank for the slip")."""
    match = re.match(r"\W*(\w+)\s+(\w+)", quote)
    if match is None or not _is_past(match[1]):
        return False
    return not _starts(quote[match.start(1) :], "states") and match[1].lower() not in cues("writer")["feelings"] and not _starts(match[2], "agents_begin")


def _habit(quote: str) -> bool:
    """Whether it tells what the writer does as a rule: a word for always with no act, or "I" with a verb that is not in the past."""
    if tells_act(quote):
        return False
    return _cue(quote, "habit") or any(_starts(quote[match.start("verb") :], "habits") for match in _subject("me").finditer(quote))


def _tells_event(quote: str) -> bool:
    """Whether something is told in the past; what "has been" tells no one occasion."""
    named = words(quote)
    return any(_is_past(word) and before not in cues("writer")["perfect"] for before, word in zip(["", *named], named, strict=False))


def _sets_scene(quote: str) -> bool:
    return _starts(quote, "openers", "story")


def _is_past(word: str) -> bool:
    word = word.lower()
    return word in _past() or (len(word) > 4 and word.endswith("ed") and word not in cues("writer")["not_past"])


# Words --------------------------------------------------------------------------------------------------------------


def _note(key: str, t: _Told) -> Note:
    return Note(key, t.start, t.end, t.quote)


def _names_another(text: str, note: Note) -> bool:
    """Whether the word is part of another name ("guest role"), or names the writer's own house or family ("our company")."""
    rules, word = cues("client_words"), note.quote.lower()
    before, after = words(text[max(0, note.start - 20) : note.start])[-1:], words(text[note.end : note.end + 20])[:1]
    joined = text[note.end : note.end + 1] == " "
    own = word in rules["not_ours"] and bool({*before} & {*cues("writer")["own"]})
    quality = word in rules["qualities"] and (not before or before[0] not in rules["articles"])
    return own or quality or (joined and bool({*after} & {*rules["not_before"]}))


def _without_joining(quote: str) -> str:
    """Without the words and signs that join it to what follows ("… was late and")."""
    quote = quote.rstrip(" ,;:-–—\n")
    while (last := words(quote)[-1:]) and last[0] in cues("clauses")["joining"] and quote.lower().endswith(last[0]):
        quote = quote[: -len(last[0])].rstrip(" ,;:-–—")
    return quote


def _cue(quote: str, name: str) -> bool:
    return _first_cue(quote, name) is not None


def _first_cue(quote: str, name: str) -> Note | None:
    return next(_matches(quote, name, cues("story")[name], 0, len(quote)), None)


def _starts(quote: str, name: str, table: str = "writer") -> bool:
    return _pattern(tuple(cues(table)[name])).match(quote.lstrip()) is not None


def _matches(text: str, key: str, phrases: Iterable[str], start: int, end: int) -> Iterator[Note]:
    for match in _pattern(tuple(phrases)).finditer(text, start, end):
        yield Note(key, match.start(), match.end(), match.group())


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'’])(?:{_either(phrases)})(?!-?\w)", re.IGNORECASE)


def _either(phrases: Iterable[str]) -> str:
    """A pattern for any of these phrases, the longest first, with straight or curly apostrophes."""
    return "|".join(re.escape(p).replace("'", "['’]") for p in sorted(phrases, key=len, reverse=True))


@cache
def _past() -> frozenset[str]:
    return frozenset(cues("writer")["past"])


@cache
def _subject(name: str) -> re.Pattern[str]:
    """A subject, adverbs, and the word where the verb stands."""
    subjects, adverbs = (_either(cues("writer")[key]) for key in (name, "adverbs"))
    return re.compile(rf"(?<![\w'’.])(?:{subjects})\s+(?:(?:\w+ly|{adverbs})\s+){{0,2}}(?P<verb>\w+)", re.IGNORECASE)


@cache
def _passives() -> re.Pattern[str]:
    forms, adverbs = (_either(cues("writer")[key]) for key in ("be", "adverbs"))
    return re.compile(rf"\b(?:{forms})\s+(?:(?:\w+ly|{adverbs})\s+){{0,2}}(?P<verb>\w+)", re.IGNORECASE)
