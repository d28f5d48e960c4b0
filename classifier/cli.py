"""The command line: results to stdout, the rest to stderr, exit code 1 with one sentence on bad input."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from classifier.assessment import Assessment
from classifier.assessor import Assessor, file_hash, load_assessor, of_the_level, shipped_model
from classifier.contract import COLUMNS
from classifier.corpus import check_corpus, read_corpus, read_examples
from classifier.desk.verbs import add_verbs
from classifier.document import messages, refusal
from classifier.encoder import Encoder
from classifier.errors import InputError
from classifier.explain import explain
from classifier.framework import load_framework
from classifier.private import write_private
from classifier.uploads import open_docx, read_upload

# Each verb imports what it alone needs: pandas or scikit-learn take longer to import than a text takes to assess.
if TYPE_CHECKING:
    from classifier.corpus import Example
    from classifier.fairness import Row
    from classifier.job import Summary
    from classifier.sections import Section

FOLDS = 10  # groups of writers, each of which is left out once


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # in a file or a pipe UTF-8 always; a terminal shows what it can
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  its reader has gone; keep Python from complaining at exit
        return 0
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        # Its message or the traceback's lines may quote the text, and standard error often ends in a log.
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"The program failed: {type(error).__name__} in {place.filename}:{place.lineno}. Please report this line.", file=sys.stderr)
        return 70


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classifier", description=f"Which level of Service Excellence does a written example show? {messages()['notice']['text']}"
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: object, summary: str, example: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=summary, description=summary, epilog=f"example: {example}", formatter_class=argparse.RawDescriptionHelpFormatter)
        made.set_defaults(run=run)
        return made

    assess = verb("assess", _assess, "Assess one text and say on which words.", "classifier assess draft.txt --json")
    assess.add_argument("file", nargs="?", default="-", metavar="FILE", help="a UTF-8 text, .docx or .pdf file; - or nothing reads stdin")
    assess.add_argument("--annotate", type=Path, metavar="OUT", help="write the .docx FILE again, with comments on the evidence and the flags")
    assess.add_argument("--json", action="store_true", help="print the whole assessment as JSON")
    assess.add_argument("--framework", default="cra", metavar="NAME", help="cra, pspc, or the path of a framework's TOML file (default cra)")
    assess.add_argument("--model", type=Path, metavar="DIR", help="a model folder (default: the shipped one)")

    serve = verb("serve", _serve, "Open the employee's page and the API on this machine.", "classifier serve --open")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (default 127.0.0.1: this machine only)")
    serve.add_argument("--port", type=int, default=8000, metavar="N", help="port to listen on (default 8000; 0 takes a free one)")
    serve.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further host name that requests may be addressed to")
    serve.add_argument("--contact", default="", metavar="TEXT", help="whom to ask about a result that one disagrees with; shown with each result")
    serve.add_argument("--open", action="store_true", help="open the page with a sample in the browser")
    serve.add_argument("--model", type=Path, metavar="DIR", help="a model folder (default: the shipped one)")

    score = verb(
        "score",
        _score,
        "Score the examples in a table, one a row. Exit code 0: all rows were scored; 3: written, but some rows were not; 1: nothing was written.",
        "classifier score exported.xlsx scored.xlsx --text answer",
    )
    score.add_argument("input", type=Path, metavar="IN", help=".csv, .tsv, .xlsx, .parquet, .jsonl, or a folder of documents")
    score.add_argument("output", type=Path, metavar="OUT", help=".csv, .tsv, .xlsx, .parquet or .jsonl; a workbook gets a sheet with the summary")
    score.add_argument("--text", metavar="COLUMN", help="the column that holds the examples (guessed where only one can be meant)")
    score.add_argument("--id", metavar="COLUMN", help="the column that names a row in messages")
    score.add_argument("--columns", metavar="A,B,…", default=",".join(COLUMNS), help="add these columns only, and status (default: all)")
    score.add_argument("--sheet", metavar="NAME", help="the sheet of a workbook (default: its first)")
    score.add_argument("--framework", default="cra", metavar="NAME", help="whose levels are counted and coloured: cra, pspc or a TOML file (default cra)")
    score.add_argument("--resume", action="store_true", help="go on with a run that was stopped or killed")
    where = score.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=int, default=1, metavar="N", help="score in N processes; -1: one a core (default 1)")
    where.add_argument("--dask", nargs="?", const="", metavar="ADDRESS", help="score on the Dask cluster at ADDRESS, or on a local one")
    score.add_argument("--model", type=Path, metavar="DIR", help="a model folder (default: the shipped one)")

    report = verb("report", _report, "Draw a page of pictures from a scored table.", "classifier report scored.csv -o scored.html --group region")
    report.add_argument("scored", type=Path, metavar="SCORED", help="what `classifier score` wrote, in any of its formats")
    report.add_argument("-o", "--output", type=Path, metavar="HTML", help="the page (default: beside SCORED, with the ending .html)")
    report.add_argument("--text", metavar="COLUMN", help="the column with the examples, for length against level (guessed where it can be)")
    report.add_argument("--group", metavar="COLUMN", help="compare the groups in this column; groups of fewer than --smallest rows are hidden")
    report.add_argument("--smallest", type=int, default=10, metavar="N", help="the smallest group that is shown (default 10)")

    add_verbs(verb)

    train = verb("train", _train, "Train a model folder from a corpus.", "classifier train corpus/en models/mine --seed 1")
    train.add_argument("corpus", type=Path, metavar="CORPUS")
    train.add_argument("model", type=Path, metavar="MODEL")
    train.add_argument("--seed", type=int, default=0, metavar="N")
    train.add_argument(
        "--held-out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="labelled examples; a model that is worse on them than the one it replaces is not written",
    )
    train.add_argument("--encoder", type=Path, metavar="DIR", help="the encoder's folder (default: the shipped model's)")

    evaluate = verb("evaluate", _evaluate, "Print how well a model agrees with readers.", "classifier evaluate models/en --examples examples.jsonl")
    evaluate.add_argument("model", type=Path, metavar="MODEL")
    evaluate.add_argument("--corpus", type=Path, metavar="DIR", default=Path("corpus/en"), help="the made corpus (default corpus/en)")
    evaluate.add_argument("--examples", type=Path, metavar="FILE", help="labelled examples from elsewhere, JSON Lines")
    evaluate.add_argument("--statements", type=Path, metavar="FILE", help="levelled statements of other organizations, JSON Lines")
    evaluate.add_argument("--table", type=Path, metavar="FILE", help="short texts that must be found or not, TOML (tests/examples.toml)")
    evaluate.add_argument("--stress", action="store_true", help="the stress suite instead: what must not raise a level, must lower it, must not move it")
    evaluate.add_argument(
        "--groups",
        metavar="A,B,…",
        help="the fairness audit instead: compare the groups in these columns of --audit, and those of all together",
    )
    evaluate.add_argument("--audit", type=Path, metavar="FILE", help="a table with the columns text, level (people's) and those of --groups")
    evaluate.add_argument("--all", action="store_true", help="the agreement and the stress suite (on the corpus), and the audit where --groups is given")
    evaluate.add_argument("--html", type=Path, metavar="OUT", help="also write the figures as one page with pictures")
    evaluate.add_argument("--limit", type=int, default=40, metavar="N", help="cases of a stress test (default 40)")
    evaluate.add_argument("--pairs", type=Path, metavar="DIR", help="pairs of texts for the stress suite (default: corpus/counterfactuals)")

    card = verb("card", _card, "Write the model card and the papers that the Directive asks for.", "classifier card papers --model models/en")
    card.add_argument("folder", type=Path, metavar="OUT", help="folder for the papers")
    card.add_argument("--report", type=Path, metavar="FILE", help="what `classifier evaluate` printed (default: report.md in the model folder)")
    card.add_argument("--model", type=Path, metavar="DIR", help="a model folder (default: the shipped one)")

    check = verb("check", _check, "Check a corpus and name every fault by file, line and reason.", "classifier check corpus/en")
    check.add_argument("corpus", type=Path, metavar="CORPUS")
    return parser


def _assess(options: argparse.Namespace) -> int:
    raw = _read(options.file)
    load_framework(options.framework)
    if options.annotate:
        assessment = _annotate(raw, options)
    else:
        text = read_upload(raw, options.file)
        assessment = load_assessor(options.model).assess(text)
    if options.json:
        print(json.dumps(assessment.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(explain(assessment, options.framework))
    return 0


def _annotate(raw: bytes, options: argparse.Namespace) -> Assessment:
    from classifier.word import annotate, save_docx

    document = open_docx(raw, options.file)
    assessment = annotate(document, load_assessor(options.model), options.framework)
    content = save_docx(document)
    write_private(options.annotate, content)
    print(f"{options.file} with comments -> {options.annotate}", file=sys.stderr)
    return assessment


def _read(name: str) -> bytes:
    path = Path(name)
    try:
        return sys.stdin.buffer.read() if name == "-" else path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{name}: there is no such file.") from error
    except IsADirectoryError as error:
        raise InputError(f"{name}: this is a folder, not a text file.") from error
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}).") from error


def _serve(options: argparse.Namespace) -> int:
    try:
        from classifier.server import serve
    except ImportError as error:
        raise InputError(f"The page needs more packages ({error.name}): pip install '.[web]' in this program's folder.") from error

    serve(load_assessor(options.model), options.host, options.port, options.allow_host, options.contact, options.open)
    return 0


def _score(options: argparse.Namespace) -> int:
    from classifier.job import Job, open_job, score_file
    from classifier.tables import shown_column
    from classifier.workers import here, in_processes, on_dask

    framework = load_framework(options.framework)
    columns = [name.strip() for name in options.columns.split(",") if name.strip()]
    notice = messages()["notice"]["text"]
    job = Job(options.input, options.output, options.text, options.id, columns, options.sheet, framework.main_scale, notice)
    if options.jobs < -1 or options.jobs == 0:
        raise InputError("--jobs is a number of processes, or -1 for one a core.")
    opened = open_job(job)
    table, text, _ = opened
    guessed = "" if options.text or options.input.is_dir() else " (guessed; --text names another)"
    print(notice, file=sys.stderr)
    if options.dask:
        print(f"With --dask the texts go to the cluster at {options.dask}, and readable on the way where that is tcp://.", file=sys.stderr)
    print(f"{options.input}: {table.described}, {table.total:,} rows, examples in column {shown_column(table.columns, text)}{guessed}", file=sys.stderr)
    assessor = load_assessor(options.model)
    if framework.main_scale not in assessor.scales:
        raise InputError(f"{options.framework}: the model was not trained for this framework.")
    cores = os.cpu_count() or 1
    if options.dask is not None:
        where, workers = on_dask(options.model, assessor.version, options.dask or None), cores
    elif options.jobs != 1:
        where, workers = in_processes(options.model, assessor.version, options.jobs), cores if options.jobs == -1 else options.jobs
    else:
        where, workers = here(assessor), 0
    try:
        with where as scorer, _progress(table.total, "rows") as bar:
            summary = score_file(job, opened, scorer, assessor.version, round_size=256 * workers or 64, resume=options.resume, progress=bar.update)
    except KeyboardInterrupt:
        print("Stopped; the answers so far are kept, go on with --resume.", file=sys.stderr)
        return 130
    _print_summary(summary, options.output, framework.main_scale)
    return 0 if summary.scored == summary.rows else 3


def _print_summary(summary: Summary, output: Path, main: str) -> None:
    counts = ", ".join(f"{count:,} {status}" for status, count in summary.statuses.most_common())
    levels = ", ".join(f"level {level}: {summary.levels[level]:,}" for level in sorted(summary.levels))
    print(f"{counts} -> {output}", file=sys.stderr)
    if levels:
        # The plausible levels are those of the scale "level".
        print(levels + (f"; unsure: {summary.unsure / summary.scored:.0%}" if main == "level" else ""), file=sys.stderr)
    for line in summary.not_scored:
        print(f"  {line}", file=sys.stderr)
    if len(summary.not_scored) < summary.rows - summary.scored:
        print("  …", file=sys.stderr)


def _report(options: argparse.Namespace) -> int:
    from classifier.report import write_report

    if options.scored.is_dir():
        raise InputError(f"{options.scored}: this is a folder, not a scored table.")
    page = options.output or options.scored.with_suffix(".html")
    write_report(options.scored, page, messages()["notice"]["text"], text=options.text, group=options.group, smallest=options.smallest)
    print(f"-> {page}", file=sys.stderr)
    return 0


def _train(options: argparse.Namespace) -> int:
    _need_scikit_learn()
    from classifier.succession import check_unseen

    faults = check_corpus(options.corpus)
    if faults:
        raise InputError(f"{faults[0]}. The corpus has {len(faults)} faults; `classifier check {options.corpus}` lists them.")
    examples = read_corpus(options.corpus)
    held_out = {path: read_examples(path) for path in options.held_out}
    for path, unseen in held_out.items():
        check_unseen(path, unseen, examples)
    encoder = Encoder(options.encoder or shipped_model() / "encoder")
    if not encoder.unseen_file.is_file():
        print(f"{encoder.unseen_file} is not here: if the encoder was trained on these texts, the model will be too sure of itself.", file=sys.stderr)
    assessor = Assessor(encoder, options.seed)
    readings = assessor.read_unseen(tqdm([e.text for e in examples], desc="read", file=sys.stderr))
    print("fit …", file=sys.stderr)
    assessor.fit(examples, readings)
    print("calibrate on writers left out …", file=sys.stderr)
    answers = assessor.cross_assess(examples, readings, FOLDS)
    assessor.calibrate(examples, answers)
    _check_better(assessor, options.model, held_out)
    described = {
        "name": options.model.name,
        "corpus": {"examples": len(examples), "sha256": corpus_hash(options.corpus)},
        "reference": _reference(examples, answers),
    }
    # Written beside its place and moved there file by file, model.json last, so that half a model is not taken for a whole one.
    options.model.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=options.model.parent, prefix=f".{options.model.name}."))
    try:
        assessor.save(beside, described)
        for path in sorted(beside.rglob("*"), key=lambda path: path.name == "model.json"):
            if path.is_file():
                target = options.model / path.relative_to(beside)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
    finally:
        shutil.rmtree(beside)
    _bring_unseen(encoder, Encoder(options.model / "encoder"))
    taught = len(of_the_level(encoder, examples))
    print(f"{len(examples)} examples -> {options.model}; levels were learnt from {taught} of them, words from all", file=sys.stderr)
    return 0


def _bring_unseen(source: Encoder, target: Encoder) -> None:
    """What the encoders of the folds said goes with its encoder, so that the new model is not evaluated on texts that it has seen."""
    if not source.unseen_file.is_file():
        target.unseen_file.unlink(missing_ok=True)
    elif source.folder.resolve() != target.folder.resolve():
        shutil.copyfile(source.unseen_file, target.unseen_file)


def _check_better(assessor: Assessor, target: Path, held_out: Mapping[Path, Sequence[Example]]) -> None:
    """Refuse a model that is worse than the one in its place, or than the shipped one where the place is empty."""
    from classifier.succession import compare

    before = target if (target / "model.json").is_file() else shipped_model()
    if not held_out:
        if before == target:
            print(f"{target}: replaced without a comparison; --held-out names examples to compare on.", file=sys.stderr)
        return
    old = load_assessor(before)
    found = [compare(old, assessor, path, examples) for path, examples in held_out.items()]
    for compared in found:
        print(compared, file=sys.stderr)
    if any(compared.worse for compared in found):
        raise InputError(f"{target}: the new model is worse than {before} and was not written.")


def _reference(examples: Sequence[Example], answers: Sequence[Assessment]) -> dict[str, object]:
    """What the desk's drift alarms compare with: figures on writers left out."""
    from classifier.monitor import reference_of
    from classifier.words import words

    refused = [bool(refusal(e.text)) for e in examples]
    rated = [(e, a.ratings["level"]) for e, a, no in zip(examples, answers, refused, strict=True) if "level" in e.ratings and not no]
    if not rated:
        raise InputError("No text of the corpus can be assessed, so there is nothing to learn from.")
    return reference_of(
        [len(words(e.text)) for e, _ in rated],
        [given.level for _, given in rated],
        [e.ratings["level"] for e, _ in rated],
        len(rated[0][1].probabilities),
        sum(refused),
    ).to_dict()


