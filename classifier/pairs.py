"""Pairs of texts that differ in one thing only, written out: a name, the writer's English, or the decisive act."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from classifier.errors import InputError
from classifier.rows import read_records


@dataclass(frozen=True)
class Pair:
    """Two texts. `kind` says in what they differ; a kind that begins with "name" is about who somebody is.

    Without `readings` both have the same content. With them `a` has the level `level`, and blind readers gave `b` these levels.
    """

    id: str
    kind: str
    a: str
    b: str
    level: int | None = None
    readings: tuple[int, ...] = ()

    @property
    def fell(self) -> bool:
        """Whether most readers found a lower level in `b`."""
        return self.level is not None and 2 * sum(reading < self.level for reading in self.readings) > len(self.readings)


def read_pairs(folder: Path) -> list[Pair]:
    """All pairs of a folder of JSON Lines files.

    Raises
    ------
    InputError
        With file and line, when a line is no pair, or when there are none.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, record in read_records(path):
            try:
                pair = Pair(record["id"], record["kind"], record["a"], record["b"], record.get("level"), tuple(record.get("readings", ())))
                if not all(isinstance(value, str) for value in (pair.id, pair.kind, pair.a, pair.b)):
                    raise TypeError("a field is no text")
                if not all(value in range(5) for value in (*pair.readings, *([pair.level] if pair.readings else []))):
                    raise TypeError("a level is no number from 0 to 4")
            except (KeyError, TypeError) as error:
                raise InputError(f"{path}:{number}: not a pair with id, kind, a and b ({error!r}).") from error
            found.append(pair)
    if not found:
        raise InputError(f"{folder}: there are no pairs here (.jsonl files).")
    return found
