"""The desk over HTTP: the order that the server enforces, the pages, their strings, headers and limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from desks import desk_of
from fixed import DRAFT, FixedAssessor
from starlette.testclient import TestClient

from classifier.assessor import Assessor
from classifier.desk.pages import create_desk
from classifier.desk.store import Desk
from classifier.desk.verify import verify
from classifier.document import messages
from classifier.framework import load_framework
from classifier.gate import SECURITY_HEADERS

PACKAGE = Path(__file__).resolve().parents[1] / "classifier"
D = messages()["desk"]
RATING = {"level": 3, "client": "external", "marks": [{"key": "2.4", "start": 3, "end": 11}], "reason": "She came back."}


class Seat:
    """One assessor's browser."""

    def __init__(self, app: Any, name: str) -> None:
        self.client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        assert self.client.post("/session", json={"name": name}).json() == {"next": "/"}

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, path: str, status: int = 200, **content: object) -> Any:
        answer = self.client.post(path, json=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    def read_through(self, number: int, choice: str = "keep") -> None:
        self.send(f"/examples/{number}/rating", **RATING)
        self.send(f"/examples/{number}/suggestion")
        self.send(f"/examples/{number}/conclusion", **RATING | {"choice": choice})


def app_of(desk: Desk, assessor: object | None = None, blinding: bool = True) -> Any:
    return create_desk(desk, cast(Assessor, assessor or FixedAssessor()), blinding=blinding)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = desk_of(tmp_path / "desk")
    yield made
    assert verify(made).faults == ()
    made.close()


def test_two_assessors_rate_blind_see_the_suggestion_and_a_third_decides(desk: Desk) -> None:
    app = app_of(desk)
    ann, bo, cy = Seat(app, "Ann"), Seat(app, "Bo"), Seat(app, "Cy")
    assert ann.page("/").count(D["states"]["rate"]) >= 3
    ann.read_through(1)
    assert "She came back." not in bo.page("/examples/1") + bo.page("/")
    bo.read_through(1, "accept")
    assert D["states"]["waiting"] not in ann.page("/")
    opened = cy.page("/examples/1/readings")
    assert "The reading of Ann" in opened and "The reading of Bo" in opened and "She came back." in opened
    cy.send("/examples/1/decision", **RATING | {"level": 2})
    final = desk.final(1)
    assert final is not None and (final.assessor, final.judgement.level) == ("Cy", 2)
    assert "Decided by Cy" in ann.page("/examples/1")
    cy.send("/examples/1/decision", 409, **RATING)


def test_the_suggestion_is_refused_before_the_rating(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    for answer in (ann.client.get("/examples/1/suggestion"), ann.client.post("/examples/1/suggestion", json={})):
        assert answer.status_code == 409 and "Rate the example first" in answer.json()["detail"]
        assert "probabilities" not in answer.text
    assert "suggestion-heading" not in ann.page("/examples/1")
    ann.send("/examples/1/rating", **RATING)
    assert ann.client.get("/examples/1/suggestion").status_code == 409
    ann.send("/examples/1/suggestion")
    expected = FixedAssessor().assess(desk.example(1).text).to_dict()
    assert ann.client.get("/examples/1/suggestion").json() == json.loads(json.dumps(expected))
    assert "suggestion-heading" in ann.page("/examples/1")
    told = [entry["what"] for entry in desk.check_trail().entries]
    assert told[-2:] == ["rated", "revealed"]


def test_no_text_of_ones_choice_is_assessed_at_the_desk(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    for path in ("/v1/assess", "/page", "/v1/assess-many", "/v1/report"):
        assert ann.client.post(path, json={"text": DRAFT}).status_code in {404, 405}


def test_without_blinding_the_suggestion_comes_first_and_the_page_says_so(desk: Desk) -> None:
    ann = Seat(app_of(desk, blinding=False), "Ann")
    assert D["open_mode"] in ann.page("/examples/1")
    ann.send("/examples/1/suggestion")
    assert "suggestion-heading" in ann.page("/examples/1")
    ann.send("/examples/1/rating", **RATING)
    assert D["not_blind"] in ann.page("/examples/1")
    assert [e["mode"] for e in desk.check_trail().entries if "mode" in e] == ["open", "open"]


def test_a_plain_rubric_without_a_model(desk: Desk) -> None:
    app = create_desk(desk, None)
    for name in ("Ann", "Bo"):
        seat = Seat(app, name)
        assert D["rubric"] in seat.page("/examples/1") and load_framework("cra").behaviour("4.5").text in seat.page("/examples/1")
        seat.send("/examples/1/rating", **RATING)
        seat.send("/examples/1/suggestion", 409)
        seat.send("/examples/1/alone")
    seat.send("/examples/1/decision", **RATING)
    assert [e["choice"] for e in desk.check_trail().entries if e["what"] == "concluded"] == ["none", "none"]


def test_a_refused_text_can_only_be_kept_or_changed(desk: Desk) -> None:
    desk.add([("short", "Hello there")])
    ann = Seat(app_of(desk), "Ann")
    ann.send("/examples/4/rating", level=0, client="none", marks=[], reason="No event.")
    ann.send("/examples/4/suggestion")
    page = ann.page("/examples/4")
    assert "too short" in page and 'value="accept"' not in page
    ann.send("/examples/4/conclusion", 422, level=0, client="none", choice="accept")
    ann.send("/examples/4/conclusion", level=0, client="none", choice="keep")


def test_a_reason_is_needed_where_person_and_program_differ(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    ann.send("/examples/1/rating", **RATING)
    ann.send("/examples/1/suggestion")
    for choice in ("keep", "accept", "change"):
        ann.send("/examples/1/conclusion", 422, **RATING | {"choice": choice, "reason": " "})
    ann.send("/examples/1/conclusion", **RATING | {"choice": "change", "level": 4, "reason": "Two acts count."})
    assert D["choices"]["change"] in ann.page("/examples/1") and "Two acts count." in ann.page("/examples/1")


@pytest.mark.parametrize(
    "bad",
    [
        {"level": 9},
        {"level": "three"},
        {"client": "nobody"},
        {"reason": ""},
        {"reason": "x" * 5_000},
        {"marks": [{"key": "2.4", "start": 5, "end": 5}]},
        {"marks": [{"key": "2.4", "start": 0, "end": 10**12}]},
        {"marks": [{"key": "<b>", "start": 0, "end": 5}]},
        {"who": "Bo"},
    ],
)
def test_bad_ratings_are_refused_and_nothing_is_recorded(desk: Desk, bad: dict[str, object]) -> None:
    ann = Seat(app_of(desk), "Ann")
    answer = ann.send("/examples/1/rating", 422, **RATING | bad)
    assert answer["detail"] and desk.reading(1, "Ann") is None


def test_nobody_without_a_name_reads_or_rates(desk: Desk) -> None:
    client = TestClient(app_of(desk), base_url="http://localhost", follow_redirects=False)
    assert client.post("/examples/1/rating", json=RATING).status_code == 401
    assert client.get("/examples/1/suggestion").status_code == 401
    for path in ("/examples/1", "/examples/1/readings", "/practice"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 303 and answer.headers["location"] == "/" and DRAFT not in answer.text
    assert DRAFT not in client.get("/").text
    assert client.post("/session", json={"name": " "}).status_code == 422
    ann = Seat(app_of(desk), "Ann")
    ann.send("/leave")
    ann.send("/examples/1/rating", 401, **RATING)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    client = TestClient(app_of(desk), base_url="http://localhost")
    cookie = client.post("/session", json={"name": "Ann"}).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    # A form on another site can send these types without being asked.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post("/examples/1/rating", content='{"level": 3, "client": "external", "reason": "x"}', headers={"Content-Type": kind})
        assert answer.status_code == 422 and desk.reading(1, "Ann") is None


def test_missing_examples_and_unknown_practice(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    for path in ("/examples/99", "/examples/99/readings", "/practice/9", "/practice/1/7"):
        ann.page(path, 404)
    ann.page("/examples/1/readings", 409)
    ann.send("/examples/99/rating", 404, **RATING)


def test_practice_on_the_worked_examples_gives_the_documents_reasons(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    scale = load_framework("cra").scale("level")
    seen = set()
    for number in (1, 2, 3, 4):
        before = ann.page(f"/practice/{number}")
        assert "Compare with the document" in before
        answer = ann.page(ann.send(f"/practice/{number}", level=2)["next"])
        right = int(re.search(r"the document says level (\d)|Level (\d), as the document says", answer)[1] or 2)  # type: ignore[index]
        assert all(behaviour.text.replace("'", "&#39;") in answer for behaviour in scale.level(right).behaviours)
        seen.add(right)
    assert seen == {1, 2, 3, 4}
    assert len(desk.check_trail().entries) == 4  # created, three added: practice leaves no trace


def test_headers_hosts_and_no_inline_script(desk: Desk) -> None:
    ann = Seat(app_of(desk), "Ann")
    ann.read_through(1)
    for path in ("/", "/examples/1", "/examples/2", "/practice", "/static/desk.js", "/static/desk.css"):
        answer = ann.client.get(path)
        assert answer.status_code == 200
        assert {k: answer.headers[k] for k in SECURITY_HEADERS} == SECURITY_HEADERS
        if "html" in answer.headers["content-type"]:
            assert re.findall(r"<script(?![^>]*\ssrc=)", answer.text) == [] and not re.search(r"\s(on\w+|style)=", answer.text)
            for address in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
                assert re.fullmatch(r"#[\w-]+|/|/static/\w+\.\w+|/practice(/\d)?|/agreement|/examples/\d(/readings)?", address), address
    assert ann.client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_hostile_text_names_and_reasons_are_shown_as_text(desk: Desk) -> None:
    hostile = '<script>alert(1)</script></textarea><b>\u202e{{7*7}} "quoted" and the client asked me for her form & I gave it.'
    desk.add([('<img src=x onerror="alert(2)">', hostile)])
    ann = Seat(app_of(desk), "<i>Ann</i>")
    ann.send("/examples/4/rating", **RATING | {"reason": "<u>why</u>"})
    for path in ("/", "/examples/4"):
        page = ann.page(path)
        assert not re.search(r"<(script>|img|i>|u>|b>)|</textarea><b", page) and "49" not in page.replace("499", "")


def test_every_visible_string_of_the_desk_is_in_the_catalogue_and_used() -> None:
    templates = {path.name: path.read_text("utf-8") for path in (PACKAGE / "templates" / "desk").glob("*.html")}
    assert templates
    for name, source in templates.items():
        source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", source, flags=re.DOTALL)
        left = re.sub(r"<[^>]*>", " ", source)
        assert not re.search(r"[A-Za-z]{2,}", left), (name, re.findall(r"[A-Za-z]{2,}", left))
    used = "".join(templates.values()) + "".join(path.read_text("utf-8") for path in (PACKAGE / "desk").glob("*.py"))
    for key in D:
        assert re.search(rf"\bd\.{key}\b|\"{key}\"", used), key
    assert not set(D) & set(dir(D)), "a template would show the dictionary's own method"