def _evaluate(options: argparse.Namespace) -> int:
    _need_scikit_learn()
    if options.limit < 1:
        raise InputError("--limit is a number of cases, 1 or more.")
    audit = _audit(options)
    assessor = load_assessor(options.model)
    sections: list[Section] = []
    if options.all or not (options.stress or audit):
        sections += _agreement(assessor, options)
    if options.all or options.stress:
        sections += _stress(assessor, options)
    if audit:
        from classifier.fairness import fairness

        sections += fairness(assessor, *audit)
    if options.html:
        from classifier.proof import page

        write_private(options.html, page(sections, f"Model {options.model.name}", messages()["notice"]["text"]).encode())
        print(f"-> {options.html}", file=sys.stderr)
    print("\n\n".join(map(str, sections)))
    return 0


def _agreement(assessor: Assessor, options: argparse.Namespace) -> list[Section]:
    from classifier.evaluation import evaluate_examples, evaluate_made, evaluate_statements, evaluate_table
    from classifier.provenance import cost, describe_data, versions

    made = read_corpus(options.corpus)
    examples = read_examples(options.examples) if options.examples else []
    spent = cost(assessor, options.model, made)  # first, for the memory that it tells is the most so far
    sections = [describe_data(made, options.examples, options.statements), *evaluate_made(assessor, made, assessor.read_unseen(e.text for e in made), FOLDS)]
    if examples:
        sections += evaluate_examples(assessor, examples, made)
    if options.statements:
        sections.append(evaluate_statements(assessor, options.statements))
    if options.table:
        sections.append(evaluate_table(assessor, options.table))
    files = {f"--{name}": file_hash(path) for name in ("examples", "statements", "table") if (path := getattr(options, name))}
    return [*sections, spent, versions(options.model, {"the corpus": corpus_hash(options.corpus), **files})]


