"""How much do more made examples help on examples from elsewhere?

    python scripts/learning_curve.py --examples FILE

For each register of the made corpus, for all of it, and for a growing number of writers: QWK on FILE of our heads on the
encoder's encodings, and of TF-IDF with logistic regression on the same texts. Only texts that the encoders of the folds
read count (`fold_read`): our heads learn the level from no others.
Each row is the mean over a few random orders of the writers; writers that pairs or rewrites tie together come together.
The file is read, measured and not kept.

Our heads learn from encodings by encoders that had not seen the writer, but FILE is encoded by the shipped encoder, which
had learnt from nearly all writers, from all of these. So our column shows what more writers give to the heads alone; TF-IDF starts from nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from peers import SIZE, Counted, levels_of

from classifier.assessor import Assessor, fold_read, load_assessor
from classifier.corpus import REGISTERS, Example, read_corpus, read_examples, register_of, writer_groups
from classifier.heads import median_level
from classifier.metrics import qwk

ROOT = Path(__file__).resolve().parents[1]
WRITERS = (2, 4, 8, 16, 32)


def by_register(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Register -> its examples, and all of them; registers without any are left out."""
    found = {name: [e for e in examples if register_of(e.source) == name] for name, _, _ in REGISTERS}
    return {name: members for name, members in found.items() if members} | {"all": list(examples)}


def draws(examples: Sequence[Example], groups: Mapping[str, str], orders: int) -> dict[int, list[list[Example]]]:
    """Number of writers (or groups of tied writers) -> the examples of that many, once for each random order."""
    names = sorted({groups[e.source] for e in examples})
    found: dict[int, list[list[Example]]] = {}
    for count in [*(n for n in WRITERS if n < len(names)), len(names)]:
        found[count] = []
        # All writers are the same set in any order.
        for seed in range(orders if count < len(names) else 1):
            chosen = set(np.random.default_rng(seed).permutation(names)[:count])
            found[count].append([e for e in examples if groups[e.source] in chosen])
    return found


def spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f}" + (f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, required=True, metavar="FILE", help="labelled examples from elsewhere, JSON Lines")
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus" / "en", help="the made corpus (default corpus/en)")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "en", help="our model folder (default models/en)")
    parser.add_argument("--orders", type=int, default=3, metavar="N", help="random orders of the writers to average over (default 3)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file, too")
    options = parser.parse_args()
    shipped = load_assessor(options.model)
    whole, outside = read_corpus(options.corpus), read_examples(options.examples)
    made = [whole[i] for i in fold_read(shipped.encoder, whole)]
    # Encoded once, before the curve: neither depends on the examples that the heads learn from.
    read_of = {reading.text: reading for reading in shipped.read_unseen(e.text for e in made)}
    texts, true = [e.text for e in outside], levels_of(outside)
    asked = shipped.read_unseen(texts)
    print(f"{len(made)} made and {len(outside)} outside examples encoded", file=sys.stderr)
    lines = [f"QWK on {len(outside)} examples from elsewhere, mean (least to most) of {options.orders} orders of the writers", ""]
    lines += ["| register | writers | examples | our heads | TF-IDF |", "| --- | ---: | ---: | ---: | ---: |"]
    for register, examples in by_register(made).items():
        for count, parts in draws(examples, writer_groups(made), options.orders).items():
            ours, counted = [], []
            for part in parts:
                heads = Assessor(shipped.encoder, shipped.seed).fit(part, [read_of[e.text] for e in part])
                tfidf = Counted("tfidf")
                tfidf.fit(part)
                ours.append(qwk(true, np.array([a.ratings["level"].level for a in heads.assess_readings(asked)]), SIZE))
                counted.append(qwk(true, median_level(tfidf.probabilities(texts)), SIZE))
            size = round(np.mean([len(part) for part in parts]))
            lines.append(f"| {register} | {count} | {size} | {spread(ours)} | {spread(counted)} |")
            print(lines[-1], file=sys.stderr)
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
