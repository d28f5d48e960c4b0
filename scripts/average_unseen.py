"""Average what several encoders say of the corpus: `python scripts/average_unseen.py OUT --of DIR SHARE --of DIR SHARE …` (extra [encoder]).

DIR holds the encoder.json, tokenizer.json and unseen.npz of encoders, none of which knew the writers of whom they speak there
(`train_encoder.py --folds-only` leaves such a folder; a model's encoder is one, too). OUT/unseen.npz is written with the mean of
the scores of each text over those that speak of it, in proportion to their shares. Scores of several encoders together err less than
those of one, and the encoder that ships is itself a mean: from such scores the heads learn how far to trust it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from average_encoders import mean_scores, unseen_scores
from train_encoder import save_unseen

from classifier.corpus import read_corpus
from classifier.encoder import Encoder, text_hash


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--of", nargs=2, action="append", required=True, metavar=("DIR", "SHARE"))
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    options = parser.parse_args()
    sources = [(Encoder(Path(folder)), float(share)) for folder, share in options.of]
    if any(share <= 0 for _, share in sources):
        parser.error("each share must be above 0")
    found = {}
    for example in read_corpus(options.corpus):
        if knowing := [(source, share) for source, share in sources if source.trained_on(example.text)]:
            scores = [unseen_scores(source, example.text) for source, _ in knowing]
            found[text_hash(example.text)] = mean_scores(scores, [share for _, share in knowing])
    options.out.mkdir(parents=True, exist_ok=True)
    save_unseen(options.out / "unseen.npz", found)


if __name__ == "__main__":
    main()
