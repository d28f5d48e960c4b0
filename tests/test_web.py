"""The API and the page's server: answers, limits, problem details, headers, and that no text is kept or logged."""

from __future__ import annotations

import html
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from files import docx_of, pdf_of, with_part
from fixed import DRAFT, FixedAssessor
from starlette.testclient import TestClient

from classifier.assessment import Rating
from classifier.assessor import Assessor
from classifier.document import messages
from classifier.explain import advise
from classifier.schema import Answer
from classifier.uploads import MAX_BYTES
from classifier.web import create_app, page_templates

PACKAGE = Path(__file__).resolve().parents[1] / "classifier"
BYTES = {"Content-Type": "application/octet-stream"}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> \u202eright to left\u202c zero\u200bwidth \x1b[31mred {{7*7}} and the client asked me for her form."
)


def client_of(assessor: object, **options: object) -> TestClient:
    return TestClient(create_app(cast(Assessor, assessor), **options), base_url="http://localhost", raise_server_exceptions=False)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_of(FixedAssessor(), contact="the service desk, 555-0100") as made:
        yield made


def is_problem(answer: object, status: int) -> dict[str, object]:
    assert answer.status_code == status  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    content = answer.json()  # type: ignore[attr-defined]
    assert content["status"] == status and content["title"] and content["detail"] and content["type"] == "about:blank"
    return dict(content)


# Answers ------------------------------------------------------------------------------------------------------------


def test_assess_gives_the_whole_assessment_with_notice_and_recourse(client: TestClient) -> None:
    answer = client.post("/v1/assess", json={"text": DRAFT}).json()
    expected = FixedAssessor().assess(DRAFT).to_dict()
    assert {k: answer[k] for k in expected} == json.loads(json.dumps(expected))
    assert answer["notice"] == messages()["notice"]["text"] and "the service desk, 555-0100" in answer["recourse"]
    assert [q["key"] for q in answer["questions"]] == ["3.1", "3.2", "3.3"]
    for finding in answer["evidence"] + answer["flags"]:
        assert DRAFT[finding["start"] : finding["end"]] == finding["quote"]


def test_the_schema_names_every_field_of_an_assessment() -> None:
    assert set(FixedAssessor().assess(DRAFT).to_dict()) <= set(Answer.model_fields)


def test_a_refusal_is_an_answer(client: TestClient) -> None:
    answer = client.post("/v1/assess", json={"text": "Hello there"})
    assert answer.status_code == 200 and answer.json()["status"].startswith("refused: too short")


def test_assess_many_keeps_the_order(client: TestClient) -> None:
    texts = [f"{DRAFT} level {n % 5}" if n % 7 else "" for n in range(100)]
    answers = client.post("/v1/assess-many", json={"texts": texts}).json()["assessments"]
    assert [a["ratings"]["level"]["level"] if a["status"] == "ok" else None for a in answers] == [n % 5 if n % 7 else None for n in range(100)]


def test_frameworks_model_and_health(client: TestClient) -> None:
    assert [f["key"] for f in client.get("/v1/frameworks").json()["frameworks"]] == ["cra", "pspc"]
    model = client.get("/v1/model").json()
    assert model["description"]["files"] and model["description"]["versions"]["scikit-learn"]
    assert client.get("/healthz").json() == {"status": "ok", "model": "fixed-1"}


