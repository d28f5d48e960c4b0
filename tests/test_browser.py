"""The page in a real browser: by mouse, by keyboard alone, narrow, dark, on paper, and with axe-core on every state."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from files import docx_of
from fixed import DRAFT, EVIDENCE, FLAGS, FixedAssessor
from serving import served

from classifier.assessor import Assessor
from classifier.document import messages
from classifier.framework import load_framework

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[1]
AXE = next(iter(sorted(ROOT.glob("build/axe-*/axe.min.js"))), None)
PAGE = messages()["page"]
CRA = load_framework("cra")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    from classifier.web import create_app

    with served(create_app(cast(Assessor, FixedAssessor()))) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    missing = "Chromium is not installed" if shutil.which("chromium") is None else "axe-core is not installed" if AXE is None else ""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "Playwright is not installed"
    if missing:
        assert not os.environ.get("REQUIRE_BROWSER"), missing
        pytest.skip(f"{missing}; .ci/programs installs it")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield made
        made.close()


class Visit:
    """One page in a context of its own; `close` holds that nothing was asked of elsewhere, stored, or complained of."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda r: None if r.url.startswith((address, "blob:", "data:")) else self.elsewhere.append(r.url))
        self.page.goto(address)

    def write(self, text: str, level: int | None = 2) -> None:
        self.page.fill("#text", text)
        self.wait(level)

    def wait(self, level: int | None = 2) -> None:
        """Until the answer is there; None waits for a refusal."""
        self.page.wait_for_selector("#result .refused" if level is None else f"#level-heading:has-text('level {level} of')")
        self.page.wait_for_selector("#result:not(.stale)")

    def violations(self) -> list[str]:
        assert AXE is not None
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [f"{v['id']}: {v['help']} {[n['html'][:120] for n in v['nodes'][:3]]}" for v in found]

    def close(self) -> None:
        kept = self.page.evaluate("async () => [document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length]")
        assert kept == ["", 0, 0, 0]
        assert self.elsewhere == []
        assert self.complaints == []
        self.context.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    made = Visit(browser, address)
    yield made
    made.close()


def test_pasting_shows_level_marks_and_questions(visit: Visit) -> None:
    page = visit.page
    visit.write(DRAFT)
    assert page.inner_text(".level .notion") == CRA.scale("level").level(2).notion
    assert "suggested" in page.inner_text(".level .ladder li[aria-current]") and "plausible" in page.inner_text(".level .ladder li.plausible:not(.suggested)")
    shown = page.eval_on_selector_all(".text a.mark.evidence", "all => all.map(a => a.getAttribute('href'))")
    assert len(set(shown)) >= 3
    page.hover(".text a.mark:has-text('called her back')")
    assert CRA.behaviour("2.4").text in page.inner_text("#tip")
    assert CRA.behaviour("3.1").text in page.inner_text(".asks")
    assert CRA.anti_pattern("passes-problem-on").does_not_mean in page.inner_text(".findings")
    assert page.inner_text("#status") == PAGE["done"]


def test_typing_is_assessed_without_a_button(visit: Visit) -> None:
    visit.page.type("#text", DRAFT[:120])
    visit.wait()


def test_the_last_answer_stays_while_the_next_is_worked_out(visit: Visit) -> None:
    visit.write(DRAFT)
    held = []
    visit.page.route("**/page", lambda route: held.append(route))
    visit.page.fill("#text", DRAFT + " level 3")
    visit.page.wait_for_selector("#result.stale")
    while not held:
        visit.page.wait_for_timeout(50)
    assert "level 2 of 4" in visit.page.inner_text("#level-heading") and visit.page.inner_text("#status") == PAGE["working"]
    held[0].continue_()
    visit.wait(3)


