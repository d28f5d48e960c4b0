"""The desk's one SQLite file: connections, transactions, migrations, backup. The only thing of the product that keeps texts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from classifier.desk.faults import StorageError
from classifier.errors import InputError

NAME = "desk.sqlite3"
_WAIT = 30.0  # seconds that one writer waits for another

# Each migration is applied once, in order, in a transaction of its own; one that has been released is never edited.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE desk (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL)",
        # The end of the audit trail: how many entries, the hash of the last, how many bytes are in the file.
        "CREATE TABLE trail (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, head TEXT NOT NULL, written INTEGER NOT NULL)",
        "CREATE TABLE pending (seq INTEGER PRIMARY KEY, line BLOB NOT NULL)",
        "CREATE TABLE assessor (name TEXT PRIMARY KEY, folded TEXT NOT NULL UNIQUE)",
        (
            "CREATE TABLE example (id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, input TEXT NOT NULL UNIQUE,"
            " wanted INTEGER NOT NULL CHECK (wanted IN (1, 2)), entry INTEGER NOT NULL)"
        ),
        (
            "CREATE TABLE suggestion (id INTEGER PRIMARY KEY, example INTEGER NOT NULL REFERENCES example, model TEXT NOT NULL, model_hash TEXT NOT NULL,"
            " assessment TEXT NOT NULL, UNIQUE (example, model_hash))"
        ),
        (
            "CREATE TABLE reading (example INTEGER NOT NULL REFERENCES example, assessor TEXT NOT NULL REFERENCES assessor, blind INTEGER NOT NULL,"
            " rating TEXT, rated_at TEXT, rated_entry INTEGER, suggestion INTEGER REFERENCES suggestion, revealed_entry INTEGER,"
            " choice TEXT, conclusion TEXT, concluded_at TEXT, concluded_entry INTEGER, PRIMARY KEY (example, assessor),"
            # The order of the desk, once more below the program: nothing revealed before the rating of a blind reading, nothing concluded before it.
            " CHECK (blind = 0 OR revealed_entry IS NULL OR rating IS NOT NULL), CHECK (conclusion IS NULL OR rating IS NOT NULL))"
        ),
        (
            "CREATE TABLE opened (example INTEGER NOT NULL REFERENCES example, assessor TEXT NOT NULL REFERENCES assessor, entry INTEGER NOT NULL,"
            " PRIMARY KEY (example, assessor))"
        ),
        (
            "CREATE TABLE final (example INTEGER PRIMARY KEY REFERENCES example, assessor TEXT NOT NULL REFERENCES assessor, judgement TEXT NOT NULL,"
            " decided_at TEXT NOT NULL, entry INTEGER NOT NULL)"
        ),
        (
            "CREATE TRIGGER a_rating_stays BEFORE UPDATE OF rating, blind ON reading WHEN OLD.rating IS NOT NULL AND (NEW.rating IS NOT OLD.rating"
            " OR NEW.blind IS NOT OLD.blind) BEGIN SELECT RAISE(ABORT, 'a rating is not changed'); END"
        ),
        (
            "CREATE TRIGGER a_conclusion_stays BEFORE UPDATE OF choice, conclusion ON reading WHEN OLD.conclusion IS NOT NULL"
            " BEGIN SELECT RAISE(ABORT, 'a conclusion is not changed'); END"
        ),
        "CREATE TRIGGER a_final_stays BEFORE UPDATE ON final BEGIN SELECT RAISE(ABORT, 'a decision is not changed'); END",
    ),
    (
        (
            "CREATE TABLE release (example INTEGER PRIMARY KEY REFERENCES example, assessor TEXT NOT NULL REFERENCES assessor,"
            " record TEXT NOT NULL, entry INTEGER NOT NULL)"
        ),
    ),
)


def connect(folder: Path) -> sqlite3.Connection:
    """A connection in which nothing is written before ``BEGIN``; committed means on the disk."""
    connection = sqlite3.connect(folder / NAME, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")
    return connection


@contextlib.contextmanager
def storage(folder: Path) -> Iterator[None]:
    """Failures of the disk and of SQLite as one sentence."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{folder}: the desk's files cannot be written or read ({error}).") from error


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, alone among all threads and processes: all of it is on the disk afterwards, or nothing."""
    with storage(folder), contextlib.closing(connect(folder)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """One consistent view."""
    with storage(folder), contextlib.closing(connect(folder)) as db:
        db.execute("BEGIN")
        yield db


def migrate(folder: Path) -> None:
    """Create the database or bring it to this version's form.

    Raises
    ------
    InputError
        When a newer version of the program has written it.
    """
    with storage(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by hand first, so that nobody else may ever read it.
        os.close(os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600))
    with writing(folder) as db:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise InputError(f"{folder / NAME}: written by a newer version of this program.")
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
            version += 1
        db.execute(f"PRAGMA user_version = {version}")


def copy_database(folder: Path, target: Path) -> None:
    """A whole copy of the database, also while others read it; the caller holds the write lock."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(connect(folder)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