def _stress(assessor: Assessor, options: argparse.Namespace) -> list[Section]:
    from classifier.pairs import read_pairs
    from classifier.stress import stress

    examples = read_examples(options.examples) if options.examples and not options.all else read_corpus(options.corpus)
    return stress(assessor, examples, options.limit, read_pairs(options.pairs or options.corpus.parent / "counterfactuals"))


def _audit(options: argparse.Namespace) -> tuple[list[Row], list[str]] | None:
    """The rows and columns of the fairness audit, read before anything is measured; None where none is asked for."""
    if not (options.groups or options.audit):
        return None
    if not options.audit:
        raise InputError("--groups needs the table: --audit FILE, with the columns text and level and the groups.")
    columns = [name.strip() for name in (options.groups or "").split(",") if name.strip()]
    if not columns:
        raise InputError("--audit needs the columns to compare: --groups A,B.")
    from classifier.fairness import read_rows

    return read_rows(options.audit, columns), columns


def _need_scikit_learn() -> None:
    if find_spec("sklearn") is None:
        raise InputError("Training and evaluating need scikit-learn: pip install '.[train]' in this program's folder.")


def _card(options: argparse.Namespace) -> int:
    from classifier.card import write_card

    model = options.model or shipped_model()
    for path in write_card(model, options.report or model / "report.md", options.folder):
        print(path)
    return 0


def _check(options: argparse.Namespace) -> int:
    faults = check_corpus(options.corpus)
    for fault in faults:
        print(fault)
    print(f"{options.corpus}: {len(faults)} faults" if faults else f"{options.corpus}: no faults", file=sys.stderr)
    return 1 if faults else 0


def corpus_hash(corpus: Path) -> str:
    """SHA-256 over the names and bytes of a corpus folder's files, in order."""
    digest = hashlib.sha256()
    for path in [corpus] if corpus.is_file() else sorted(corpus.glob("*.jsonl")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _progress(total: int, unit: str) -> tqdm[None]:
    return tqdm(total=total, unit=f" {unit}", file=sys.stderr, disable=not sys.stderr.isatty())
