"""Rows a second and peak memory of `classifier score`, against simpler ways to the same answers. Prints a Markdown table.

    python scripts/benchmark.py --rows 1000 3000
    python scripts/benchmark.py --quick --rows 1000 10000 100000

With the real model 100,000 rows take an hour or more; --quick shows what the tables, the checkpoint and the formats cost
at any length. The rows are the corpus's texts over and over, each with a file number of its own, so that no two are the
same. Each measurement runs in a process of its own; memory is the largest resident size of any one process (with
workers, the sum may be as many times that as there are workers).
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
from typing import Any

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
    parser.add_argument("--quick", action="store_true", help="with an assessor that answers at once and one process: what all but the model costs")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, source = options.measure
        print(json.dumps(WAYS[way](Path(source), options.quick)))
        return
    print("| way | rows | rows a second | against the loop | seconds | memory, MB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    loop_rate, memory = None, {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        source = made(place, options.compare)
        for way in WAYS:
            if way == "SetFit" and options.quick:
                continue
            found = run([sys.executable, __file__, "--measure", way, str(source), *["--quick"] * options.quick])
            loop_rate = loop_rate or (None if isinstance(found, str) else options.compare / found["seconds"])
            print_row(way, options.compare, found, loop_rate)
        command = [str(ROOT / "tests" / "stub_assessor.py")] if options.quick else ["-m", "classifier"]
        for rows, jobs, ending in itertools.product(options.rows, [1] if options.quick else options.jobs, options.endings):
            source, target = made(place, rows), place / f"out{ending}"
            arguments = ["score", str(source), str(target), "--text", "answer", "--jobs", str(jobs)]
            found = run([sys.executable, "-c", _MEASURED, *command, *arguments])
            print_row(f"score, {jobs} process{'es' * (jobs > 1)}, {ending}", rows, found, loop_rate)
            if not isinstance(found, str):
                memory[rows, jobs, ending] = found["memory"]
            target.unlink(missing_ok=True)
    for (rows, jobs, ending), used in memory.items():
        if rows > 10_000 and (10_000, jobs, ending) in memory:
            print(f"\nMemory at {rows:,} rows against 10,000 ({jobs} process{'es' * (jobs > 1)}, {ending}): {used / memory[10_000, jobs, ending]:.2f}")


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
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def print_row(way: str, rows: int, found: dict[str, float] | str, loop_rate: float | None) -> None:
    if isinstance(found, str):
        print(f"| {way} | {rows:,} | not measured: {found} | | | |", flush=True)
        return
    rate = rows / found["seconds"]
    against = "" if loop_rate is None else f"{rate / loop_rate:.2f}"
    print(f"| {way} | {rows:,} | {rate:,.1f} | {against} | {found['seconds']:,.1f} | {found['memory'] / 1024:,.0f} |", flush=True)


def measured(work: Callable[[list[str]], object], source: Path) -> dict[str, float]:
    """Time without the loading of the model, as for `score` it is the smaller the longer the table."""
    with source.open(newline="", encoding="utf-8") as stream:
        rows = [row["answer"] for row in csv.DictReader(stream)]
    began = time.perf_counter()
    work(rows)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


def ready(quick: bool) -> Any:
    """An assessor that has assessed a text already: the shipped one, or one that answers at once."""
    if quick:
        sys.path.insert(0, str(ROOT / "tests"))
        from stub_assessor import StubAssessor

        return StubAssessor()
    from classifier import load_assessor

    assessor = load_assessor()
    assessor.assess("A client asked for her balance and I told her what it was.")
    return assessor


def loop(source: Path, quick: bool) -> dict[str, float]:
    """A plain loop over `assess`."""
    assessor = ready(quick)
    return measured(lambda rows: [assessor.assess(text) for text in rows], source)


def one_call(source: Path, quick: bool) -> dict[str, float]:
    """One call with everything in memory."""
    import pandas as pd

    from classifier import score_frame

    assessor = ready(quick)
    return measured(lambda rows: score_frame(pd.DataFrame({"answer": rows}), assessor, "answer"), source)


def setfit(source: Path, quick: bool) -> dict[str, float]:
    """SetFit's prediction of the level, with its usual small encoder, from the folder in SETFIT_MODEL."""
    import os

    from setfit import SetFitModel

    model = SetFitModel.from_pretrained(os.environ["SETFIT_MODEL"])
    model.predict(["A client asked for her balance and I told her what it was."])
    return measured(lambda rows: model.predict(rows, batch_size=32), source)


WAYS = {"plain loop over assess": loop, "one call of score_frame": one_call, "SetFit": setfit}

if __name__ == "__main__":
    main()
