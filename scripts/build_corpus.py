"""Build corpus/en from its originals, byte for byte: `python scripts/build_corpus.py [--pool DIR] [--check]`.

- tNN.jsonl, a file for each writer: the texts as written, with `source`, and with the marks of corpus/annotations/
  (look-alikes of anti-patterns, and the opposite conduct, found by reading; an empty list says that nothing was found).
  The files of the made pool come from --pool; files that are not there keep the records that stand in corpus/en.
- statements.jsonl and worked_examples.jsonl: from the frameworks' TOML files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from classifier.corpus import REGISTERS, register_of
from classifier.framework import framework_names, load_framework
from classifier.rows import read_records

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "corpus" / "en"
ORDER = (
    "id", "source", "text", "level", "involvement", "commitment", "client", "flags", "evidence", "pspc_level",
    "lookalikes", "means", "pair", "rewrites", "second_reading",
)  # fmt: skip


def read(path: Path) -> list[dict[str, Any]]:
    return [record for _, record in read_records(path)] if path.is_file() else []


def lines(records: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def written(pool: Path) -> dict[str, str]:
    """The writers' files: text and labels from the original, marks from their own folder."""
    names = {p.name for folder in (pool, CORPUS) for p in folder.glob("t[0-9]*.jsonl")}
    built = {}
    for name in sorted(names):
        original = pool / name if (pool / name).is_file() else CORPUS / name
        marks = {r["id"]: r for r in read(ROOT / "corpus" / "annotations" / name)}
        records = []
        for record in read(original):
            record["source"] = original.stem
            for field in ("lookalikes", "means"):
                if record["id"] in marks:
                    record[field] = marks[record["id"]][field]
            records.append({key: record[key] for key in ORDER if key in record})
        built[name] = lines(records)
    return built


def from_frameworks() -> dict[str, str]:
    """The documents' behaviour statements, and their worked examples (never trained on)."""
    statements, worked = [], []
    for name in framework_names():
        framework = load_framework(name)
        for scale in framework.scales:
            for level in scale.levels:
                for behaviour in level.behaviours:
                    statements.append(
                        {
                            "id": f"{name}-{behaviour.key}",
                            "framework": name,
                            "scale": scale.key,
                            "value": level.value,
                            "key": behaviour.key,
                            "text": behaviour.text,
                        }
                    )
                if level.worked_example:
                    worked.append(
                        {"id": f"{name}-worked-{level.value}", "source": framework.source, "text": level.worked_example, scale.key: level.value, "client": None}
                    )
        for pair in framework.anti_patterns:
            for side in ("does_not_mean", "means"):
                statements.append(
                    {"id": f"{name}-{pair.key}-{side}", "framework": name, "scale": side, "value": 0, "key": pair.key, "text": getattr(pair, side)}
                )
    return {"statements.jsonl": lines(statements), "worked_examples.jsonl": lines(worked)}


def datasheet(built: dict[str, str]) -> str:
    """The datasheet with its table of counts brought up to date."""
    rows = ["| writer | examples | level 0 | 1 | 2 | 3 | 4 | flags | look-alikes | words, mean |", "| --- |" + " ---: |" * 9]
    whole: list[dict[str, Any]] = []
    for name, content in sorted(built.items(), key=lambda item: (len(item[0]), item[0])):
        records = [json.loads(line) for line in content.split("\n") if line]
        whole += records
        rows.append(counted(Path(name).stem, records))
    rows.append(counted("**all**", whole))
    by_register = ["| register | examples | level 0 | 1 | 2 | 3 | 4 | flags | look-alikes | words, mean |", "| --- |" + " ---: |" * 9]
    by_register += [counted(name, [r for r in whole if register_of(r["source"]) == name]) for name, *_ in REGISTERS]
    path = ROOT / "corpus" / "README.md"
    before, rest = path.read_text("utf-8").split("<!-- counts -->\n")
    return (
        before
        + "<!-- counts -->\n"
        + "\n".join(["## Counts", "", *by_register, "", *by_key(whole), "", *rows, ""])
        + "<!-- /counts -->"
        + rest.split("<!-- /counts -->")[1]
    )


def by_key(records: list[dict[str, Any]]) -> list[str]:
    """How many marks each anti-pattern has."""
    fields = ("flags", "lookalikes", "means")
    marks = Counter((field, mark["key"]) for record in records for field in fields for mark in record.get(field, []))
    rows = [f"| `{key}` | {' | '.join(str(marks[field, key]) for field in fields)} |" for key in sorted({key for _, key in marks})]
    return ["| anti-pattern | flags | look-alikes | its opposite |", "| --- | ---: | ---: | ---: |", *rows]


def counted(name: str, records: list[dict[str, Any]]) -> str:
    levels = [sum(r["level"] == k for r in records) for k in range(5)]
    marks = [sum(len(r.get(field, [])) for r in records) for field in ("flags", "lookalikes")]
    length = round(sum(len(r["text"].split()) for r in records) / max(len(records), 1))
    return "| " + " | ".join(map(str, [name, len(records), *levels, *marks, length])) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, default=ROOT.parent / "shared" / "corpus" / "pool", help="folder of the made pool")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files differ and exit with 1")
    options = parser.parse_args()
    differing = []
    writers = written(options.pool)
    contents = {CORPUS / name: content for name, content in (writers | from_frameworks()).items()} | {ROOT / "corpus" / "README.md": datasheet(writers)}
    for path, content in contents.items():
        if not path.is_file() or path.read_text("utf-8") != content:
            differing.append(path.name)
            if not options.check:
                path.write_text(content, "utf-8")
    print(f"{len(differing)} files differ: {', '.join(differing)}" if differing else "the corpus is as its originals say", file=sys.stderr)
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