def test_openapi_holds_the_notice_and_the_paths(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert messages()["notice"]["text"] in schema["info"]["description"]
    assert {"/v1/assess", "/v1/assess-many", "/v1/frameworks", "/v1/model", "/healthz"} <= set(schema["paths"])


@pytest.mark.parametrize("raw", [DRAFT.encode(), docx_of(DRAFT), pdf_of("A client asked for her balance.")])
def test_files_are_read(client: TestClient, raw: bytes) -> None:
    answer = client.post("/v1/read", content=raw, headers=BYTES)
    assert answer.status_code == 200 and answer.json()["text"].startswith("A client asked for her balance.")


def test_a_word_file_comes_back_with_comments(client: TestClient) -> None:
    answer = client.post("/v1/annotate", content=docx_of(DRAFT), headers=BYTES)
    assert answer.status_code == 200 and answer.content[:2] == b"PK"


# Errors and limits --------------------------------------------------------------------------------------------------

MARKER = "Xylophone-Marker"
BAD = {
    "too many characters": ({"text": MARKER + "a" * 20_000}, 422),
    "no text": ({}, 422),
    "a number": ({"text": 3}, 422),
    "unknown field": ({"text": MARKER, MARKER: MARKER}, 422),
    "framework by path": ({"text": MARKER, "framework": "/etc/x.toml"}, 422),
    "target": ({"text": MARKER, "target": -1}, 422),
    "too many texts": ({"texts": [MARKER] * 101}, 422),
    "a text of many too long": ({"texts": ["a" * 20_001]}, 422),
    "no texts": ({"texts": []}, 422),
}


@pytest.mark.parametrize("name", list(BAD))
def test_a_bad_request_is_a_problem_that_does_not_repeat_the_text(client: TestClient, name: str) -> None:
    content, status = BAD[name]
    answer = client.post("/v1/assess-many" if "texts" in content else "/v1/assess", json=content)
    found = is_problem(answer, status)
    assert found["errors"]
    assert "a" * 20 not in answer.text and (MARKER not in answer.text or name == "unknown field")


def test_other_errors_are_problems_too(client: TestClient) -> None:
    is_problem(client.get("/nowhere"), 404)
    is_problem(client.get("/static/../web.py"), 404)
    is_problem(client.get("/v1/assess"), 405)
    is_problem(client.post("/v1/assess", content=b"{", headers={"Content-Type": "application/json"}), 422)
    is_problem(client.post("/v1/assess", content=b'{"text": "\\ud83d"}', headers={"Content-Type": "application/json"}), 422)
    is_problem(client.post("/v1/assess", content=json.dumps({"text": DRAFT}), headers={"Content-Type": "text/plain"}), 422)
    is_problem(client.post("/v1/read", content=b"hello", headers={"Content-Type": "text/plain"}), 415)
    is_problem(client.post("/v1/read", content=bytes(range(256)), headers=BYTES), 422)
    is_problem(client.post("/v1/annotate", content=b"hello", headers=BYTES), 422)


def test_a_body_over_the_limit_is_413_with_and_without_a_stated_length(client: TestClient) -> None:
    is_problem(client.post("/v1/read", content=b"a" * (MAX_BYTES + 1), headers=BYTES), 413)
    is_problem(client.post("/v1/read", content=(b"a" * 1_000_000 for _ in range(11)), headers=BYTES), 413)
    is_problem(client.post("/v1/assess", content=b"[" * (MAX_BYTES + 1), headers={"Content-Type": "application/json"}), 413)


def test_a_file_that_unpacks_to_too_much_is_413(client: TestClient) -> None:
    bomb = with_part(docx_of(DRAFT), "word/media/a.xml", b" " * 5_000_000)
    for path in ("/v1/read", "/v1/annotate"):
        assert "the limit is 100 times" in str(is_problem(client.post(path, content=bomb, headers=BYTES), 413)["detail"])


def test_a_text_that_takes_too_long_is_503() -> None:
    release = threading.Event()

    class Slow(FixedAssessor):
        def assess(self, text: str):  # type: ignore[no-untyped-def]
            if MARKER in text:
                release.wait(60)
            return super().assess(text)

    with client_of(Slow(), seconds=0.2) as client:
        answer = client.post("/v1/assess", json={"text": MARKER})
        release.set()
        is_problem(answer, 503)
        assert answer.headers["retry-after"]


def test_an_unforeseen_error_tells_the_text_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FixedAssessor):
        def assess(self, text: str):  # type: ignore[no-untyped-def]
            if MARKER in text:
                raise RuntimeError(f"cannot read {text}")
            return super().assess(text)

    with caplog.at_level(logging.DEBUG), client_of(Broken()) as client:
        answer = client.post("/v1/assess", json={"text": f"{MARKER} {DRAFT}"})
    is_problem(answer, 500)
    assert "RuntimeError in" in caplog.text
    assert MARKER not in caplog.text and MARKER not in answer.text
    assert not [r for r in caplog.records if r.name == "classifier.web" and "/v1/" in r.getMessage()]


