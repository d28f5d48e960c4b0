"""Nothing goes out and nothing stays: no network when assessing, no words in messages or temporary files, private files."""

from __future__ import annotations

import ast
import csv
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from files import docx_of
from fixed import DRAFT

PACKAGE = Path(__file__).resolve().parents[1] / "classifier"
CANARY = "Quibblewick"
TEXT = f"{CANARY} asked for her balance. I looked it up, called her back and told her what it was, and she was glad that somebody had."
NETWORK = {"asyncio", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "socketserver", "ssl", "urllib", "urllib3", "xmlrpc"}
# The page is a server; Dask sends work to the cluster that the user names. Both are imported by their verbs alone.
SERVES = {"gate", "schema", "server", "web", "workers"}

# An assessor that breaks on some texts, and says the text in its message, as a library may.
BREAKING = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import classifier.cli
from fixed import FixedAssessor
class Breaking(FixedAssessor):
    scales = ("level", "involvement", "commitment", "pspc_level")
    def assess(self, text):
        if "BREAK" in text:
            raise RuntimeError(f"cannot read {text}")
        return super().assess(text)
classifier.cli.load_assessor = lambda folder=None: Breaking()
sys.exit(classifier.cli.main(sys.argv[1:]))
"""


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_only_the_servers_modules_import_a_network_module() -> None:
    importing = {path.stem for path in PACKAGE.rglob("*.py") if imported(path) & NETWORK}
    assert importing <= SERVES


def test_assessing_loads_no_module_that_serves_and_calls_nobody() -> None:
    """The audit hook sees every connection, look-up of a name and message of the process, whoever makes it.

    spaCy imports HTTP libraries of its own (to download models, which is never done here); that they are called is what the hook
    would see. Binding is left out: urllib3 binds a socket of this machine when it is imported, to learn whether there is IPv6.
    """
    code = (
        "import sys\n"
        "called = []\n"
        "calls = {'socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.sendto', 'socket.sendmsg', 'urllib.Request', 'http.client.connect'}\n"
        "sys.addaudithook(lambda event, arguments: called.append(event) if event in calls else None)\n"
        "from classifier import explain, load_assessor\n"
        f"print(bool(explain(load_assessor().assess({DRAFT!r}))))\n"
        "assert not called, called\n"
        f"assert not {{f'classifier.{{name}}' for name in {SERVES!r}}} & set(sys.modules)\n"
        "import socket\n"
        "try:\n    socket.getaddrinfo('localhost', 1)\nexcept OSError:\n    pass\n"
        "assert called, 'the hook sees nothing'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_works_in_a_namespace_without_a_network(root: Path) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("network namespaces are not permitted here")
    program = [*alone, sys.executable, "-m", "classifier", "assess", "corpus/draft.txt"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Service Excellence (Canada Revenue Agency): level ")


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """A folder that the program takes for its home and for temporary files."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def run(quiet: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    places = {"TMPDIR": str(quiet), "HOME": str(quiet), "XDG_CACHE_HOME": str(quiet), "PYTHONDONTWRITEBYTECODE": "1"}
    program = [sys.executable, "-c", BREAKING, str(Path(__file__).parent), *arguments]
    return subprocess.run(program, input=stdin, capture_output=True, text=True, cwd=PACKAGE.parent, env=os.environ | places)


def holding(folder: Path) -> list[str]:
    """Files that hold the canary, in their name or their bytes."""
    return [str(path) for path in folder.rglob("*") if CANARY in path.name or (path.is_file() and CANARY.encode() in path.read_bytes())]


def test_no_words_in_messages_or_temporary_files(quiet: Path, tmp_path: Path) -> None:
    read = run(quiet, "assess", "-", stdin=TEXT)
    assert read.returncode == 0 and CANARY not in read.stderr
    broken = run(quiet, "assess", "-", stdin=f"{TEXT} BREAK")
    assert broken.returncode == 70
    assert broken.stderr.startswith("The program failed: RuntimeError in ") and CANARY not in broken.stderr + broken.stdout
    source = tmp_path / "in.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["answer", "n"], [TEXT, "1"], [f"{TEXT} BREAK", "2"], [f"{CANARY}?", "3"]])
    scored = run(quiet, "score", str(source), str(tmp_path / "out.csv"))
    assert scored.returncode == 3, scored.stderr
    assert CANARY not in scored.stderr + scored.stdout
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8-sig") as stream:
        statuses = [row["status"] for row in csv.DictReader(stream)]
    assert statuses[0] == "ok" and not any(CANARY in status for status in statuses)
    for wrong in (["assess", "nowhere.txt"], ["score", str(source), str(tmp_path / "no" / "out.csv")], ["score", str(source), str(source)]):
        refused = run(quiet, *wrong)
        assert refused.returncode == 1 and CANARY not in refused.stderr
    assert holding(quiet) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in.csv", "out.csv"]


