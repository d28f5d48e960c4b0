"""Texts that are written down but are no example: repeated, copied, listed, shuffled, hidden, off the subject, or meant for the program.

Every rule is one pass over the text or its words. Each is set so that what people write passes: over the corpus at most one
text in fifty may be refused (a test counts them), and a doubtful text is assessed.

So these limits stay, since no rule on words tells such texts from a plain example: another subject told with "I", "we", "she" or a word
of service (a recipe, a review, a poem), which shows nothing and gets level 0 from the model; the same thing said again in other words; a
dozen words in no order; an instruction that names neither a level nor a rating.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from spacy.lang.en.stop_words import STOP_WORDS

from classifier.framework import DATA, framework_names, load_framework
from classifier.words import words

# Share of French function words from which a good part of a text is French. No text of the corpus has more than .04, a French text some .35.
_MAX_FRENCH = 0.10
# Share of English function words below which a text is not taken for English. Over the corpus the share is .30 and more
# in every text of 20 words; French, German and Spanish stay below .15.
MIN_FUNCTION_WORDS = 0.15
# A run of this many words that stands elsewhere too is no coincidence.
_RUN = 6
_MAX_REPEATED = 0.4
_MAX_COPIED = 0.5
# Hidden characters that reach a text by copying from a page or a word processor are few.
_MAX_HIDDEN = 0.02
_FEW_HIDDEN = 5
_MAX_UNLIKE_WORDS = 0.5
# Counted on writers whose texts were not in the counts: at most .35 of the pairs of a text are new, and more than .38 in most texts
# whose words were shuffled. Of pieces of 12 to 30 words none has as much from eight pairs on, and one piece in 4,500 from four.
_MAX_UNLIKE_ORDER = 0.38
_ENOUGH_PAIRS = 8
_MAX_LISTED = 2.5
_ENOUGH_LISTED = 6
_ENOUGH_ABOUT = 20

_PART = re.compile(r"[,;:.!?\n\r\t•·|/–—]|\s-\s|\s\*\s")
_TAGS = range(0xE0000, 0xE0080)


@cache
def _lists() -> dict[str, Any]:
    return tomllib.loads((DATA / "refusals.toml").read_text("utf-8"))


@cache
def _listed(*names: str) -> frozenset[str]:
    return frozenset(word for name in names for word in _lists()[name])


@cache
def _english() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Letter groups of English words, and what may follow what among the most frequent words (scripts/build_refusals.py)."""
    return read_english((DATA / "english.json").read_text("utf-8"))


def read_english(counted: str) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """The two tables of english.json."""
    raw = json.loads(counted)
    return frozenset(raw["trigrams"]), {word: frozenset(after) for word, after in raw["follows"].items()}


@cache
def _instructions() -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(_lists()["instructions"]) + r")\b")


@cache
def _statements() -> frozenset[tuple[str, ...]]:
    """Runs of words of the competencies' own sentences; their worked examples are examples and stay out."""
    found: set[tuple[str, ...]] = set()
    for name in framework_names():
        framework = load_framework(name)
        worked = {level.worked_example for scale in framework.scales for level in scale.levels}
        for statement in framework.statements:
            if statement not in worked:
                found.update(_runs(words(statement)))
    return frozenset(found)


def suspect(text: str, found: Sequence[str]) -> str | None:
    """Why a text of enough words is no example, as a key of [refusals] in en.toml; None when it may be one.

    found : the text's words (`words(text)`).
    """
    if _hidden(text):
        return "hidden"
    keywords = _keywords(text, found)
    if not keywords and _share(found, STOP_WORDS) < MIN_FUNCTION_WORDS:
        return "not_english"
    if _share(found, _listed("french")) > _MAX_FRENCH:
        return "partly_french"
    if _repeated(found) > _MAX_REPEATED:
        return "repeated"
    if keywords:
        return "keywords"
    if _gibberish(found):
        return "no_sentences"
    if _instructions().search(" ".join(_words_and_digits(text))):
        return "instruction"
    if _copied(found) > _MAX_COPIED:
        return "copied"
    if _off_topic(found):
        return "off_topic"
    return None


def _words_and_digits(text: str) -> list[str]:
    """Runs of letters and digits, lower-cased, so that "Level-4" and "level 4" read the same."""
    return re.findall(r"[^\W_]+", text.lower())


def _hidden(text: str) -> bool:
    hidden = sum(unicodedata.category(c) == "Cf" and c not in "\u00ad\u200c\u200d" for c in text)
    tags = sum(ord(c) in _TAGS for c in text)
    return tags > _FEW_HIDDEN or (hidden > _FEW_HIDDEN and hidden > _MAX_HIDDEN * len(text))


def _keywords(text: str, found: Sequence[str]) -> bool:
    """Many parts of one to three words, or hardly a function word among the competency's vocabulary."""
    shown = [part for part in (words(part) for part in _PART.split(text)) if part]
    listed = len(shown) >= _ENOUGH_LISTED and len(found) / len(shown) <= _MAX_LISTED
    known = _listed("served", "buzz")
    function = _share(found, STOP_WORDS - known)
    return (listed and function < 0.3 and _share(found, known) > 0.2) or (function < MIN_FUNCTION_WORDS and _share(found, known) > 0.4)


def _repeated(found: Sequence[str]) -> float:
    """Share of the words that stand in a run which stood before."""
    seen: set[tuple[str, ...]] = set()
    again = [False] * len(found)
    for start, run in enumerate(_runs(found)):
        if run in seen:
            again[start : start + _RUN] = [True] * _RUN
        seen.add(run)
    return sum(again) / max(len(found), 1)


def _copied(found: Sequence[str]) -> float:
    """Share of the words that stand in a run of the competencies' own sentences."""
    statements = _statements()
    copied = [False] * len(found)
    for start, run in enumerate(_runs(found)):
        if run in statements:
            copied[start : start + _RUN] = [True] * _RUN
    return sum(copied) / max(len(found), 1)


def _gibberish(found: Sequence[str]) -> bool:
    """Most content words hold letter groups of no English word, or the function words follow one another as in no English sentence."""
    trigrams, follows = _english()
    content = [word for word in found if len(word) > 3 and word not in STOP_WORDS]
    unlike = sum(any(f" {word} "[i : i + 3] not in trigrams for i in range(len(word))) for word in content)
    if len(content) > 3 and unlike > _MAX_UNLIKE_WORDS * len(content):
        return True
    pairs = [(first, second) for first, second in pairwise(found) if first in follows and second in follows]
    return len(pairs) >= _ENOUGH_PAIRS and sum(second not in follows[first] for first, second in pairs) > _MAX_UNLIKE_ORDER * len(pairs)


def _off_topic(found: Sequence[str]) -> bool:
    told = _listed("told_by", "served")
    return len(found) >= _ENOUGH_ABOUT and not any(word in told for word in found)


def _share(found: Sequence[str], of: Collection[str]) -> float:
    return sum(word in of for word in found) / max(len(found), 1)


def _runs(found: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(found[i : i + _RUN]) for i in range(len(found) - _RUN + 1)]
