"""Teach a trained encoder new writers: `python scripts/continue_encoder.py BASE OUT --weights all.pt --sources t39 t40 …`.

One short pass over the new writers' texts and as many drawn from the others, so that nothing is forgotten, at a lower
rate. What the encoder said of the new texts before the pass goes into OUT/unseen.npz, beside what stands there: it had
not seen these writers. `--average` mixes the weights of further encoders in (a model soup: Wortsman et al. 2022).
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from train_encoder import STATEMENT_REPEATS, Encoder, cache_lower, export, keep, predict, prepare, save_unseen, statements, train
from transformers import AutoModel

from classifier.corpus import read_corpus
from classifier.encoder import TOKEN_STEPS


def stored(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The scores that an unseen.npz holds, by the hash of the text."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        tokens = np.split(arrays["tokens"].astype(np.float32) / TOKEN_STEPS, np.cumsum(arrays["lengths"])[:-1])
        return {str(key): (arrays["documents"][i], tokens[i]) for i, key in enumerate(arrays["keys"])}


def average(paths: list[Path]) -> dict[str, torch.Tensor]:
    """The mean of the weights of encoders that began from the same weights."""
    states = [torch.load(path, weights_only=True) for path in paths]
    return {name: torch.stack([state[name].float() for state in states]).mean(0).to(states[0][name].dtype) for name in states[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    parser.add_argument("--weights", type=Path, nargs="+", required=True, help="weights to begin from; several are averaged")
    parser.add_argument("--average", type=Path, nargs="*", default=[], help="weights averaged with the result")
    parser.add_argument("--sources", nargs="*", default=[], help="the new writers; none: only average and export")
    parser.add_argument("--unseen", type=Path, help="an unseen.npz to add to")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--frozen", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    encoder = Encoder(AutoModel.from_pretrained(options.base), options.layers, options.frozen).eval()
    encoder.load_state_dict(average(options.weights))
    found = stored(options.unseen) if options.unseen else {}
    if options.sources:
        tokenizer = Tokenizer.from_file(str(options.base / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        examples = read_corpus(options.corpus)
        new = [prepare(e, tokenizer) for e in examples if e.source in options.sources]
        others = [e for e in examples if e.source not in options.sources]
        old = [prepare(e, tokenizer) for e in random.Random(options.seed).sample(others, min(len(new), len(others)))]
        taught = statements(options.corpus, tokenizer) * STATEMENT_REPEATS
        cache_lower(encoder, [*new, *old, *taught])
        found |= predict(encoder, new)
        encoder = train(encoder, [*new, *old, *taught], options.epochs, options.rate, options.seed, "new writers")
        keep(encoder, options.keep, "continued")
    if options.average:
        others_kept = [torch.load(path, weights_only=True) for path in options.average]
        state = encoder.state_dict()
        mixed = {n: torch.stack([v.float(), *(o[n].float() for o in others_kept)]).mean(0).to(v.dtype) for n, v in state.items()}
        encoder.load_state_dict(mixed)
    export(encoder.eval(), options.base, options.out)
    if found:
        save_unseen(options.out / "unseen.npz", found)


if __name__ == "__main__":
    main()
