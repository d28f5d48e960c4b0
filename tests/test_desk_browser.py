"""The desk in a real browser: two assessors from the queue to the decision, by mouse and by keyboard, with axe-core on every page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fixed import DRAFT, FixedAssessor
from serving import served
from test_browser import Visit, browser  # noqa: F401  a fixture

from classifier.assessor import Assessor
from classifier.desk.store import Desk
from classifier.desk.verify import verify
from classifier.document import messages

pytestmark = pytest.mark.browser

D = messages()["desk"]
TEXT = f"\U0001f600 {DRAFT}\n\nA second paragraph with a line of its own."


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.add([("the first", TEXT), ("the second", DRAFT)])
    return made


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    from classifier.desk.pages import create_desk

    with served(create_desk(desk, cast(Assessor, FixedAssessor()))) as found:
        yield found


def sit(browser: Any, address: str, name: str) -> Visit:  # noqa: F811
    seat = Visit(browser, address)
    assert seat.violations() == []
    seat.page.fill("#name", name)
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_selector("table.queue")
    assert seat.violations() == []
    return seat


def go(seat: Visit, path: str, heading: str) -> None:
    seat.page.goto(seat.address + path)
    assert heading in seat.page.inner_text("h1")
    assert seat.violations() == []


def refused_before_rating(seat: Visit) -> None:
    for answer in (
        seat.context.request.get(f"{seat.address}examples/1/suggestion"),
        seat.context.request.post(f"{seat.address}examples/1/suggestion", data={}),
    ):
        assert answer.status == 409 and "Rate the example first" in answer.json()["detail"]


def conclude(seat: Visit, choice: str) -> None:
    page = seat.page
    page.click(f"text={D['reveal']}")
    page.wait_for_selector("#suggestion-heading")
    assert seat.violations() == []
    page.check(f"input[name=choice][value={choice}]")
    page.fill("#reason", "I see it so.")
    page.click(f"text={D['conclude_button']}")
    page.wait_for_selector("#conclusion-heading")
    assert seat.violations() == []


def test_two_assessors_from_the_queue_to_the_decision(browser: Any, address: str, desk: Desk) -> None:  # noqa: F811
    ann, bo = sit(browser, address, "Ann"), sit(browser, address, "Bo")

    # Ann, by mouse.
    page = ann.page
    page.click("table.queue a >> nth=0")
    page.wait_for_selector("#text")
    assert ann.violations() == []
    refused_before_rating(ann)
    page.click("#mark")
    assert page.inner_text("#marking-status") == D["select_first"]
    page.dblclick("#text", position={"x": 70, "y": 16})
    page.select_option("#mark-key", "1.1")
    page.click("#mark")
    word = page.inner_text("#marks q").strip()
    assert word and word in TEXT
    page.check("input[name=level][value='3']")
    page.check("input[name=client][value=external]")
    page.fill("#reason", "She went beyond.")
    page.click(f"text={D['rate_button']}")
    page.wait_for_selector("#own-heading")
    assert ann.violations() == [] and page.query_selector("#suggestion-heading") is None
    reading = desk.reading(1, "Ann")
    assert reading is not None and reading.rating is not None
    (note,) = reading.rating.evidence
    assert note.quote.strip() == word and TEXT[note.start : note.end] == note.quote
    conclude(ann, "keep")

    # Bo, by keyboard alone.
    page = bo.page
    page.goto(f"{address}examples/1")
    page.focus("#text")
    for typed in ("x", "Delete", "Enter", "Control+a", "Backspace"):
        page.keyboard.press(typed)
    assert page.input_value("#text") == TEXT
    page.keyboard.press("Control+Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#marks q") == "A client" and page.inner_text("#marking-status") == D["marked"]
    page.focus("input[name=level][value='0']")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.focus("input[name=client][value=external]")
    page.keyboard.press("Space")
    page.focus("#reason")
    page.keyboard.type("As asked.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#own-heading")
    assert "She went beyond." not in page.content()
    reading = desk.reading(1, "Bo")
    assert reading is not None and reading.rating is not None and reading.rating.level == 2
    assert [(n.key, n.quote) for n in reading.rating.evidence] == [("1.2", "A client")]
    conclude(bo, "accept")

    # Bo decides.
    go(bo, "examples/1/readings", D["decide"])
    assert "She went beyond." in page.content() and page.locator("#marks li").count() == 2
    page.click("#marks li:nth-child(1) button")
    assert page.locator("#marks li").count() == 1
    page.check("input[name=level][value='2']")
    page.check("input[name=client][value=external]")
    page.fill("#reason", "Both acts were asked for.")
    page.click(f"text={D['decide_button']}")
    page.wait_for_selector("text=Decided by Bo")
    final = desk.final(1)
    assert final is not None and (final.assessor, final.judgement.level) == ("Bo", 2)
    assert bo.violations() == []
    go(bo, "examples/1/release", D["release"])
    go(bo, "agreement", D["agreement"])
    go(bo, "practice/1", D["practice"])
    page.check("input[name=level][value='1']")
    page.click(f"text={D['practice_button']}")
    page.wait_for_selector("#worked-heading ~ h3")
    assert bo.violations() == []
    with page.expect_navigation():
        page.click(f"text={D['leave']}")
    page.wait_for_selector("#name")
    ann.close()
    bo.close()
    assert verify(desk).faults == ()


def test_a_refusal_of_the_server_is_said_and_nothing_typed_is_lost(browser: Any, address: str, desk: Desk) -> None:  # noqa: F811
    seat = sit(browser, address, "Ann")
    page = seat.page
    page.goto(f"{address}examples/2")
    page.check("input[name=level][value='1']")
    page.check("input[name=client][value=external]")
    page.fill("#reason", "   ")
    page.click(f"text={D['rate_button']}")
    page.wait_for_function("document.getElementById('problem').textContent !== ''")
    assert "Say why" in page.inner_text("#problem") and page.is_checked("input[name=level][value='1']") and page.is_enabled("main button.main")
    assert desk.reading(2, "Ann") is None
    seat.complaints.clear()  # Chromium's own line on the refused request
    seat.close()


@pytest.mark.parametrize("options", [{"viewport": {"width": 320, "height": 700}}, {"color_scheme": "dark"}, {"forced_colors": "active"}])
def test_narrow_dark_and_high_contrast(browser: Any, address: str, options: dict[str, Any]) -> None:  # noqa: F811
    seat = Visit(browser, address, **options)
    seat.page.fill("#name", "Ann")
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_selector("table.queue")
    for path in ("examples/1", "practice/2", "agreement"):
        seat.page.goto(address + path)
        assert seat.violations() == []
        assert seat.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    seat.close()
