"""Texts to be read anew: `python scripts/change_texts.py corpus/en OUT --number 100`, and with what readers said: `… --answers a.csv b.csv`.

Each is an example of level 1 or higher with something taken out or told of somebody else, in random order among whole examples,
numbered, in OUT/texts.md. Examples of which the lessons or the stress suite have a changed text already are left out. A reader
gets that file and corpus/LABELLING.md only and writes a CSV file (n, level, sure). OUT/key.jsonl says what each number is; with
answers the changed texts and their levels go to OUT/lessons.jsonl, as in `corpus/changed`.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from stand_ins import Teller, somebody_else

from classifier.corpus import Example, read_corpus
from classifier.document import Segment, segments
from classifier.knockout import without
from classifier.pairs import read_pairs
from classifier.rows import read_records
from classifier.spans import decisive_marks
from classifier.words import words

ENOUGH_LEFT, LONG = 15, 260  # words
WHOLE = 0.08  # of the texts are as they were, so that readers expect nothing, and can be checked


def sentences_out(example: Example, chance: random.Random) -> str:
    decisive = _decisive(example)
    return _of(example, [s for s in segments(example.text) if s not in decisive])


def quotes_out(example: Example, chance: random.Random) -> str:
    return without(example.text, decisive_marks(example))


def decisive_act_of_another(example: Example, chance: random.Random) -> str:
    """The text whose decisive sentences tell of somebody else; empty where one of them has no "I"."""
    teller, made, done = Teller(chance, somebody_else(chance)), "", 0
    for sentence in _decisive(example):
        told = teller.tell(example.text[sentence.start : sentence.end])
        if told == example.text[sentence.start : sentence.end]:
            return ""
        made, done = made + example.text[done : sentence.start] + told, sentence.end
    return made + example.text[done:]


def decisive_only(example: Example, chance: random.Random) -> str:
    return _of(example, _decisive(example))


def half(example: Example, chance: random.Random) -> str:
    found = segments(example.text)
    return _of(example, sorted(chance.sample(found, (len(found) + 1) // 2), key=lambda s: s.start))


WAYS: dict[str, Callable[[Example, random.Random], str]] = {
    "sentences out": sentences_out,
    "quotes out": quotes_out,
    "told of somebody else": decisive_act_of_another,
    "only the decisive sentences": decisive_only,
    "half of the sentences": half,
}


def changed(examples: list[Example], number: int, chance: random.Random, ways: Sequence[str] = tuple(WAYS)) -> list[dict[str, object]]:
    """So many records (of, way, level, text), numbered, one a text; ways are drawn evenly where a text allows them, levels are as they come."""
    found: list[dict[str, object]] = []
    for example in chance.sample(examples, len(examples)):
        if len(found) == number:
            break
        whole = chance.random() < WHOLE
        way = "whole" if whole else chance.choice(ways)
        text = example.text if whole else WAYS[way](example, chance)
        usable = not example.pair and len(words(example.text)) <= LONG and (whole or (example.ratings["level"] and decisive_marks(example)))
        if usable and len(words(text)) >= ENOUGH_LEFT and (whole or text != example.text):
            found.append({"n": len(found) + 1, "of": example.id, "way": way, "level": example.ratings["level"], "text": text})
    return found


def _of(example: Example, parts: list[Segment]) -> str:
    return " ".join(example.text[s.start : s.end] for s in parts)


def _decisive(example: Example) -> list[Segment]:
    """The sentences in which the decisive marks lie."""
    marks = decisive_marks(example)
    return [s for s in segments(example.text) if any(s.start < mark.end and mark.start < s.end for mark in marks)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="one named twice is drawn twice as often")
    parser.add_argument("--lessons", type=Path, default=Path("corpus/changed/lessons.jsonl"))
    parser.add_argument("--stress", type=Path, default=Path("corpus/counterfactuals"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--answers", type=Path, nargs="+", metavar="CSV", default=[])
    options = parser.parse_args()
    key = options.out / "key.jsonl"
    if not options.answers:
        options.out.mkdir(parents=True, exist_ok=True)
        known = {lesson["of"] for _, lesson in read_records(options.lessons)}
        stressed = {pair.a for pair in read_pairs(options.stress) if pair.readings}
        examples = [e for e in read_corpus(options.corpus) if e.id not in known and e.text not in stressed]
        records = changed(examples, options.number, random.Random(options.seed), options.ways)
        key.write_text(_lines(records), "utf-8")
        (options.out / "texts.md").write_text("\n\n".join(f"## {record['n']}\n\n{record['text']}" for record in records), "utf-8")
        return
    asked = {record["n"]: record for _, record in read_records(key)}
    answers = [row for path in options.answers for row in csv.DictReader(path.read_text("utf-8").splitlines())]
    if twice := [n for n, times in Counter(int(row["n"]) for row in answers).items() if times > 1]:
        raise SystemExit(f"{', '.join(map(str, options.answers))}: number {twice[0]} is answered twice.")
    read = [(asked[int(row["n"])], int(row["level"]), row["sure"] == "y") for row in answers]
    agreed = [level == record["level"] for record, level, _ in read if record["way"] == "whole"]
    print(f"whole texts given their own level: {sum(agreed)} of {len(agreed)}")
    lessons = [{"of": r["of"], "way": r["way"], "text": r["text"], "level": level, "sure": sure} for r, level, sure in read if r["way"] != "whole"]
    (options.out / "lessons.jsonl").write_text(_lines(lessons), "utf-8")


def _lines(records: list[dict[str, object]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


if __name__ == "__main__":
    main()
