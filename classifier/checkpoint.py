"""What was scored so far, on disk: a run that was killed at any moment goes on where it stopped.

Answers are kept by the hash of their text, not by row: a text that occurs twice is scored once, rows may be read in any
order, and the output is written from the input and the answers alone, so that it is the same with and without a break.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from classifier.errors import InputError


def text_key(text: str) -> bytes:
    """Name of a text in the checkpoint."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


@contextmanager
def unfinished(target: Path, resume: bool) -> Iterator[Path]:
    """A private folder beside `target` for all that is not finished, removed when all went well.

    It stays after an error or a kill, since it holds the answers so far; but a folder without any is removed.
    """
    folder = target.parent / f"{target.name}.unfinished"
    answers = folder / "answers.sqlite"
    if answers.exists():
        _refuse_locked(answers)
    if answers.exists() and not resume and not _is_empty(answers):
        raise InputError(f"{folder}: an earlier run was not finished; add --resume to go on with it, or remove this folder to start anew.")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}).") from error
    try:
        yield folder
    except BaseException:
        for left in folder.iterdir():  # half an output, and temporary files that hold texts
            if not left.name.startswith(answers.name):
                left.unlink(missing_ok=True)
        if not answers.exists() or _is_empty(answers):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder)


def _refuse_locked(path: Path) -> None:
    """Another run's folder is left alone: neither gone on with nor tidied up."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as database:
            database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InputError(f"{path.parent}: another run is writing this output now.") from error
    except sqlite3.Error:
        pass  # what is wrong with it is said where it is opened for good


def _is_empty(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=0)) as database:
            return not database.execute("SELECT EXISTS (SELECT 1 FROM answers)").fetchone()[0]
    except sqlite3.Error:
        return False


class Checkpoint:
    """Answers by text. One process at a time may hold it.

    Parameters
    ----------
    folder : as given by `unfinished`.
    model : the assessor's version; answers of another model are refused, not mixed in.
    """

    def __init__(self, folder: Path, model: str) -> None:
        path = folder / "answers.sqlite"
        with _told(path):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
            try:
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                # Safe against a kill; after a power cut the last answers may be missing and are scored again.
                self._database.execute("PRAGMA synchronous = NORMAL")
                self._database.execute("BEGIN EXCLUSIVE")
                self._database.execute("CREATE TABLE IF NOT EXISTS model (version TEXT)")
                self._database.execute("CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, cells TEXT) WITHOUT ROWID")
                found = self._database.execute("SELECT version FROM model").fetchone()
                if found is None:
                    self._database.execute("INSERT INTO model VALUES (?)", [model])
                self._database.execute("COMMIT")
            except BaseException:
                self._database.close()
                raise
        self._path = path
        if found is not None and found[0] != model:
            self._database.close()
            raise InputError(f"{folder}: the unfinished run used model {found[0]}, and this is {model}; use that model, or remove this folder to start anew.")

    def __contains__(self, key: bytes) -> bool:
        with _told(self._path):
            return self._database.execute("SELECT 1 FROM answers WHERE key = ?", [key]).fetchone() is not None

    def __getitem__(self, key: bytes) -> list[Any]:
        with _told(self._path):
            found = self._database.execute("SELECT cells FROM answers WHERE key = ?", [key]).fetchone()
        if found is None:
            raise KeyError(key)
        return list(json.loads(found[0]))

    def __len__(self) -> int:
        with _told(self._path):
            return int(self._database.execute("SELECT count(*) FROM answers").fetchone()[0])

    def update(self, answers: Mapping[bytes, Sequence[object]]) -> None:
        """Keep answers: all of them, or none where the process is killed meanwhile."""
        rows = [(key, json.dumps(list(cells))) for key, cells in answers.items()]
        with _told(self._path):
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Give the file free."""
        self._database.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise InputError(f"{path.parent}: another run is writing this output now.") from error
        raise InputError(f"{path}: cannot be written ({error}); make room, then go on with --resume.") from error
    except (sqlite3.Error, OSError) as error:
        raise InputError(f"{path}: the unfinished run cannot be read or written ({error}); remove its folder to start anew.") from error