def test_by_keyboard_alone(visit: Visit) -> None:
    page = visit.page

    def focused() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.className"))

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    while focused() != "text":
        page.keyboard.press("Tab")
    page.keyboard.insert_text(DRAFT)
    page.keyboard.press("Control+Enter")
    visit.wait()
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if "mark" in str(page.evaluate("document.activeElement.className")):
            seen.append(page.inner_text("#tip"))
            if CRA.behaviour("2.4").text in seen[-1]:
                break
    assert CRA.behaviour("2.4").text in seen[-1]
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")
    page.keyboard.press("Enter")
    assert "called her back" in page.evaluate("document.activeElement.textContent")
    # No trap: Tab goes on to the buttons that save, and off the page.
    for _ in range(80):
        page.keyboard.press("Tab")
        if focused() == "save-json":
            break
    assert focused() == "save-json"


def _drop(page: Any, raw: bytes, name: str) -> None:
    transfer = page.evaluate_handle(
        """([content, name]) => { const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(content), c => c.charCodeAt(0))], name)); return transfer; }""",
        [base64.b64encode(raw).decode(), name],
    )
    page.dispatch_event("#text", "drop", {"dataTransfer": transfer})


def test_dropping_a_word_file_and_taking_it_back_with_comments(visit: Visit, tmp_path: Path) -> None:
    import docx

    _drop(visit.page, docx_of(DRAFT), "draft.docx")
    visit.wait()
    assert visit.page.input_value("#text") == DRAFT
    with visit.page.expect_download() as saved:
        visit.page.click("#save-word")
    assert saved.value.suggested_filename == "draft-commented.docx"
    saved.value.save_as(tmp_path / "out.docx")
    assert len(list(docx.Document(str(tmp_path / "out.docx")).comments)) == len(EVIDENCE) - 1 + len(FLAGS) + 1
    visit.page.fill("#text", DRAFT + " More.")
    assert not visit.page.is_visible("#save-word")


def test_a_file_that_cannot_be_read_is_said(visit: Visit) -> None:
    visit.page.set_input_files("#file", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 broken"})
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert "cannot be read" in visit.page.inner_text("#problem")
    assert visit.violations() == []
    visit.complaints = [c for c in visit.complaints if "422" not in c]


def test_a_refusal_is_shown_with_its_reason(visit: Visit) -> None:
    visit.write("Hello there", None)
    assert "too short" in visit.page.inner_text(".refused")
    assert visit.violations() == []


def test_target_word_limit_and_the_other_competency(visit: Visit) -> None:
    page = visit.page
    visit.write(DRAFT)
    page.select_option("#target-cra", "4")
    page.wait_for_selector(".distance")
    assert page.inner_text(".distance") == PAGE["distance_above"].format(target=4, distance=2)
    assert CRA.behaviour("4.5").text in page.inner_text(".asks")
    words = len(DRAFT.split())
    page.fill("#limit", "10")
    assert page.inner_text("#count") == PAGE["words_over"].format(count=words, over=words - 10, limit=10)
    page.check("input[value=pspc]")
    page.wait_for_selector("#level-heading:has-text('Client service competency: level 1 of 3')")
    assert page.is_visible("#target-pspc") and not page.is_visible("#target-cra")
    assert visit.violations() == []


def test_comparing_with_the_version_kept(visit: Visit) -> None:
    visit.write(DRAFT)
    visit.page.click("#keep")
    visit.write(DRAFT.replace("that was not my job", "I asked if it had helped") + " level 3", 3)
    shown = visit.page.inner_text(".change")
    assert "Level 2 before, level 3 now." in shown and CRA.behaviour("3.3").text in shown
    assert PAGE["flags_gone"] in shown and PAGE["lost"] not in shown
    assert visit.violations() == []


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)><a href='javascript:alert(3)'>x</a> \u202egnp.exe\u202c \u200b\x1b[31m "
    "the client asked me for her form and I looked it up for her.</textarea></div><style>body{display:none}</style>"
)


def test_hostile_text_is_text(visit: Visit) -> None:
    visit.write(HOSTILE)
    shown = visit.page.inner_text(".text")
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in shown and "<style>" in shown
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in shown and "\u202e" not in shown and "U+200B ZERO WIDTH SPACE" in shown
    assert visit.page.eval_on_selector_all("#result script, #result img, #result style", "all => all.length") == 0
    assert visit.violations() == []


