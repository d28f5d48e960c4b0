"""Average the weights of several encoders and export the mean: `python scripts/average_encoders.py BASE OUT --of FILE SHARE --of FILE SHARE … --unseen DIR …`.

FILE is what `train_encoder.py --keep` or `amend_encoder.py` left of an encoder, or an encoder.onnx, whose weights, most of them 8-bit, are read back and whose
lowest FROZEN layers are as published; all go back to the same published one. Their mean agrees
better with readers of texts by strangers than most of them (Wortsman et al. 2022, "Model soups"; "Robust fine-tuning of zero-shot models").

Of each writer who is in one of the encoders, unseen.npz must say what an encoder without that writer makes of the texts: the mean of what
the unseen.npz in each DIR say, or, for writers whom none of these has (--new), what the encoder in --new-to says, which must not know them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import train_encoder
from quantized import read_trained
from train_encoder import Scores

from classifier.corpus import read_corpus
from classifier.encoder import Encoder as Exported
from classifier.encoder import text_hash


def averaged(parts: Sequence[tuple[dict[str, torch.Tensor], float]]) -> dict[str, torch.Tensor]:
    """The sum of share * weights over parts, whose shares add up to 1."""
    return {name: torch.stack([share * weights[name] for weights, share in parts]).sum(0) for name in parts[0][0]}


def unseen_scores(exported: Exported, text: str) -> Scores:
    """What an encoder that had not seen the text says of it (`classifier.encoder.Encoder.unseen`)."""
    (encoding,) = exported.unseen([text])
    return encoding.document, encoding.tokens


def mean_scores(found: Sequence[Scores], shares: Sequence[float] | None = None) -> Scores:
    """The mean, by shares where given, of the document scores, and of the token scores, of one text."""
    documents, tokens = zip(*found, strict=True)
    return np.average(documents, 0, shares), np.average(tokens, 0, shares)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--of", nargs=2, action="append", required=True, metavar=("FILE", "SHARE"))
    parser.add_argument("--unseen", type=Path, nargs="+", required=True, metavar="DIR", help="with encoder.json, tokenizer.json and unseen.npz")
    parser.add_argument("--new", nargs="*", default=[], metavar="WRITER")
    parser.add_argument("--new-to", type=Path, metavar="FILE")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--frozen", type=int, default=2)
    options = parser.parse_args()
    shares = [float(share) for _, share in options.of]
    if abs(sum(shares) - 1) > 1e-6:
        parser.error(f"the shares add up to {sum(shares):g}, not to 1")
    examples = read_corpus(options.corpus)
    if unknown := set(options.new) - {example.source for example in examples}:
        parser.error(f"the corpus has no writer {min(unknown)}")
    if bool(options.new) != bool(options.new_to):
        parser.error("--new and --new-to go together")
    tokenizer, encoder = train_encoder.opened(options.base, options.layers, options.frozen)
    sources = [Exported(folder) for folder in options.unseen]
    unseen = {}
    for example in examples:
        if knowing := [source for source in sources if source.trained_on(example.text)]:
            unseen[text_hash(example.text)] = mean_scores([unseen_scores(source, example.text) for source in knowing])
    if options.new:
        encoder.load_state_dict(torch.load(options.new_to, weights_only=True))
        new = [train_encoder.prepare(e, tokenizer) for e in examples if e.source in options.new and text_hash(e.text) not in unseen]
        train_encoder.cache_lower(encoder, new)
        unseen |= train_encoder.predict(encoder, new)
    published = encoder.state_dict()
    weights = [read_trained(Path(file), published, options.frozen) if file.endswith(".onnx") else torch.load(file, weights_only=True) for file, _ in options.of]
    encoder.load_state_dict(averaged(list(zip(weights, shares, strict=True))))
    options.out.mkdir(parents=True, exist_ok=True)
    train_encoder.keep(encoder, options.out, "all")
    train_encoder.export(encoder, [train_encoder.prepare(e, tokenizer) for e in examples if text_hash(e.text) in unseen], options.base, options.out)
    train_encoder.save_unseen(options.out / "unseen.npz", unseen)


if __name__ == "__main__":
    main()
