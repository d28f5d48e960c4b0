"""Teach the shipped encoder single lessons, and leave as it is what it says of other texts: `python scripts/amend_encoder.py BASE MODEL OUT`.

Texts that are told of somebody else, and texts of which a part is taken out or told of somebody else and whose level was read anew
(`stand_ins`), are learned as in `train_encoder`, and so are the texts of writers whom the encoder does not know yet (--new), and the
order of statements within competency dictionaries. Whole texts go through beside them and must get the scores that they had (knowledge
distillation, Hinton et al. 2015), but for the client, which is learned from its label; some are told of "the employee", "the officer" and
so on, as in the source's worked examples, and must get the scores that they have in the first person. So the scores in unseen.npz, from
which the heads learn, stay those of a like encoder. What is kept is a mean of the weights before and after, which moves less; the mean of
the scores of the scales is put back, and the mean change printed.

BASE is the published encoder (see `train_encoder`), MODEL a folder with encoder.onnx, whose weights, most of them 8-bit, are read back as floats and
say what the scores were, and unseen.npz. No other texts than those that the encoder was trained on, and --new, are used, so that the other
writers stay new to it; for those of --new the scores before go into unseen.npz. A quarter of an hour to half an hour an epoch on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import train_encoder
from average_encoders import averaged, unseen_scores
from quantized import read_trained
from stand_ins import read_lessons, told_of_another, told_of_the_employee
from torch.nn import functional
from train_encoder import Encoder, Item

from classifier.corpus import DICTIONARIES, read_corpus
from classifier.encoder import Encoder as Shipped
from classifier.encoder import text_hash

BATCH = 20  # texts, changed and whole
# Weight of the order of statements, as a multiple of what a training gives it; with each batch go those of one dictionary. On strangers'
# statements the correlation of the scores went from .41 to .61 in 160 steps with this; with 1, every fourth step, it hardly moved.
LADDERS = 4.0


def kept_loss(encoder: Encoder, before: Encoder, batch: list[Item], words: float) -> torch.Tensor:
    """Cross-entropy of what the encoder says of whole texts against what it said before; `words` is the weight of the scores of tokens.

    The client alone is learned from its label here, too: of changed texts it is not known.

    A text with a stand-in is held to the document scores that the stand-in had; of its tokens, which are others, nothing is asked.
    """
    hidden, mask = train_encoder.stacked(batch)
    same = mask * torch.tensor([[float(item.stand_in is None)] for item in batch])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        document, tokens = encoder.upper(hidden, mask)
        with torch.no_grad():
            said, marked = before.upper(hidden, mask)
            for row, item in enumerate(batch):
                if item.stand_in:
                    said[row] = before.upper(*train_encoder.stacked([item.stand_in]))[0]
    document, tokens, said, marked = document.float(), tokens.float(), said.float(), marked.float()
    cuts = encoder.cuts
    total = 4 * functional.binary_cross_entropy_with_logits(document[:, :cuts], said[:, :cuts].sigmoid(), reduction="none").sum(1).mean()
    client = train_encoder.clients(batch)
    total = total + 4 * functional.cross_entropy(document[:, cuts:], client, ignore_index=-1, reduction="sum") / (client >= 0).sum().clamp(min=1)
    losses = functional.binary_cross_entropy_with_logits(tokens, marked.sigmoid(), reduction="none")
    return total + words * (losses.sum(2) * same).sum() / same.sum().clamp(min=1)


def amend(encoder: Encoder, before: Encoder, changed: list[Item], whole: list[Item], ladders: list[list[Item]], options: argparse.Namespace) -> Encoder:
    """Go on from `encoder` with `options.epochs` over the changed texts, each batch beside whole texts, which are held to the scores of `before`.

    Beside each batch the statements of one competency dictionary go through.
    """
    torch.manual_seed(options.seed)
    chance, rate, of_each = random.Random(options.seed), options.rate, round(BATCH / (1 + options.held))
    layers, heads = train_encoder.learned(encoder)
    optimizer = torch.optim.AdamW([*layers, *heads], lr=rate, weight_decay=0.0)
    pairs = []
    for _ in range(options.epochs):
        pairs += zip(train_encoder.shuffled(changed, chance, of_each), itertools.cycle(train_encoder.shuffled(whole, chance, BATCH - of_each)), strict=False)
    begun, losses = time.monotonic(), []
    for step, (some, others) in enumerate(pairs):
        # No dropout: what it adds to the scores of whole texts would be learned away, too.
        loss = train_encoder.loss(encoder, some), kept_loss(encoder, before, others, options.held_words)
        order = LADDERS * train_encoder.loss(encoder, ladders[step % len(ladders)])
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 20) * max(0.02, 1 - step / len(pairs))
        optimizer.zero_grad()
        sum(loss, order).backward()
        torch.nn.utils.clip_grad_norm_([*layers, *heads], 1.0)
        optimizer.step()
        losses.append([value.item() for value in loss])
        if step % 50 == 49:
            of_changed, of_whole = np.mean(losses[-50:], 0)
            print(f"step {step + 1}/{len(pairs)}: loss {of_changed:.2f}, kept {of_whole:.2f}, {time.monotonic() - begun:.0f} s", flush=True)
    return encoder.eval()


def keep_the_mean(encoder: Encoder, said: np.ndarray, says: np.ndarray) -> np.ndarray:
    """Shift the scores of the scales, (n_texts, n_scores) before and after, so that their mean is what it was; the shift, (n_scores,), 0 for the client.

    Lessons that mostly lower a level lower it a little everywhere: on strangers' texts "level 1 or higher" by .8 of a logit.
    """
    shift: np.ndarray = (said - says).mean(0)
    shift[encoder.cuts :] = 0
    with torch.no_grad():
        encoder.document.bias += torch.tensor(shift, dtype=encoder.document.bias.dtype)
    return shift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    parser.add_argument("--start", type=Path, help="the OUT of a run of this script or of average_encoders.py, to go on from")
    parser.add_argument("--lessons", type=Path, default=Path("corpus/changed/lessons.jsonl"), help="changed texts whose level was read anew")
    parser.add_argument("--new", nargs="*", default=[], metavar="WRITER")
    parser.add_argument("--told", type=int, default=900, help="of so many texts, those of level 1 or higher are told of somebody else")
    parser.add_argument("--sample", type=float, default=1.0, help="so large a part of the lessons")
    parser.add_argument("--employee", type=float, default=0.33, help="so large a part of the whole texts is told of the employee")
    parser.add_argument("--held", type=float, default=2.0, help="whole texts for each changed one")
    parser.add_argument("--held-words", type=float, default=8.0, help="weight of the scores of tokens of whole texts")
    parser.add_argument("--share", type=float, default=0.6, help="of the amended weights in the mean with those of before this run, which is what is kept")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-5)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--frozen", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tokenizer, encoder = train_encoder.opened(options.base, options.layers, options.frozen)
    encoder.load_state_dict(read_trained(options.model / "encoder.onnx", encoder.state_dict(), options.frozen))
    before, encoder = encoder, train_encoder.started(encoder, options.start, "all")
    begun = {name: value.clone() for name, value in encoder.state_dict().items()}
    shipped, chance = Shipped(options.start or options.model), random.Random(options.seed)
    corpus = read_corpus(options.corpus)
    examples = [e for e in corpus if shipped.trained_on(e.text)]
    told = [made for e in chance.sample(examples, options.told) if e.ratings["level"] and (made := told_of_another(e, chance))]
    lessons = list(read_lessons(options.lessons, examples).values())
    lessons = chance.sample(lessons, round(options.sample * len(lessons)))
    new = [train_encoder.prepare(e, tokenizer) for e in corpus if e.source in options.new and not shipped.trained_on(e.text)]
    changed = [*(train_encoder.prepare(made, tokenizer, 1.0) for made in [*lessons, *told]), *new]
    kept = chance.sample(examples, min(round(options.held * len(changed)), len(examples)))
    whole = [train_encoder.prepare(example, tokenizer, 1.0) for example in kept]
    of_the_employee = [
        replace(train_encoder.prepare(told_of_the_employee(item.example, chance), tokenizer, 1.0), stand_in=item)
        for item in whole[: round(options.employee * len(whole))]
    ]
    ladders = train_encoder.read_ladders(options.corpus / DICTIONARIES, tokenizer)
    train_encoder.cache_lower(encoder, [*changed, *whole, *of_the_employee, *itertools.chain(*ladders)])
    print(f"{len(lessons)} changed texts, {len(told)} told of somebody else, {len(new)} new, {len(whole)} whole ones", flush=True)
    said, unseen = train_encoder.predict(before, whole), train_encoder.predict(before, new)
    after = amend(encoder, before, changed, [*of_the_employee, *whole[len(of_the_employee) :]], ladders, options).state_dict()
    encoder.load_state_dict(averaged([(begun, 1 - options.share), (after, options.share)]))
    says = train_encoder.predict(encoder, whole)
    shift = keep_the_mean(encoder, *(np.array([of[name][0] for name in said]) for of in (said, says)))
    moved = np.abs(np.array([says[name][0] + shift - said[name][0] for name in said])).mean(0)
    print(f"mean change of the scores of whole texts: {dict(zip(train_encoder.document_scores(), moved.round(2).tolist(), strict=True))}")
    options.out.mkdir(parents=True, exist_ok=True)
    train_encoder.keep(encoder, options.out, "all")
    train_encoder.export(encoder, whole, options.base, options.out)
    unseen |= {text_hash(example.text): unseen_scores(shipped, example.text) for example in examples}
    train_encoder.save_unseen(options.out / "unseen.npz", unseen)


if __name__ == "__main__":
    main()