# Security -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/page.css", "/v1/frameworks", "/nowhere", "/openapi.json"])
def test_headers_of_every_answer(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"Origin": "http://elsewhere.example"}).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'" and policy["style-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in headers and not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8000", "127.0.0.1.nip.io", "[::2]", "", "localhost@evil.example"])
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    assert "content-security-policy" in client.get("/", headers={"Host": host}).headers
    is_problem(client.get("/", headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000"])
def test_this_machine_is_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


def test_no_preflight_is_answered(client: TestClient) -> None:
    headers = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = client.options("/v1/assess", headers=headers)
    assert answer.status_code == 405 and not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("path", ["/page", "/v1/report"])
def test_hostile_text_is_shown_as_text(client: TestClient, path: str) -> None:
    shown = client.post(path, json={"text": HOSTILE}).text
    assert "<script" not in shown and "<img" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and "{{7*7}}" in shown
    assert not any(character in shown for character in "\u202e\u202c\u200b\x1b")
    for name in ("U+202E RIGHT-TO-LEFT OVERRIDE", "U+200B ZERO WIDTH SPACE", "U+001B"):
        assert name in shown


def test_page_and_report_fetch_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/static/page.js", "/static/page.css"):
        assert not re.search(r"(?:https?:)?//[\w.-]+\.\w", client.get(path).text.replace("http://www.w3.org/2000/svg", ""))
    page = client.get("/").text
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", page)
    for target in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert target.startswith("#") or client.get(target).status_code == 200
    report = client.post("/v1/report", json={"text": DRAFT}).text
    assert "<script" not in report and "<link" not in report and " src=" not in report
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]+)"', report))


def test_works_with_the_network_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with client_of(FixedAssessor()) as client:
        assert client.post("/page", json={"text": DRAFT}).status_code == 200
        assert client.post("/v1/annotate", content=docx_of(DRAFT), headers=BYTES).status_code == 200


# The page's content -------------------------------------------------------------------------------------------------


def test_the_result_says_in_words_what_it_shows(client: TestClient) -> None:
    shown = client.post("/page", json={"text": DRAFT, "target": 4, "previous": DRAFT.replace("called her back and ", "")}).text
    for words in (
        "level 2 of 4",
        "it could be level 1 or 2",
        "Your target, level 4, is 2 above",
        "Degree of Involvement: 2 of 4",
        "Degree of Commitment: 3 of 4",
        "What may make the answer unsure",
    ):
        assert words in shown
    section = next(section for section in advise(FixedAssessor().assess(DRAFT)) if section.key == "unsure")
    assert all(line in html.unescape(shown) for line in section.lines)
    assert "Public Services and Procurement Canada, Client service competency: level 1 of 3" in shown
    gained = shown.partition("<h4>Gained</h4>")[2].partition("</ul>")[0]
    assert "2.4" in gained and "2.2" not in gained
    marked = re.sub(r"<sup.*?</sup>|<[^>]+>", "", re.search(r'<div class="text".*?</div>', shown, re.S)[0])  # type: ignore[index]
    assert marked == DRAFT
    for described in re.findall(r'aria-describedby="([^"]+)"', shown):
        assert all(f'id="{one}"' in shown for one in described.split())
    assert len(re.findall(r'\bid="([^"]+)"', shown)) == len(set(re.findall(r'\bid="([^"]+)"', shown)))


@pytest.mark.parametrize("framework", ["cra", "pspc"])
def test_a_sure_answer_names_no_doubt(client: TestClient, framework: str) -> None:
    shown = client.post("/page", json={"text": f"{DRAFT} That is level 0.", "framework": framework})
    assert shown.status_code == 200 and ("What may make the answer unsure" in shown.text) == (framework == "pspc")


@pytest.mark.parametrize(
    ("plausible", "says"), [((2,), "is much the likeliest"), ((1, 2, 3), "it could be level 1, 2 or 3."), ((0, 1, 2, 3, 4), "any level is plausible")]
)
def test_how_sure_in_words(plausible: tuple[int, ...], says: str) -> None:
    marks = page_templates().get_template("marks.html").module
    assert says in marks.sureness(Rating(2, (0.2,) * 5, plausible))  # type: ignore[attr-defined]


def test_the_other_competency_first(client: TestClient) -> None:
    shown = client.post("/page", json={"text": DRAFT, "framework": "pspc"}).text
    assert shown.index("Client service competency: level 1 of 3") < shown.index("Canada Revenue Agency, Service Excellence: level 2 of 4")
    assert messages()["page"]["asks_unmarked"] in html.unescape(shown)


