"""A decision as HTML and Word: the whole of it, with the department's words, and nothing that runs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import docx
import pytest
from desks import desk_of, rating, read_through
from fixed import FixedAssessor
from starlette.testclient import TestClient

from classifier.assessor import Assessor
from classifier.desk.pages import create_desk
from classifier.desk.store import Desk
from classifier.document import messages
from classifier.errors import InputError
from classifier.framework import load_framework


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = desk_of(tmp_path, 2)
    read_through(made, 1, "Ann", 3)
    read_through(made, 1, "Bo", 2)
    made.decide(1, "Ann", rating(made, 1, 3, "A step that <b>nobody</b> asked for.\x0b"))
    yield made
    made.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(create_desk(desk, cast(Assessor, FixedAssessor())), base_url="http://localhost") as made:
        made.post("/session", json={"name": "Ann"})
        yield made


def wanted() -> list[str]:
    words = messages()["desk"]["export"]
    return [
        *(words[name] for name in ("title", "notice", "decision", "explanation", "recourse")),
        "Service Excellence: level 3 of 4",
        "Decided by Ann, a person",
        "nobody",
        "called her back",
        load_framework("cra").behaviour("2.4").text,
        "Bo rated level 2 before any suggestion was shown",
        "level 2, plausible 1, 2. Model fixed-1",
        "The department fills this in",
    ]


def test_both_forms_hold_all_of_it(client: TestClient) -> None:
    page = client.get("/examples/1/decision.html")
    word = client.get("/examples/1/decision.docx")
    assert page.headers["content-disposition"] == 'attachment; filename="decision-1.html"'
    document = docx.Document(io.BytesIO(word.content))
    written = "\n".join(p.text for p in document.paragraphs)
    shown = re.sub(r"<[^>]+>", "", page.text)
    for words in wanted():
        assert words in shown, words
        assert words in written, words
    assert "<b>" not in page.text and "<script" not in page.text and "default-src 'none'" in page.text
    assert [p.style.name for p in document.paragraphs if p.style is not None and "Heading" in str(p.style.name)] == ["Heading 1", *["Heading 2"] * 4]
    assert document.core_properties.language == "en-CA" and document.core_properties.title


def test_the_departments_own_words_stand_there(desk: Desk, client: TestClient) -> None:
    (desk.folder / "department.toml").write_text('recourse = "Write to <the> appeals officer within 30 days."\n')
    page = client.get("/examples/1/decision.html").text
    assert "Write to &lt;the&gt; appeals officer" in page and page.count("The department fills this in") == 4
    (desk.folder / "department.toml").write_text("not toml")
    assert client.get("/examples/1/decision.html").status_code == 422


def test_nothing_is_exported_before_the_decision(client: TestClient) -> None:
    for ending in ("html", "docx"):
        assert client.get(f"/examples/2/decision.{ending}").status_code == 409
        assert client.get(f"/examples/9/decision.{ending}").status_code == 404


def test_a_broken_file_of_words_is_one_sentence(tmp_path: Path) -> None:
    from classifier.desk.export import read_department

    (tmp_path / "department.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="department's words"):
        read_department(tmp_path)
