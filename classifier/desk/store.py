"""The desk's store: what may happen to an example, in which order, each step with its entry in the audit trail.

The order is kept here, not by the pages: rate, then see the suggestion, then conclude; a decision has a person's name.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.assessment import Assessment
from classifier.desk import trail
from classifier.desk.conclusion import concluded
from classifier.desk.database import connect, copy_database, migrate, reading, storage, writing
from classifier.desk.faults import AlteredError, OutOfOrderError, StorageError
from classifier.desk.judgement import Judgement
from classifier.desk.logged import framework_hashes, input_hash, logged_suggestion, suggestion_hash
from classifier.desk.record import Entered, Final, Model, Queued, Reading
from classifier.desk.rows import all_concluded, check_open, check_reveal, entered_of, reading_of, row_of, state_of, suggested_of
from classifier.errors import InputError
from classifier.rows import encodable

_NAME = 80

log = logging.getLogger("classifier.desk")


class Desk:
    """A folder with the queue, the ratings and the audit trail. Safe for several threads and several processes.

    create : False where a folder without a desk is an error.
    repair : False leaves entries that a crash kept from the trail's file where they are, for those who only look.
    """

    def __init__(self, folder: Path, create: bool = True, repair: bool = True) -> None:
        if not create and not (folder / "desk.sqlite3").is_file():
            raise InputError(f"{folder}: there is no desk here.")
        self.folder = folder
        migrate(folder)
        with storage(folder):
            # Held open so that SQLite does not fold its log back after each step.
            self._anchor = connect(folder)
        # Not only where the file was made just now: a crash, or a second start, may have come in between.
        with writing(folder) as db:
            if db.execute("SELECT count(*) FROM desk").fetchone()[0] == 0:
                name = secrets.token_hex(8)
                db.execute("INSERT INTO desk VALUES (1, ?)", (name,))
                trail.begin(db)
                trail.append(db, "", "created", {"desk": name}, trail.now())
        if repair:
            self.write_out()

    def close(self) -> None:
        """Let go of the files."""
        self._anchor.close()

    @property
    def id(self) -> str:
        """A random name that tells this desk from others."""
        with reading(self.folder) as db:
            return str(db.execute("SELECT id FROM desk").fetchone()[0])

    # Filling ----------------------------------------------------------------------------------------------------

    def add(self, examples: Iterable[tuple[str, str]], wanted: int = 2) -> tuple[int, int]:
        """Put (name, text) pairs into the queue; returns how many were added and how many were there already.

        Line ends become ``\\n``, as every browser sends them; nothing else of a text is changed.
        """
        added = known = 0
        with self.step() as db:
            for name, text in examples:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
                if not text.strip() or "\0" in text or encodable(name + text) != name + text:
                    raise InputError(f"{encodable(name)}: this is no text.")
                found = input_hash(text)
                if db.execute("SELECT 1 FROM example WHERE input = ?", (found,)).fetchone():
                    known += 1
                    continue
                number = int(db.execute("SELECT coalesce(max(id), 0) + 1 FROM example").fetchone()[0])
                # The name may be a person's, so the trail has the number only.
                entry = trail.append(db, "", "added", {"example": number, "input": found, "readings": wanted}, trail.now())
                db.execute("INSERT INTO example VALUES (?, ?, ?, ?, ?, ?)", (number, name, text, found, wanted, entry))
                added += 1
        return added, known

    def enter(self, name: str) -> str:
        """An assessor's name as this desk spells it; a new one is noted.

        Raises
        ------
        InputError
            When it is no name.
        """
        spelled = " ".join(unicodedata.normalize("NFC", name).split())
        if not spelled or len(spelled) > _NAME or any(unicodedata.category(c).startswith("C") for c in spelled):
            raise InputError(f"A name has 1 to {_NAME} visible characters.")
        with self.step() as db:
            db.execute("INSERT OR IGNORE INTO assessor VALUES (?, ?)", (spelled, spelled.casefold()))
            return str(db.execute("SELECT name FROM assessor WHERE folded = ?", (spelled.casefold(),)).fetchone()[0])

    # Rating, then seeing, then concluding -----------------------------------------------------------------------

    def rate(self, example: int, who: str, rating: Judgement) -> None:
        """Record an assessor's own rating; it is never changed afterwards."""
        at = trail.now()
        with self.step() as db:
            entered = entered_of(db, example)
            row = row_of(db, example, who)
            if row is not None and row["rating"] is not None:
                raise OutOfOrderError("You have rated this example; a rating is not changed afterwards.")
            check_open(db, entered, who)
            if db.execute("SELECT 1 FROM opened WHERE example = ? AND assessor = ?", (example, who)).fetchone():
                raise OutOfOrderError("You have seen the others' readings of this example, so you cannot rate it any more.")
            blind = row is None
            facts = {"example": example, "input": entered.input, "mode": "blind" if blind else "open", "rating": rating.logged()}
            entry = trail.append(db, who, "rated", facts, at)
            content = json.dumps(rating.to_dict())
            if blind:
                db.execute(
                    "INSERT INTO reading (example, assessor, blind, rating, rated_at, rated_entry) VALUES (?, ?, 1, ?, ?, ?)",
                    (example, who, content, at, entry),
                )
            else:
                db.execute(
                    "UPDATE reading SET rating = ?, rated_at = ?, rated_entry = ? WHERE example = ? AND assessor = ?", (content, at, entry, example, who)
                )

    def may_reveal(self, example: int, who: str, blinding: bool = True) -> None:
        """Raise OutOfOrderError unless the suggestion may be shown to this assessor now."""
        with reading(self.folder) as db:
            check_reveal(db, example, who, blinding)

    def reveal(self, example: int, who: str, assessment: Assessment, model: Model, blinding: bool = True) -> Assessment:
        """Record that an assessor is shown the suggestion, and return the one that is shown: the first that this model gave.

        blinding : False in the mode for training, in which it may come before the rating; the trail says so.
        """
        at = trail.now()
        with self.step() as db:
            entered = entered_of(db, example)
            row = check_reveal(db, example, who, blinding)
            if row is not None and row["revealed_entry"] is not None:
                return suggested_of(db, row["suggestion"]).assessment
            content = json.dumps(assessment.to_dict())
            db.execute(
                "INSERT OR IGNORE INTO suggestion (example, model, model_hash, assessment) VALUES (?, ?, ?, ?)", (example, model.version, model.sha256, content)
            )
            found = int(db.execute("SELECT id FROM suggestion WHERE example = ? AND model_hash = ?", (example, model.sha256)).fetchone()[0])
            shown = suggested_of(db, found)
            facts = {
                "example": example,
                "input": entered.input,
                "mode": "blind" if row is not None and row["blind"] else "open",
                "model": {"version": shown.model.version, "sha256": shown.model.sha256},
                "framework": framework_hashes(),
                "suggestion": logged_suggestion(shown.assessment),
                "suggestion_sha256": suggestion_hash(shown.assessment),
            }
            entry = trail.append(db, who, "revealed", facts, at)
            if row is None:
                db.execute("INSERT INTO reading (example, assessor, blind, suggestion, revealed_entry) VALUES (?, ?, 0, ?, ?)", (example, who, found, entry))
            else:
                db.execute("UPDATE reading SET suggestion = ?, revealed_entry = ? WHERE example = ? AND assessor = ?", (found, entry, example, who))
            return shown.assessment

    def conclude(self, example: int, who: str, choice: str, changed: Judgement | None = None, reason: str = "") -> Judgement:
        """Record what the assessor holds after the suggestion.

        choice : "accept" (level and client of the suggestion), "keep" (the own rating) or "change" (to `changed`).
        reason : needed for a change, and wherever the own level and the suggested one differ.
        """
        at = trail.now()
        with self.step() as db:
            entered = entered_of(db, example)
            own = reading_of(db, row_of(db, example, who), example)
            if own is None or own.rating is None:
                raise OutOfOrderError("Rate the example first.")
            if own.conclusion is not None:
                raise OutOfOrderError("You have concluded this reading.")
            if own.suggestion is None:
                raise OutOfOrderError("See the suggestion first.")
            conclusion = concluded(own.rating, own.suggestion.assessment, choice, changed, reason)
            self._conclude(db, entered, who, choice, conclusion, at)
            return conclusion

    def conclude_alone(self, example: int, who: str) -> None:
        """Without a model (a plain rubric) the rating is the conclusion."""
        at = trail.now()
        with self.step() as db:
            own = reading_of(db, row_of(db, example, who), example)
            if own is None or own.rating is None:
                raise OutOfOrderError("Rate the example first.")
            if own.suggestion is None and own.conclusion is None:
                self._conclude(db, entered_of(db, example), who, "none", own.rating, at)

    def _conclude(self, db: sqlite3.Connection, entered: Entered, who: str, choice: str, conclusion: Judgement, at: str) -> None:
        facts = {"example": entered.id, "input": entered.input, "choice": choice, "conclusion": conclusion.logged()}
        entry = trail.append(db, who, "concluded", facts, at)
        db.execute(
            "UPDATE reading SET choice = ?, conclusion = ?, concluded_at = ?, concluded_entry = ? WHERE example = ? AND assessor = ?",
            (choice, json.dumps(conclusion.to_dict()), at, entry, entered.id, who),
        )

    # Deciding ---------------------------------------------------------------------------------------------------

    def open_readings(self, example: int, who: str) -> tuple[Reading, ...]:
        """All readings of an example, for the person who decides; from then on this person cannot rate it."""
        at = trail.now()
        with self.step() as db:
            entered = entered_of(db, example)
            found = all_concluded(db, entered)
            own = row_of(db, example, who)
            known = db.execute("SELECT 1 FROM opened WHERE example = ? AND assessor = ?", (example, who)).fetchone()
            if known is None and own is None:
                entry = trail.append(db, who, "opened", {"example": example, "input": entered.input}, at)
                db.execute("INSERT INTO opened VALUES (?, ?, ?)", (example, who, entry))
            return found

    def decide(self, example: int, who: str, judgement: Judgement) -> None:
        """Record the decision by a named person, after all wanted readings."""
        at = trail.now()
        with self.step() as db:
            entered = entered_of(db, example)
            if db.execute("SELECT 1 FROM final WHERE example = ?", (example,)).fetchone():
                raise OutOfOrderError("This example has been decided.")
            readings = all_concluded(db, entered)
            if not judgement.reason:
                raise InputError("A decision needs a reason.")
            facts = {
                "example": example,
                "input": entered.input,
                "readings": [[r.assessor, r.conclusion.level] for r in readings if r.conclusion],
                "final": judgement.logged(),
            }
            entry = trail.append(db, who, "decided", facts, at)
            db.execute("INSERT INTO final VALUES (?, ?, ?, ?, ?)", (example, who, json.dumps(judgement.to_dict()), at, entry))

    # Looking ----------------------------------------------------------------------------------------------------

    def example(self, example: int) -> Entered:
        """One example."""
        with reading(self.folder) as db:
            return entered_of(db, example)

    def examples(self) -> tuple[Entered, ...]:
        """All examples, in the order in which they came."""
        with reading(self.folder) as db:
            return tuple(Entered(*row) for row in db.execute("SELECT id, name, text, input, wanted FROM example ORDER BY id"))

    def reading(self, example: int, who: str) -> Reading | None:
        """One assessor's own reading."""
        with reading(self.folder) as db:
            entered_of(db, example)
            return reading_of(db, row_of(db, example, who), example)

    def readings(self, example: int | None = None) -> tuple[Reading, ...]:
        """All readings, or those of one example, for figures and exports; pages show them to nobody who still has to rate."""
        with reading(self.folder) as db:
            where, values = ("", ()) if example is None else (" WHERE example = ?", (example,))
            rows = db.execute(f"SELECT * FROM reading{where} ORDER BY example, rated_entry", values).fetchall()
            return tuple(found for row in rows if (found := reading_of(db, row, row["example"])) is not None)

    def final(self, example: int) -> Final | None:
        """The decision on an example, where there is one."""
        with reading(self.folder) as db:
            row = db.execute("SELECT * FROM final WHERE example = ?", (example,)).fetchone()
            return None if row is None else Final(row["assessor"], Judgement.from_dict(json.loads(row["judgement"])), row["decided_at"], row["entry"])

    def queue(self, who: str) -> tuple[Queued, ...]:
        """Every example with what this assessor can do with it. It tells nothing of what others rated."""
        with reading(self.folder) as db:
            rows = db.execute(
                "SELECT e.id, e.name, e.wanted, r.rating IS NOT NULL AS rated, r.revealed_entry, r.conclusion IS NOT NULL AS concluded, f.example AS final,"
                " (SELECT count(*) FROM reading o WHERE o.example = e.id AND o.rating IS NOT NULL) AS taken,"
                " (SELECT count(*) FROM reading o WHERE o.example = e.id AND o.conclusion IS NOT NULL) AS done"
                " FROM example e LEFT JOIN reading r ON r.example = e.id AND r.assessor = ? LEFT JOIN final f ON f.example = e.id ORDER BY e.id",
                (who,),
            )
            return tuple(Queued(row["id"], row["name"], state_of(row), row["done"], row["wanted"]) for row in rows)

    # The trail and copies ---------------------------------------------------------------------------------------

    def check_trail(self) -> trail.Checked:
        """The whole trail, held against its hashes."""
        with writing(self.folder) as db:
            return trail.check(db, self.folder)

    def note(self, who: str, what: str, facts: Mapping[str, Any]) -> None:
        """An entry of its own in the trail."""
        with self.step() as db:
            trail.append(db, who, what, facts, trail.now())

    def backup(self, target: Path) -> None:
        """A whole copy of the desk in a new folder, also while it is in use."""
        if target.exists():
            raise InputError(f"{target}: there is something of this name; a backup goes to a new folder.")
        self.write_out()
        # Held by nobody else meanwhile, so that the trail and the database are of one moment.
        with writing(self.folder):
            target.mkdir(mode=0o700, parents=True)
            copy_database(self.folder, target / "desk.sqlite3")
            for path in self.folder.iterdir():
                if path.name == trail.NAME or path.suffix == ".toml":
                    shutil.copy2(path, target / path.name)

    def write_out(self) -> None:
        """Move waiting entries to the trail's file."""
        with writing(self.folder) as db:
            trail.write_out(db, self.folder)

    @contextlib.contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        """A step and its entry in one transaction; then the entry goes to the file.

        A step that is in the database is not lost: where the file cannot be written now, its entry waits in the database.
        """
        with writing(self.folder) as db:
            yield db
        try:
            self.write_out()
        except AlteredError:
            raise
        except StorageError as error:
            log.error("The audit trail waits in the database: %s", error)