def test_page_and_report_hold_notice_and_recourse(client: TestClient) -> None:
    for shown in (client.get("/").text, client.post("/v1/report", json={"text": DRAFT}).text, client.post("/v1/report", json={"text": "Hello"}).text):
        assert messages()["notice"]["text"] in shown and "the service desk, 555-0100" in shown


def test_every_visible_string_is_in_the_catalogue() -> None:
    """What is left of a template without its tags and expressions holds no word; what the script shows comes from data-*."""
    for path in (PACKAGE / "templates").glob("*.html"):
        plain = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", path.read_text("utf-8").replace('"{{ t', "{{ t"), flags=re.S)
        plain = re.sub(r"<.*?>", " ", plain, flags=re.S)
        assert not re.search(r"[A-Za-z]{2,}", plain), (path.name, re.findall(r"[A-Za-z]{2,}", plain))
        assert not re.search(r'(?:aria-label|title|placeholder|alt)="[^"{]', path.read_text("utf-8")), path.name
    script = (PACKAGE / "static" / "page.js").read_text("utf-8")
    assert not re.search(r"(?:tell\(|textContent = |new Error\()[\"'`]\w", script)


def test_every_string_of_the_catalogue_is_used() -> None:
    used = "".join(
        path.read_text("utf-8") for folder in ("templates", "static", ".") for path in (PACKAGE / folder).glob("*.*") if path.suffix in {".html", ".py"}
    )
    page = tomllib.loads((PACKAGE / "data" / "en.toml").read_text("utf-8"))["page"]
    assert not set(page) & set(dir(page)), "a template would show the dictionary's own method"
    for key in page:
        assert re.search(rf"""\bt\.{key}\b|["']{key}["']""", used), key


# A server of its own ------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, subprocess.Popen[bytes]]]:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        program = [sys.executable, "-m", "classifier", "serve", "--port", "0"]
        process = subprocess.Popen(program, stdout=stream, stderr=stream, cwd=PACKAGE.parent, env=os.environ | {"TMPDIR": str(tmp_path)})
    address = None
    while address is None and process.poll() is None:
        address = re.search(r"http://[\d.:]+/", log.read_text("utf-8"))
        time.sleep(0.1)
    assert address is not None, log.read_text("utf-8")
    yield address[0], log, process
    if process.poll() is None:
        process.terminate()
        process.wait(30)


def test_after_a_run_no_text_is_in_the_log_or_on_the_disk(served: tuple[str, Path, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    address, log, process = served
    text = f"{MARKER} {DRAFT}"

    def post(path: str, body: bytes, kind: str) -> int:
        request = urllib.request.Request(address + path, body, {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert post("v1/assess", json.dumps({"text": text}).encode(), "application/json") == 200
    assert post("page", json.dumps({"text": text, "previous": text}).encode(), "application/json") == 200
    assert post("v1/assess", json.dumps({"text": text, "more": text}).encode(), "application/json") == 422
    assert post("v1/assess", text.encode(), "application/json") == 422
    assert post("v1/read", docx_of(text), "application/octet-stream") == 200
    assert post("v1/read", b"%PDF-1.4 " + text.encode(), "application/octet-stream") == 422
    assert post(f"v1/annotate?framework={MARKER}", docx_of(text), "application/octet-stream") == 422
    assert post(MARKER, b"", "text/plain") == 404
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert b"The page is at" in log.read_bytes()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == [log]
    assert MARKER not in log.read_text("utf-8") and "balance" not in log.read_text("utf-8")


def test_onnx_runtime_is_told_to_report_nothing(tmp_path: Path) -> None:
    """Its wheels report usage by default and leave traces: a session file in TMPDIR and a device id in the cache."""
    folders = {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    for preset in ({}, {"ORT_DISABLE_TELEMETRY": "0"}):
        program = [sys.executable, "-B", "-c", f"from classifier import load_assessor; print(load_assessor().assess({DRAFT!r}).status)"]
        done = subprocess.run(program, capture_output=True, cwd=PACKAGE.parent, env=os.environ | folders | preset)
        assert done.stdout == b"ok\n", done.stderr
        assert list(tmp_path.rglob("*")) == []


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        program = [sys.executable, "-m", "classifier", "serve", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(program, capture_output=True, cwd=PACKAGE.parent, timeout=120)
    assert done.returncode == 1 and b"cannot be listened on" in done.stderr and b"Traceback" not in done.stderr
