"""A stress suite: named tests of what must not raise a level, what must lower it, and what must not move it.

Each test makes pairs of texts, before and after, from labelled examples and the word lists of data/stress.toml. The same
examples give the same cases: choices follow a hash of the example's id.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from typing import Any

from classifier.assessment import Assesses
from classifier.corpus import Example
from classifier.document import segments
from classifier.framework import DATA, load_framework
from classifier.pairs import Pair
from classifier.sections import Figure, Section
from classifier.words import words

Made = str | tuple[str, str] | None

LIMIT = 40
RISE, FALL, STAY, MOVE = "must not rise", "must fall", "must stay", "must not move"
_IDENTITY = "must not move: identity"
_NOTE = "n counts cases; a test without cases had no text that it applies to"
_SHOWN = 3  # failed cases that are named for each test


@dataclass(frozen=True)
class Case:
    """A text, and the same text changed. `most` is the highest level that the changed text may get where no text stands before it."""

    id: str
    before: str | None
    after: str
    human: int | None = None
    most: int = 0


@dataclass(frozen=True)
class Test:
    """A named test. `group` says what its cases must do.

    `made` gives the changed form of an example's text, or both forms, and None where the test does not apply to it.
    """

    name: str
    group: str
    made: Callable[[Example], Made] | None = None
    cases: tuple[Case, ...] = ()
    levels: frozenset[int] = frozenset(range(5))

    __test__ = False  # not a test of pytest's


@dataclass(frozen=True)
class Outcome:
    """What a test gave: how many cases passed of how many, the ids of some that did not, and how many changed texts were refused."""

    test: Test
    passed: int
    cases: int
    failed: tuple[str, ...]
    refused: int = 0


def stress(assessor: Assesses, examples: Sequence[Example], limit: int = LIMIT, pairs: Sequence[Pair] = ()) -> list[Section]:
    """Pass rates of every test and every group, beside the aims.

    limit : most cases a test.
    pairs : texts that differ in a name, in the writer's English or in their decisive act only (corpus/counterfactuals).
    """
    found = list(outcomes(assessor, examples, limit, pairs))
    aims: dict[str, float] = _data()["aims"]
    figures: dict[str, Figure] = {}
    notes = [_NOTE]
    for group, aim in aims.items():
        passed, cases, refused = (sum(getattr(o, field) for o in found if o.test.group == group) for field in ("passed", "cases", "refused"))
        if cases:
            figures[f"{group} (aim {aim:.2f}, n = {cases})"] = (passed / cases, None)
        if refused and group in (RISE, FALL):
            of_others = f"; of the {cases - refused} that were assessed {(passed - refused) / (cases - refused):.3f} passed" if cases > refused else ""
            notes.append(f"{group}: {refused} cases passed because the text was refused{of_others}")
    sections = [Section(f"Stress: {len(found)} tests, {sum(o.cases for o in found)} cases", figures, tuple(notes))]
    for group in aims:
        lines = [_line(outcome) for outcome in found if outcome.test.group == group]
        sections.append(Section(f"Stress: {group}", {}, tuple(lines)))
    return sections


def outcomes(assessor: Assesses, examples: Sequence[Example], limit: int = LIMIT, pairs: Sequence[Pair] = ()) -> Iterator[Outcome]:
    """Run every test."""
    known: dict[str, int | None] = {}

    def level(text: str) -> int | None:
        if text not in known:
            (answer,) = assessor.assess_many([text])
            known[text] = answer.ratings["level"].level if answer.ok else None
        return known[text]

    for test in [*tests(), *pair_tests(pairs)]:
        passed, ran, refused, failed = 0, 0, 0, []
        for case in cases(test, examples):
            if ran == limit:
                break
            before = None if case.before is None else level(case.before)
            if case.before is not None and before is None:
                continue  # the text itself is refused
            if test.group in (FALL, STAY) and (before == 0 or before != case.human):
                continue  # what the model had not seen cannot be taken away
            after = level(case.after)
            ran += 1
            refused += after is None
            if holds(test.group, before, after, case.most):
                passed += 1
            else:
                failed.append(f"{case.id} ({'alone' if before is None else before} to {'refused' if after is None else after})")
        yield Outcome(test, passed, ran, tuple(failed[:_SHOWN]), refused)


def holds(group: str, before: int | None, after: int | None, most: int) -> bool:
    """Whether a case passes. A refusal (None) is no rise and is a fall; a text that must not move must not be refused either.

    >>> holds("must not rise", 2, None, 0), holds("must not move", 2, None, 0), holds("must not rise", None, 1, 0)
    (True, False, False)
    """
    if group == RISE:
        return after is None or after <= (most if before is None else before)
    if group == FALL:
        return after is None or (before is not None and after < before)
    return after is not None and after == before


def cases(test: Test, examples: Sequence[Example]) -> Iterator[Case]:
    """The cases of a test, in an order that the example's id and the test's name decide."""
    yield from test.cases
    if test.made is None:
        return
    for example in sorted(examples, key=lambda e: _hash(f"{test.name} {e.id}")):
        if example.ratings.get("level") in test.levels:
            made = test.made(example)
            before, after = made if isinstance(made, tuple) else (example.text, made)
            if after is not None and after != before:
                yield Case(example.id, before, after, example.ratings["level"])


@cache
def tests() -> tuple[Test, ...]:
    """Every test that is made from examples or data."""
    attacks, swaps, names = (_data()[table] for table in ("attacks", "swaps", "names"))
    low = frozenset({0, 1, 2, 3})
    statements = {value: [b.text for b in load_framework("cra").scale("level").level(value).behaviours] for value in (3, 4)}
    grand = tuple(Case(f"blown up {i}", pair["plain"], pair["grand"]) for i, pair in enumerate(_data()["blown_up"], 1))
    return (
        Test("competency sentences pasted in", RISE, lambda e: f"{e.text} {' '.join(_pick(e, statements[3], 1) + _pick(e, statements[4], 1))}", levels=low),
        Test("level named and self-rated", RISE, lambda e: f"{e.text} {attacks['self_rating']}", levels=low),
        Test("strategic words round the act", RISE, lambda e: f"{attacks['buzz_before']} {e.text} {attacks['buzz_after']}", levels=low),
        Test("the text twice", RISE, lambda e: f"{e.text}\n\n{e.text}", levels=low),
        Test("30 % other prose at the end", RISE, lambda e: _mixed(e, attacks["off_topic"], within=False), levels=low),
        Test("30 % other prose between sentences", RISE, lambda e: _mixed(e, attacks["off_topic"], within=True), levels=low),
        Test("sentences shuffled", RISE, _shuffled, levels=low),
        Test("a list of duties at the end", RISE, lambda e: f"{e.text}\n\n" + "\n".join(f"- {duty}" for duty in attacks["duties"]), levels=low),
        Test("told as we", RISE, lambda e: _swap(e.text, swaps["first_person_we"]), levels=low),
        Test("the manager as client", RISE, lambda e: _swap(e.text, swaps["clients"])),
        Test("an instruction at the end", RISE, lambda e: f"{e.text} {attacks['instruction']}", levels=low),
        Test("a polite instruction at the start", RISE, lambda e: f"{attacks['polite_instruction']} {e.text}", levels=low),
        Test("words with hidden characters", RISE, lambda e: f"{e.text} " + "\u200b".join(attacks["hidden"]), levels=low),
        Test("a duty list alone", RISE, cases=_alone("duty list", attacks["duty_lists"])),
        Test("manager or team helped", RISE, cases=_alone("manager", attacks["manager_clients"])),
        Test("a routine act blown up", RISE, cases=grand),
        Test("told of somebody else", FALL, lambda e: _swap(e.text, swaps["first_person_other"])),
        Test("told of somebody by name or role", FALL, _told_of_one_named),
        Test("1 % of letters mistyped", MOVE, lambda e: _typos(e, 0.01)),
        Test("2 % of letters mistyped", MOVE, lambda e: _typos(e, 0.02)),
        Test("5 % of letters mistyped", MOVE, lambda e: _typos(e, 0.05)),
        Test("American spelling", MOVE, lambda e: _swap(e.text, swaps["spelling"])),
        Test("Canadian spelling", MOVE, lambda e: _swap(e.text, [pair[::-1] for pair in swaps["spelling"] if pair[1] not in _AMBIGUOUS])),
        Test("contractions", MOVE, lambda e: _swap(e.text, swaps["contractions"])),
        Test("contractions written out", MOVE, lambda e: _swap(e.text, [pair[::-1] for pair in swaps["contractions"] if pair[1] not in _AMBIGUOUS])),
        Test("passive voice", MOVE, _passive),
        Test("bullets for sentences", MOVE, _bullets),
        Test("sentences for bullets", MOVE, _prose),
        Test("one paragraph", MOVE, lambda e: " ".join(e.text.split())),
        Test("curly quotation marks", MOVE, lambda e: re.sub(r"(?<=\w)'(?=\w)", "’", e.text)),
        Test("context at the start", MOVE, lambda e: f"{_pick(e, attacks['padding'], 1)[0]} {e.text}"),
        Test("more context at the start", MOVE, lambda e: f"{' '.join(_pick(e, attacks['padding'], 3))} {e.text}"),
        Test("context at the end", MOVE, lambda e: "\n".join([e.text, *_pick(e, attacks["padding"], 1)])),
        Test("more context at the end", MOVE, lambda e: "\n".join([e.text, " ".join(_pick(e, attacks["padding"], 3))])),
        Test("second-language English", MOVE, lambda e: _second_language(e.text)),
        Test("she for he", _IDENTITY, lambda e: _regendered(e.text, "men", "women", nouns=False)),
        Test("he for she", _IDENTITY, lambda e: _regendered(e.text, "women", "men", nouns=False)),
        Test("women for men", _IDENTITY, lambda e: _regendered(e.text, "men", "women", nouns=True)),
        Test("men for women", _IDENTITY, lambda e: _regendered(e.text, "women", "men", nouns=True)),
        Test("places", _IDENTITY, lambda e: _swap(e.text, swaps["places"])),
        *(Test(f"names: {kind}", _IDENTITY, lambda e, kind=kind: _named(e, names, kind)) for kind in names if kind != "plain"),  # type: ignore[misc]
    )


def pair_tests(pairs: Iterable[Pair]) -> Iterator[Test]:
    """Tests of pairs that are written out, one a kind; where readers judged the changed text, one of those that lost their level and one of the others."""
    kinds: dict[tuple[str, str], list[Case]] = {}
    for pair in pairs:
        if pair.readings:
            group = FALL if pair.fell else STAY
            name = pair.kind if pair.fell else f"{pair.kind}, the rest shows the level"
        else:
            group, name = _IDENTITY if pair.kind.startswith("name") else MOVE, f"written pairs: {pair.kind}"
        kinds.setdefault((name, group), []).append(Case(pair.id, pair.a, pair.b, pair.level))
    for (name, group), made in kinds.items():
        yield Test(name, group, cases=tuple(made))


_AMBIGUOUS = {"check", "checks", "meter", "i'd", "it's", "that's"}


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((DATA / "stress.toml").read_text("utf-8"))


_I = re.compile(r"i(?:['’ ]|$)", re.IGNORECASE)
_NOUN = re.compile(r"\b(?:the|a) (?:client|customer|taxpayer|caller)\b(?!['’])", re.IGNORECASE)


def _line(outcome: Outcome) -> str:
    rate = f"{outcome.passed / outcome.cases:.3f}" if outcome.cases else "    –"
    failed = f"   e.g. {', '.join(outcome.failed)}" if outcome.failed else ""
    return f"{outcome.test.name:<38} {outcome.passed:4d} of {outcome.cases:4d}  {rate}   of which {outcome.refused:2d} refused{failed}"


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _random(example: Example) -> random.Random:
    return random.Random(_hash(example.id))


def _pick(example: Example, texts: Sequence[str], number: int) -> list[str]:
    return _random(example).sample(list(texts), number)


def _alone(name: str, texts: Sequence[str]) -> tuple[Case, ...]:
    return tuple(Case(f"{name} {i}", None, text) for i, text in enumerate(texts, 1))


def _named(example: Example, names: dict[str, list[str]], kind: str) -> tuple[str, str] | None:
    """The one served gets a plain name before and a name of another kind after, so that nothing but the name differs."""
    place = _random(example).randrange(len(names["plain"]))
    named = [_NOUN.sub(names[table][place], example.text) for table in ("plain", kind)]
    return (named[0], named[1]) if named[0] != example.text else None


def _swap(text: str, pairs: Sequence[Sequence[str]]) -> str:
    """Replace whole words in one pass, with the case of the first letter kept ("The client" -> "My manager")."""
    table = {first.lower(): second for first, second in pairs}
    pattern = "|".join(re.escape(first) for first in sorted(table, key=len, reverse=True)).replace("'", "['’]")

    def put(match: re.Match[str]) -> str:
        found, new = match[0], table[match[0].lower().replace("’", "'")]
        new = new.replace("'", "’") if "’" in found else new
        if _I.match(found) and not _I.match(new):  # "I" is a capital wherever it stands, "we" at the start of a sentence only
            capital = not text[: match.start()].rstrip(" \"“'‘*-\u2022").strip() or text[: match.start()].rstrip(" \"“'‘*-\u2022")[-1] in ".!?:\n"
        else:
            capital = found[0].isupper() or bool(_I.match(new))
        return new[0].upper() + new[1:] if capital else new

    return re.sub(rf"(?<![\w'’])(?:{pattern})(?![\w])", put, text, flags=re.IGNORECASE)


def _sentences(text: str) -> list[str]:
    return [text[s.start : s.end] for s in segments(text)]


def _shuffled(example: Example) -> str | None:
    found = _sentences(example.text)
    _random(example).shuffle(found)
    return " ".join(found) if len(found) > 3 else None


def _mixed(example: Example, prose: Sequence[str], *, within: bool) -> str | None:
    """The text with other prose, of at least three tenths of the whole."""
    found, wanted = _sentences(example.text), 3 / 7 * len(words(example.text))
    added: list[str] = []
    for sentence in _pick(example, prose, len(prose)):
        if sum(len(words(s)) for s in added) < wanted:
            added.append(sentence)
    if sum(len(words(s)) for s in added) < wanted:
        return None  # a text so long that there is not enough other prose
    if not within:
        return " ".join([example.text, *added])
    place = _random(example)
    for sentence in added:
        found.insert(place.randint(1, len(found)), sentence)
    return " ".join(found)


def _told_of_one_named(example: Example) -> str | None:
    """The text told of one of those in data/stress.toml: first in full, then by the shorter form."""
    told = _swap(example.text, _data()["swaps"]["first_person_other"])
    first, later = _random(example).choice(_data()["doers"])
    forms = chain([first], repeat(later))

    def form(match: re.Match[str]) -> str:
        found: str = next(forms)
        return found[0].upper() + found[1:] if match[0][0].isupper() else found

    made, changes = re.subn(r"\bmy colleague\b", form, told, flags=re.IGNORECASE)
    return made if changes else None


def _typos(example: Example, share: float) -> str:
    """Neighbouring letters inside words change places."""
    chance, letters = _random(example), list(example.text)
    for i in range(1, len(letters) - 2):
        if all(letters[j].isalpha() for j in range(i - 1, i + 2)) and chance.random() < share:
            letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)


_ACTIVE = re.compile(
    r"\bI (called|contacted|corrected|explained|checked|processed|reviewed|updated|helped|asked|informed|answered|printed|requested) "
    r"(the|his|her|their|a) ([a-z]+)(?=[.,;])"
)


def _passive(example: Example) -> str | None:
    made = _ACTIVE.sub(r"\2 \3 was \1 by me", example.text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), made) if made != example.text else None


def _bullets(example: Example) -> str | None:
    found = _sentences(example.text)
    return "\n".join(f"- {sentence}" for sentence in found) if len(found) > 2 and "\n-" not in example.text else None


_BULLET = re.compile(r"^[ \t]*[-*•–][ \t]+(.*\S)[ \t]*$", re.MULTILINE)


def _prose(example: Example) -> str | None:
    """Lines with bullets as sentences that follow one another; None where there are fewer than two."""
    if len(_BULLET.findall(example.text)) < 2:
        return None
    sentences = _BULLET.sub(lambda m: m[1][0].upper() + m[1][1:] + ("" if m[1][-1] in ".!?:" else "."), example.text)
    return " ".join(sentences.replace(";.", ".").split())


def _regendered(text: str, of: str, by: str, *, nouns: bool) -> str | None:
    """Men as women or women as men, pronouns and nouns together, so that "the man … he" stays one person.

    None where persons of both genders are told of, who would become one; where "her" stands for "him" or for "his", which only a reader
    can tell; and where there are nouns though only pronouns are wanted, or none though they are.
    """
    gender = _data()["gender"]
    found = words(text)
    named = any(word.removesuffix("'s") in gender[of]["nouns"] for word in found)
    others = {word for kind in ("pronouns", "nouns", "unclear") for word in gender[by].get(kind, ())} | set(gender[of].get("unclear", ()))
    if named != nouns or any(word.removesuffix("'s") in others for word in found):
        return None
    table = [pair for kind in ("pronouns", "nouns") for pair in gender[of][kind].items()]
    return _swap(text, table)


def _second_language(text: str) -> str:
    for rule in _data()["second_language"]:
        seen = 0

        def put(match: re.Match[str], rule: dict[str, Any] = rule) -> str:
            nonlocal seen
            seen += 1
            return match.expand(rule["by"]) if seen % rule["every"] == 0 else match[0]

        text = re.sub(rule["of"], put, text)
    return text
