"""Average the weights of two encoders, export the mean: `python scripts/average_encoders.py BASE OUT --first DIR --second DIR --share 0.65`.

DIR is what `train_encoder.py --keep` left; both runs must go back to the same one, as `--start` does. Weights after a long training
know the made texts better, those after a short one keep more of what the published encoder knows of other people's language; the
mean agrees better with readers of texts by strangers than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

The encoders of the folds are averaged too, and what they say of the writers whom they had not seen goes into unseen.npz.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import train_encoder

from classifier.corpus import read_corpus, writer_groups


def averaged(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """(1 - share) * first + share * second; scores that the first did not have yet count as zero in it."""
    missing = {name: torch.zeros_like(weights[len(first[name]) :]) for name, weights in second.items()}
    return {name: (1 - share) * torch.cat([first[name], missing[name]]) + share * weights for name, weights in second.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--first", type=Path, required=True)
    parser.add_argument("--second", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.65, help="of the second")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--frozen", type=int, default=4)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fold_of: dict[str, int] = json.loads((options.second / "folds.json").read_text("utf-8"))
    tokenizer, encoder = train_encoder.opened(options.base, options.layers, options.frozen)
    examples = read_corpus(options.corpus)
    groups = writer_groups(examples)
    items = [train_encoder.prepare(example, tokenizer) for example in examples if groups[example.source] in fold_of]
    train_encoder.cache_lower(encoder, items)

    def load(name: str) -> None:
        first, second = (torch.load(folder / f"{name}.pt", weights_only=True) for folder in (options.first, options.second))
        encoder.load_state_dict(averaged(first, second, options.share))

    load("all")
    train_encoder.export(encoder, items, options.base, options.out)
    unseen = {}
    for fold in range(max(fold_of.values()) + 1):
        load(f"fold{fold + 1}")
        unseen |= train_encoder.predict(encoder, [item for item in items if fold_of[groups[item.example.source]] == fold])
        train_encoder.save_unseen(options.out / "unseen.npz", unseen)


if __name__ == "__main__":
    main()
