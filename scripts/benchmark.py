"""Rows a second and peak memory of `classifier score`, against simpler ways to the same answers. Prints a Markdown table.

    python scripts/benchmark.py --rows 1000 10000 100000

The rows are the corpus's texts over and over, each with a file number of its own, so that no two are the same. Each
measurement runs in a process of its own; memory is the largest resident size of
any one process (with workers, the sum may be as many times that as there are workers).
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from classifier.corpus import read_corpus

ROOT = Path(__file__).resolve().parents[1]


def texts(count: int) -> Iterator[str]:
    """`count` different texts made from the corpus."""
    sources = [e.text for e in read_corpus(ROOT / "corpus" / "en")]
    for number, text in zip(range(count), itertools.cycle(sources), strict=False):
        yield f"{text}\nThe file had number {number}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000], help="sizes of the table (default 1000 10000)")
    parser.add_argument("--compare", type=int, default=1_000, help="rows for the simpler ways, which are slow or hold all in memory (default 1000)")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="processes (default 1 2)")
    parser.add_argument("--endings", nargs="+", default=[".csv"], help="formats of the output (default .csv)")
    parser.add_argument("--no-model", action="store_true", help="an assessor that answers at once: what the tables alone cost")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, source = options.measure
        print(json.dumps(WAYS[way](Path(source))))
        return
    print("| way | rows | rows a second | seconds | memory, MB |\n| --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if not options.no_model:
            source = made(place, options.compare)
            for way in WAYS:
                print_row(way, options.compare, run([sys.executable, __file__, "--measure", way, str(source)]))
        command = [str(ROOT / "tests" / "stub_assessor.py")] if options.no_model else ["-m", "classifier"]
        for rows, jobs, ending in itertools.product(options.rows, [1] if options.no_model else options.jobs, options.endings):
            source, target = made(place, rows), place / f"out{ending}"
            arguments = ["score", str(source), str(target), "--text", "answer", "--jobs", str(jobs)]
            print_row(f"score, {jobs} process{'es' * (jobs > 1)}, {ending}", rows, run([sys.executable, "-c", _MEASURED, *command, *arguments]))
            target.unlink()


_MEASURED = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.Popen([sys.executable, *sys.argv[1:]], stderr=subprocess.DEVNULL)
code = done.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
assert code in (0, 3), code
print(json.dumps({"seconds": time.perf_counter() - began, "memory": used}))
"""


def made(place: Path, rows: int) -> Path:
    """The table of so many rows, made once."""
    path = place / f"{rows}.csv"
    if not path.exists():
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "answer"])
            writer.writerows((f"{number:07}", text) for number, text in enumerate(texts(rows)))
    return path


def run(command: list[str]) -> dict[str, float] | str:
    """The measurement that a process prints, or the reason why there is none."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def print_row(way: str, rows: int, found: dict[str, float] | str) -> None:
    if isinstance(found, str):
        print(f"| {way} | {rows:,} | not measured: {found} | | |", flush=True)
    else:
        rate = rows / found["seconds"]
        print(f"| {way} | {rows:,} | {rate:,.1f} | {found['seconds']:,.1f} | {found['memory'] / 1024:,.0f} |", flush=True)


def measured(work: Callable[[list[str]], object], source: Path) -> dict[str, float]:
    """Time without the loading of the model, as for `score` it is the smaller the longer the table."""
    with source.open(newline="", encoding="utf-8") as stream:
        rows = [row["answer"] for row in csv.DictReader(stream)]
    began = time.perf_counter()
    work(rows)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def loop(source: Path) -> dict[str, float]:
    """A plain loop over `assess`."""
    from classifier import load_assessor

    assessor = load_assessor()
    assessor.assess("A client asked for her balance and I told her what it was.")
    return measured(lambda rows: [assessor.assess(text) for text in rows], source)


def one_call(source: Path) -> dict[str, float]:
    """One call with everything in memory."""
    import pandas as pd

    from classifier import load_assessor, score_frame

    assessor = load_assessor()
    assessor.assess("A client asked for her balance and I told her what it was.")
    return measured(lambda rows: score_frame(pd.DataFrame({"answer": rows}), assessor, "answer"), source)


def setfit(source: Path) -> dict[str, float]:
    """SetFit's prediction of the level, with its usual small encoder, from the folder in SETFIT_MODEL."""
    import os

    from setfit import SetFitModel

    model = SetFitModel.from_pretrained(os.environ["SETFIT_MODEL"])
    model.predict(["A client asked for her balance and I told her what it was."])
    return measured(lambda rows: model.predict(rows, batch_size=32), source)


WAYS = {"plain loop over assess": loop, "one call of score_frame": one_call, "SetFit": setfit}

if __name__ == "__main__":
    main()