def test_marks_are_told_apart_without_colour(visit: Visit) -> None:
    visit.write(DRAFT)
    visit.page.click(".legend summary")
    style = "all => all.map(e => [e.className, getComputedStyle(e).textDecorationStyle])"
    styles = dict(visit.page.eval_on_selector_all(".legend .mark", style))
    assert len(styles) == 5 and len(set(styles.values())) == 5
    assert visit.page.eval_on_selector_all(".text a.mark sup", "all => all.every(e => e.textContent.trim())")


def test_print_view_and_pdf(visit: Visit) -> None:
    import pypdf

    visit.write(DRAFT)
    visit.page.emulate_media(media="print")
    assert not visit.page.is_visible("#text") and not visit.page.is_visible("#save")
    assert visit.page.is_visible("#level-heading") and visit.page.is_visible(".notice")
    printed = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(visit.page.pdf())).pages).split())
    for words in ("level 2 of 4", "A person decides", CRA.behaviour("3.1").text):
        assert words in printed


def test_the_saved_report_stands_alone_and_the_json_is_the_answer(visit: Visit, browser: Any, tmp_path: Path) -> None:
    visit.write(DRAFT)
    with visit.page.expect_download() as saved:
        visit.page.click("#save-json")
    answer = json.loads(Path(saved.value.path()).read_text("utf-8"))
    assert answer["ratings"]["level"]["level"] == 2 and answer["notice"] == messages()["notice"]["text"]
    with visit.page.expect_download() as saved:
        visit.page.click("#save-report")
    saved.value.save_as(tmp_path / "report.html")
    report = browser.new_context().new_page()
    asked, complaints = [], []
    report.on("request", lambda request: asked.append(request.url))
    report.on("console", lambda message: complaints.append(message.text))
    report.goto(f"file://{tmp_path}/report.html")
    assert asked == [f"file://{tmp_path}/report.html"] and complaints == []
    assert "level 2 of 4" in report.inner_text("#level-heading")
    assert report.eval_on_selector(".text a.mark.flag", "e => getComputedStyle(e).textDecorationStyle") == "wavy", "the style was not applied"
    report.evaluate(AXE.read_text("utf-8"))  # type: ignore[union-attr]
    assert [v["id"] for v in report.evaluate("axe.run()")["violations"]] == []
    report.context.close()


def test_the_sample_address_assesses_at_once(visit: Visit) -> None:
    visit.page.goto("about:blank")
    visit.page.goto(f"{visit.address}#sample")
    visit.elsewhere.remove("about:blank") if "about:blank" in visit.elsewhere else None
    visit.wait()
    assert visit.page.input_value("#text") == PAGE["sample_text"]


def test_a_server_that_is_gone_is_said(visit: Visit) -> None:
    visit.write(DRAFT)
    visit.page.route("**/page", lambda route: route.abort())
    visit.page.click("#assess")
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert visit.page.inner_text("#problem") == PAGE["failed"]
    assert "level 2 of 4" in visit.page.inner_text("#level-heading")
    visit.complaints = [c for c in visit.complaints if "ERR_FAILED" not in c]


STATES = {
    "narrow": {"viewport": {"width": 320, "height": 640}},
    "zoomed to 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "wide": {"viewport": {"width": 2560, "height": 1200}},
    "dark": {"color_scheme": "dark"},
    "dark and narrow": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
}


@pytest.mark.parametrize("state", list(STATES))
def test_every_width_and_scheme_is_accessible(browser: Any, address: str, state: str) -> None:
    visit = Visit(browser, address, **STATES[state])
    assert visit.violations() == [], "empty"
    visit.write(DRAFT + " " + "word" * 60)
    assert visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, "it scrolls sideways"
    visit.page.click(".legend summary")
    visit.page.hover(".text a.mark:has-text('called her back')")
    assert visit.page.is_visible("#tip")
    assert visit.violations() == [], "assessed"
    visit.close()
