"""Write classifier/data/english.json: what English words and English word order look like, counted in the corpus.

By hand, after the corpus has grown by much: python scripts/build_refusals.py
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

from classifier.corpus import read_corpus
from classifier.framework import DATA
from classifier.words import words

_WORDS = 100  # the most frequent words; what follows what among them tells word order


def main() -> None:
    examples = read_corpus(Path("corpus/en"))
    texts = [words(example.text) for example in examples]
    counts = Counter(word for text in texts for word in text)
    frequent = {word for word, _ in counts.most_common(_WORDS)}
    trigrams: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        for word in set(text):
            letters = f" {word} "
            trigrams.update(letters[i : i + 3] for i in range(len(letters) - 2))
        pairs.update((first, second) for first, second in pairwise(text) if first in frequent and second in frequent)
    content = {
        # What stands once may be a slip.
        "trigrams": sorted(trigram for trigram, count in trigrams.items() if count > 1),
        "follows": {word: sorted(second for (first, second), count in pairs.items() if first == word and count > 1) for word in sorted(frequent)},
    }
    lines = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace('],"', '],\n"')
    (DATA / "english.json").write_text(lines + "\n", "utf-8")
    print(f"{len(examples)} examples: {len(content['trigrams']):,} letter groups, {sum(map(len, content['follows'].values())):,} word pairs")


if __name__ == "__main__":
    main()