@pytest.mark.parametrize("verb", ["score", "report", "evaluate", "desk"])
def test_an_example_in_the_place_of_a_columns_name_is_not_repeated(verb: str, quiet: Path, tmp_path: Path) -> None:
    """A table without a header has its first example there."""
    source, out = tmp_path / "in.csv", str(tmp_path / "out.csv")
    with source.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["status" if verb == "report" else "n", "level", TEXT, "text"], ["ok", "1", TEXT, TEXT]])
    wrong = {
        "score": ["score", str(source), out, "--text", "answer", "--columns", "status"],
        "report": ["report", str(source), "--text", "answer"],
        "evaluate": ["evaluate", "models/en", "--audit", str(source), "--groups", "g"],
        "desk": ["desk", str(tmp_path / "desk"), "--add", str(source), "--text", "answer", "--no-serve", "--no-model"],
    }
    refused = run(quiet, *wrong[verb])
    assert refused.returncode == 1, refused.stderr
    assert "there is no column" in refused.stderr and f"number 3 (a name of {len(TEXT)} characters)" in refused.stderr
    assert CANARY not in refused.stderr + refused.stdout and holding(quiet) == []


def test_an_example_in_the_place_of_the_scored_columns_name_is_not_repeated(quiet: Path, tmp_path: Path) -> None:
    alone, two = tmp_path / "alone.csv", tmp_path / "two.csv"
    alone.write_text(f'"{TEXT}"\n"{TEXT}"\n', "utf-8")
    scored = run(quiet, "score", str(alone), str(tmp_path / "out.csv"))
    assert scored.returncode == 0, scored.stderr
    assert f"examples in column number 1 (a name of {len(TEXT)} characters)" in scored.stderr
    two.write_text(f'"{TEXT}","{TEXT}"\n' * 2, "utf-8")
    asked = run(quiet, "score", str(two), str(tmp_path / "out2.csv"))
    assert asked.returncode == 1 and "say with --text which column" in asked.stderr
    assert CANARY not in scored.stdout + scored.stderr + asked.stdout + asked.stderr


def test_an_example_in_another_columns_place_is_not_repeated(quiet: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    with source.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["n", "level", "text", "g", "empty"], ["1", TEXT, TEXT, "x", ""]])
    scored = tmp_path / "scored.csv"
    scored.write_text(f'status,level\nok,"{TEXT}"\n', "utf-8")
    desk = ["desk", str(tmp_path / "desk"), "--add", str(source), "--text", "empty", "--id", "text", "--no-serve", "--no-model"]
    for wrong, said in (
        (["report", str(scored)], "row 2: the cell in column 'level' is no level"),
        (["evaluate", "models/en", "--audit", str(source), "--groups", "g"], "row 2: the cell in column 'level' is no level"),
        (["score", str(source), str(tmp_path / "out.csv"), "--columns", "status", "--text", "text", "--id", "text"], "--id names the column with the examples"),
        (desk, "row 2: an example has 1 to"),
    ):
        refused = run(quiet, *wrong)
        assert refused.returncode == 1 and said in refused.stderr, refused.stderr
        assert CANARY not in refused.stderr + refused.stdout
    assert holding(quiet) == []


def test_what_is_written_is_its_owners_alone(quiet: Path, tmp_path: Path) -> None:
    source, draft = tmp_path / "in.csv", tmp_path / "draft.docx"
    source.write_text(f'answer\n"{TEXT}"\n', "utf-8")
    draft.write_bytes(docx_of(TEXT))
    before = os.umask(0)
    try:
        assert run(quiet, "score", str(source), str(tmp_path / "out.csv")).returncode == 0
        assert run(quiet, "report", str(tmp_path / "out.csv")).returncode == 0
        assert run(quiet, "assess", str(draft), "--annotate", str(tmp_path / "marked.docx")).returncode == 0
    finally:
        os.umask(before)
    written = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.is_file() and path not in {source, draft}}
    assert written == {"out.csv": 0o600, "out.html": 0o600, "marked.docx": 0o600}
    assert holding(quiet) == []
