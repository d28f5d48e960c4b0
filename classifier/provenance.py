"""Beside the figures of an evaluation: of what data they are, with which versions and files they came about, and what an answer costs."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from classifier.assessment import Assesses
from classifier.assessor import file_hash, read_manifest
from classifier.corpus import REGISTERS, Example, register_of
from classifier.errors import InputError
from classifier.sections import Section
from classifier.words import words

_PACKAGES = ("service-excellence-classifier", "numpy", "scikit-learn", "onnxruntime", "spacy")
_RUNS, _BATCH, _WORDS = 30, 64, 190  # of what an answer costs


def describe_data(made: Sequence[Example], examples: Path | None = None, statements: Path | None = None) -> Section:
    """Of what the figures are: the made corpus by register and level, and how many texts come from elsewhere, without a word or name of them."""
    registers: dict[str, list[Example]] = {name: [] for name, _, _ in REGISTERS}
    for example in made:
        registers.setdefault(register_of(example.source) or "other writers", []).append(example)
    rows = [f"{'made corpus, by register':<54} {'texts':>6} {'level 0':>8} {'1':>6} {'2':>6} {'3':>6} {'4':>6} {'words':>6}"]
    for name, members in [*registers.items(), ("all", list(made))]:
        if members:
            counts = [sum(e.ratings.get("level") == k for e in members) for k in range(5)]
            mean = round(np.mean([len(words(e.text)) for e in members]))
            rows.append(f"{name:<54} {len(members):6d} {counts[0]:8d} {' '.join(f'{count:6d}' for count in counts[1:])} {mean:6d}")
    known = [e for name, _, _ in REGISTERS for e in registers[name]]
    if known:
        writers, beside = len({e.source for e in known}), sum(len(e.readers) == 2 for e in known)
        written = f"{writers} writers of these registers, all of them language models, most of which wrote after a guide"
        rows.append(f"made corpus: {written}; {beside} texts were read once blind beside the writer's or a first reader's label, by such models too")
    for kind, path in (("examples from elsewhere", examples), ("levelled statements", statements)):
        if path:
            named = hashlib.sha256(path.name.encode()).hexdigest()[:12]
            rows.append(
                f"{kind}: {sum(bool(line.strip()) for line in _content(path).splitlines())} texts; the file is not shown (SHA-256 of its name {named}…)"
            )
    rows.append("limits: made text is not employees' text, so the figures on examples from elsewhere count for more; English only; no writer's group is known")
    return Section("Data and its limits", {}, tuple(rows))


def versions(model: Path, data: Mapping[str, str]) -> Section:
    """With what the figures came about, so that others can tell whether they measure the same.

    data : what each further hash is of (the corpus, a file), and the hash.
    """
    with_own = {"Python": platform.python_version(), **{package: version(package) for package in _PACKAGES}}
    names = ["model.json", *read_manifest(model)["files"], "encoder/unseen.npz"]
    hashes = {f"{name} of the model": file_hash(model / name) for name in names if (model / name).is_file()}
    rows = [f"{'package or file':<32} version or hash", *(f"{name:<32} {value}" for name, value in with_own.items())]
    rows += [f"SHA-256 {name:<40} {value}" for name, value in {**hashes, **data}.items()]
    return Section("Versions and hashes", {}, tuple(rows))


def cost(assessor: Assesses, model: Path, made: Sequence[Example]) -> Section:
    """What an answer costs here: seconds for one text, texts a second, memory so far, and the model's size."""
    text = min((e.text for e in made), key=lambda text: abs(len(words(text)) - _WORDS))
    batch = [e.text for e in made[:: max(len(made) // _BATCH, 1)][:_BATCH]]
    list(assessor.assess_many([text]))  # loads the network
    seconds = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        list(assessor.assess_many([text]))
        seconds.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    list(assessor.assess_many(batch))
    rate = len(batch) / (time.perf_counter() - begun)
    half, most = np.quantile(seconds, [0.5, 0.95])
    values = {
        f"one text of {len(words(text))} words: p50, seconds": float(half),
        "p95, seconds": float(most),
        f"texts a second (of {len(batch)})": rate,
        "peak memory, MB": peak_memory(),
        "model on disk, MB": sum((model / name).stat().st_size for name in read_manifest(model)["files"]) / 1e6,
    }
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}; memory with scikit-learn and the corpus, which assessing does not need"
    return Section("Cost on one machine, others differ", {name: (value, None) for name, value in values.items()}, (where,))


def peak_memory() -> float:
    """Most memory that this process held, in MB; NaN on Windows. Not ru_maxrss on Linux, where it may be that of the process that started it."""
    status = Path("/proc/self/status")
    if status.is_file() and (found := re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text("utf-8"), re.MULTILINE)):
        return int(found[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
