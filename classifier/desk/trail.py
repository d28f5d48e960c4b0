"""The audit trail: JSON lines that are only ever added to, each with the SHA-256 of the line before it.

An entry is first a part of the transaction that it tells of (table ``pending``), then moved to the end of the file. So
what was acknowledged is in the trail after any crash. The database keeps the hash of the last line and the length of the
file: a tail that was cut off is seen, and a line that was torn by a crash is completed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifier.desk.faults import AlteredError

NAME = "audit.jsonl"
START = "0" * 64


@dataclass(frozen=True)
class Checked:
    """What `check` found. `entries` are those that could be read; `head` is the hash that the database holds."""

    entries: tuple[dict[str, Any], ...]
    hashes: tuple[str, ...]
    faults: tuple[str, ...]
    head: str
    waiting: int


def now() -> str:
    """The time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def canonical(content: object) -> bytes:
    """One way to write a value as JSON, so that equal values have equal hashes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def begin(db: sqlite3.Connection) -> None:
    """An empty trail, in a transaction of the caller's."""
    db.execute("INSERT INTO trail VALUES (1, 0, ?, 0)", (START,))


def append(db: sqlite3.Connection, who: str, what: str, facts: Mapping[str, Any], at: str) -> int:
    """Add an entry, in the transaction that it tells of; returns its number."""
    seq, head = db.execute("SELECT seq, head FROM trail").fetchone()
    line = canonical({"seq": seq + 1, "previous": head, "at": at, "who": who, "what": what, **facts}) + b"\n"
    db.execute("INSERT INTO pending VALUES (?, ?)", (seq + 1, line))
    db.execute("UPDATE trail SET seq = ?, head = ?", (seq + 1, hashlib.sha256(line).hexdigest()))
    return int(seq) + 1


def write_out(db: sqlite3.Connection, folder: Path) -> None:
    """Move waiting entries to the file, in a transaction of its own.

    Raises
    ------
    AlteredError
        When the end of the file is not what the desk wrote; then nothing is added to it.
    """
    lines = [row["line"] for row in db.execute("SELECT line FROM pending ORDER BY seq")]
    if not lines:
        return
    wanted = b"".join(lines)
    written = int(db.execute("SELECT written FROM trail").fetchone()[0])
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        torn = _torn(os.fstat(handle).st_size, written, wanted, handle)
        rest = memoryview(wanted)[torn:]
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    db.execute("UPDATE trail SET written = ?", (written + len(wanted),))
    db.execute("DELETE FROM pending")


def _torn(size: int, written: int, wanted: bytes, handle: int) -> int:
    """How many bytes of the waiting lines a crash left in the file already."""
    if size >= written:
        tail = os.pread(handle, size - written, written)
        if wanted.startswith(tail):
            return len(tail)
    raise AlteredError("The end of the audit trail is not what the desk wrote; `classifier audit verify` says where.")


def check(db: sqlite3.Connection, folder: Path) -> Checked:
    """Read the whole trail and hold it against its hashes and the database's head; the caller holds the write lock."""
    seq, head, written = db.execute("SELECT seq, head, written FROM trail").fetchone()
    waiting = [row["line"] for row in db.execute("SELECT line FROM pending ORDER BY seq")]
    path = folder / NAME
    content = path.read_bytes() if path.exists() else b""
    faults = []
    tail = content[written:]
    if not b"".join(waiting).startswith(tail):
        faults.append(f"after byte {written}: {len(tail)} bytes that the desk did not write")
    lines = (content[:written] + b"".join(waiting)).splitlines(keepends=True)
    entries, hashes = [], []
    previous, number = START, 0
    for place, line in enumerate(lines, 1):
        entry = _parsed(line)
        if entry is None:
            faults.append(f"line {place}: not an entry")
        else:
            entries.append(entry)
            if entry.get("seq") != number + 1:
                faults.append(f"line {place}: entry {entry.get('seq')!r} where entry {number + 1} belongs (altered, missing or in another order)")
            if entry.get("previous") != previous:
                faults.append(f"line {place}: the line before it is not the one that it was written after (altered, missing or in another order)")
        number = entry["seq"] if entry is not None and type(entry.get("seq")) is int else number + 1
        previous = hashlib.sha256(line).hexdigest()
        hashes.append(previous)
    if previous != head or len(lines) != seq:
        faults.append(f"the end: the database says {seq} entries, the last with hash {head}; here are {len(lines)}, the last with hash {previous}")
    return Checked(tuple(entries), tuple(hashes), tuple(faults), head, len(waiting))


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
