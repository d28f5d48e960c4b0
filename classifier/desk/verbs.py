"""The desk's verbs on the command line: `desk`, and `audit verify`, `audit replay` and `learn`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from classifier.assessor import Assessor, load_assessor, shipped_model
from classifier.document import messages
from classifier.errors import InputError

# As in cli.py, each verb imports what it alone needs.

MakeVerb = Callable[[str, object, str, str], argparse.ArgumentParser]


def add_verbs(verb: MakeVerb) -> None:
    """Describe the verbs; `verb` makes one from its name, what it runs, a summary and an example."""
    desk = verb(
        "desk",
        _desk,
        "Open the assessor's desk: rate examples before seeing the suggestion. The folder keeps the texts, the ratings and the audit trail.",
        "classifier desk desk/ --add examples.csv --text answer",
    )
    desk.add_argument("folder", type=Path, metavar="FOLDER", help="the desk's folder; made where there is none")
    desk.add_argument("--add", type=Path, metavar="IN", help="put examples into the queue: a table or a folder of documents, as for `score`")
    desk.add_argument("--text", metavar="COLUMN", help="the column of IN that holds the examples (guessed where only one can be meant)")
    desk.add_argument("--id", metavar="COLUMN", help="the column of IN that names an example in the queue")
    desk.add_argument("--readings", type=int, choices=(1, 2), default=2, help="how many assessors read each example of IN (default 2)")
    desk.add_argument("--no-serve", action="store_true", help="only add; open no page")
    desk.add_argument("--backup", type=Path, metavar="DIR", help="copy the whole desk to a new folder and stop; also while it is in use")
    desk.add_argument("--without-blinding", action="store_true", help="for training: the suggestion may be seen before rating; the audit trail says so")
    desk.add_argument("--no-model", action="store_true", help="a plain rubric: no suggestions")
    desk.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default 127.0.0.1: this machine only)")
    desk.add_argument("--port", type=int, default=8001, metavar="N", help="port to listen on (default 8001; 0 takes a free one)")
    desk.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further host name that requests may be addressed to")
    desk.add_argument("--open", action="store_true", help="open the page in the browser")
    desk.add_argument("--model", type=Path, metavar="DIR", help="a model folder (default: the shipped one)")

    audit = verb(
        "audit",
        _audit,
        "Check a desk's audit trail (verify), or ask its model for the logged suggestions again (replay). Exit code 0: nothing found; 3: something was.",
        "classifier audit verify desk/",
    )
    audit.add_argument("what", choices=("verify", "replay"))
    audit.add_argument("folder", type=Path, metavar="FOLDER", help="the desk's folder")
    audit.add_argument("--head", metavar="HASH", help="verify: the last entry's hash as noted elsewhere; it must be in the trail")
    audit.add_argument("--model", type=Path, metavar="DIR", help="replay: a model folder (default: the shipped one)")

    learn = verb(
        "learn",
        _learn,
        "Export a desk's decided examples, pseudonymized and confirmed there, as corpus records; a fifth of them is held out.",
        "classifier learn desk/ --into corpus/en",
    )
    learn.add_argument("folder", type=Path, metavar="DESK", help="the desk's folder")
    learn.add_argument("--into", type=Path, required=True, metavar="CORPUS", help="the corpus folder")


def _desk(options: argparse.Namespace) -> int:
    from classifier.desk.store import Desk

    if options.backup:
        Desk(options.folder, create=False).backup(options.backup)
        print(f"{options.folder} -> {options.backup}", file=sys.stderr)
        return 0
    desk = Desk(options.folder)
    if options.add:
        from classifier.desk.intake import read_intake

        added, known = desk.add(read_intake(options.add, options.text, options.id), options.readings)
        print(f"{options.add}: {added:,} examples added, {known:,} were there already", file=sys.stderr)
    for fault in desk.check_trail().faults[:3]:
        print(f"{options.folder}: the audit trail is not what the desk wrote: {fault}", file=sys.stderr)
    return 0 if options.no_serve else _serve(desk, options)


def _serve(desk: object, options: argparse.Namespace) -> int:
    try:
        from classifier.desk.pages import create_desk
        from classifier.desk.store import Desk
        from classifier.server import run
    except ImportError as error:
        raise InputError(f"The desk needs more packages ({error.name}): pip install '.[web]' in this program's folder.") from error

    assert isinstance(desk, Desk)
    assessor = _model(options)
    blinding = not options.without_blinding
    show = "" if options.open else None
    run(lambda hosts: create_desk(desk, assessor, hosts, blinding), options.host, options.port, options.allow_host, messages()["desk"]["notice"], show)
    return 0


def _model(options: argparse.Namespace) -> Assessor | None:
    if options.no_model:
        return None
    if options.model is None and not (shipped_model() / "model.json").is_file():
        print("There is no model here; the desk is a plain rubric.", file=sys.stderr)
        return None
    return load_assessor(options.model)


def _learn(options: argparse.Namespace) -> int:
    from classifier.desk.learn import learn
    from classifier.desk.store import Desk

    found = learn(Desk(options.folder, create=False), options.into)
    print(f"{found.trained} examples -> {found.training}, {found.kept} held out -> {found.held_out}", file=sys.stderr)
    if found.unconfirmed:
        print(f"{found.unconfirmed} decided examples are left out: nobody has confirmed their pseudonymized text at the desk.", file=sys.stderr)
    return 0


def _audit(options: argparse.Namespace) -> int:
    from classifier.desk.store import Desk

    desk = Desk(options.folder, create=False, repair=False)
    if options.what == "replay":
        from classifier.desk.replay import model_of, replay

        assessor = load_assessor(options.model)
        found = replay(desk, assessor.assess, model_of(assessor))
        others = f", {found.other_models} of other models not tried" if found.other_models else ""
        print(f"{found.identical} identical, {len(found.differing)} differ{others}")
        faults = found.differing
    else:
        from classifier.desk.verify import verify

        checked = verify(desk)
        faults = checked.faults
        if options.head and not checked.holds(options.head):
            faults = (*faults, f"no entry has the hash {options.head}")
        waiting = f", {checked.waiting} of them wait in the database" if checked.waiting else ""
        print(f"{checked.entries} entries{waiting}, head {checked.head}: {'altered' if faults else 'unaltered'}")
    for fault in faults:
        print(f"  {fault}")
    return 3 if faults else 0
