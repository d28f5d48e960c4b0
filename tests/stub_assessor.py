"""An assessor that answers at once, for tests of tables with many rows. Run as a program it is the command line with this assessor.

The answer depends on the text alone, as with the real one; texts are refused by the real rules.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import classifier.cli
from classifier.assessment import Assessment, Client, Finding, Rating
from classifier.document import refusal


class StubAssessor:
    version = "stub-1"
    scales = ("level", "involvement", "commitment", "pspc_level")

    def __init__(self, seconds: float = 0.0, log: Path | None = None) -> None:
        self.seconds = seconds
        self.log = log
        self.calls = 0

    def assess(self, text: str) -> Assessment:
        return next(self.assess_many([text]))

    def assess_many(self, texts: Iterable[str]) -> Iterator[Assessment]:
        for text in texts:
            self.calls += 1
            time.sleep(self.seconds)
            if self.log is not None:
                with self.log.open("a") as stream:
                    stream.write(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() + "\n")
            if "POISON" in text:
                raise RuntimeError("this text breaks the model")
            reason = refusal(text)
            yield Assessment(f"refused: {reason}", self.version) if reason else self._answer(text)

    def _answer(self, text: str) -> Assessment:
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        level = number % 5
        chances = [0.1, 0.1, 0.1, 0.1, 0.1]
        chances[level] = 0.6
        plausible = (level,) if number % 3 else tuple(range(max(0, level - 1), level + 1))
        rating = Rating(level, tuple(chances), plausible)
        finding = Finding("1.1", 0, 1, text[0], 0.75)
        flags = (Finding("not1", 1, 2, text[1], 0.9),) if number % 7 == 0 else ()
        shares = {"external": 0.7, "internal": 0.1, "not_a_client": 0.1, "none": 0.1}
        return Assessment("ok", self.version, dict.fromkeys(self.scales, rating), Client("external", shares), (finding,), flags)


if __name__ == "__main__":
    log = os.environ.get("STUB_LOG")
    stub = StubAssessor(float(os.environ.get("STUB_SECONDS", "0")), Path(log) if log else None)
    classifier.cli.load_assessor = lambda folder=None: stub  # type: ignore[assignment, return-value]
    sys.exit(classifier.cli.main(sys.argv[1:]))
