"""The employee's page and the API: every answer is an `Assessment`, nothing is stored, no text is logged.

One page for one person on the same machine. Texts are assessed one at a time in a thread of their own, so that the server
answers meanwhile; a text that waits or works longer than the limit gets a 503.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import jinja2
from fastapi import Body, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from classifier.answer import change, ladder, marks, pieces, questions, visible
from classifier.assessment import Assessment
from classifier.assessor import Assessor, read_manifest
from classifier.document import MAX_CHARACTERS, messages
from classifier.errors import InputError
from classifier.explain import advise, client_note, listed, perhaps_own_team
from classifier.framework import framework_names, load_framework
from classifier.gate import Gate, problem
from classifier.schema import Answer, Answers, FrameworkName, Frameworks, Health, ManyTexts, ModelFacts, OneText, PageText, Problem, ReadText
from classifier.uploads import MAX_BYTES, TooLargeError, open_docx, read_upload
from classifier.word import WORD_TYPE, annotate, save_docx

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
SECONDS = 30.0

_FOLDER = Path(__file__).parent
T = TypeVar("T")


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/problem+json": {"schema": Problem.model_json_schema()}}, "description": "Problem details"} for status in statuses}


def create_app(assessor: Assessor, hosts: Iterable[str] = LOCAL_HOSTS, contact: str = "", seconds: float = SECONDS) -> FastAPI:
    """The page and the API round one assessor.

    Parameters
    ----------
    hosts : host names that requests may be addressed to.
    contact : whom to ask about a result that one disagrees with; shown with each result.
    seconds : longest time that one text may wait and work.
    """
    page = messages()["page"]
    recourse = page["recourse"] + (f" {page['contact'].format(contact=contact)}" if contact else "")
    # One thread: the encoder uses all cores for one text, and spaCy's string store is not made for two threads.
    worker = ThreadPoolExecutor(1, "assess")
    readers = ThreadPoolExecutor(2, "read")
    templates = page_templates()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await in_time(worker, partial(assessor.assess, page["warm_up"]), 600)
        yield

    async def in_time(pool: ThreadPoolExecutor, work: Callable[[], T], limit: float = seconds) -> T:
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(pool, work), limit)
        except TimeoutError as error:
            raise HTTPException(503, f"This took longer than {limit:g} seconds.", {"Retry-After": "10"}) from error

    async def assess(text: str) -> Assessment:
        return await in_time(worker, partial(assessor.assess, text))

    def answer(assessment: Assessment, framework: str, target: int | None = None) -> Answer:
        asked = [asdict(question) for question in questions(assessment, load_framework(framework), target)]
        return Answer(recourse=recourse, questions=asked, **assessment.to_dict())  # type: ignore[arg-type]

    async def render(name: str, asked: OneText, previous: str | None = None) -> str:
        assessment = await assess(asked.text)
        framework = load_framework(asked.framework)
        before = None if previous is None else await assess(previous)
        marked = marks(assessment)
        others = [load_framework(other) for other in framework_names() if other != framework.key]
        return templates.get_template(name).render(
            assessment=assessment,
            framework=framework,
            scales=[s for s in framework.scales if s.key != framework.main_scale and s.key in assessment.ratings],
            ladder=ladder(assessment, framework.scale(framework.main_scale), asked.target),
            others=[(other, ladder(assessment, other.scale(other.main_scale))) for other in others],
            marks=marked,
            pieces=pieces(asked.text, marked),
            questions=questions(assessment, framework, asked.target),
            advice={section.key: section for section in advise(assessment, framework.key)},
            client_note=client_note(assessment),
            perhaps_own_team=perhaps_own_team(assessment),
            no_words=not any(f.key == b.key for f in assessment.evidence for b in framework.behaviours),
            target=asked.target,
            change=None if before is None else change(before, assessment, framework),
            words=len(asked.text.split()),
            recourse=recourse,
        )

    app = FastAPI(
        title="Service Excellence classifier",
        version=assessor.version,
        description=f"{messages()['notice']['text']} {recourse}",
        docs_url=None,  # FastAPI's page of documentation loads its scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    guard(app, hosts)

    @app.post("/v1/assess", responses=_problems(400, 413, 422, 503))
    async def assess_one(asked: OneText) -> Answer:
        """Assess one text."""
        return answer(await assess(asked.text), asked.framework, asked.target)

    @app.post("/v1/assess-many", responses=_problems(400, 413, 422, 503))
    async def assess_many(asked: ManyTexts) -> Answers:
        """Assess up to 100 texts; each is assessed by itself and the answers are in the same order."""
        return Answers(assessments=[answer(await assess(text), asked.framework) for text in asked.texts])

    @app.post("/v1/read", responses=_problems(400, 413, 415, 422, 503))
    async def read(raw: Annotated[bytes, Depends(_file_body)]) -> ReadText:
        """Text of a .txt, .docx or .pdf file, sent as the body with the type application/octet-stream."""
        return ReadText(text=await in_time(readers, partial(read_upload, raw, page["file"])))

    @app.post("/v1/annotate", response_class=Response, responses={200: {"content": {WORD_TYPE: {}}}, **_problems(400, 413, 415, 422, 503)})
    async def annotated(raw: Annotated[bytes, Depends(_file_body)], framework: FrameworkName = FrameworkName["cra"]) -> Response:
        """The same Word document with comments on the evidence and the flags."""
        document = await in_time(readers, partial(open_docx, raw, page["file"]))
        await in_time(worker, partial(annotate, document, assessor, str(framework), recourse))
        return Response(await in_time(readers, partial(save_docx, document)), media_type=WORD_TYPE)

    @app.post("/v1/report", response_class=HTMLResponse, responses=_problems(400, 413, 422, 503))
    async def report(asked: PageText) -> HTMLResponse:
        """The assessment of one text as one self-contained HTML file."""
        return HTMLResponse(await render("report.html", asked, asked.previous))

    @app.get("/v1/frameworks")
    async def frameworks() -> Frameworks:
        """The frameworks: levels, behaviours, and what the competency means and does not mean."""
        return Frameworks(frameworks=[asdict(load_framework(name)) for name in framework_names()])

    @app.get("/v1/model")
    async def model() -> ModelFacts:
        """The model's version, training facts, hashes and figures, as model.json states them."""
        return ModelFacts(model=assessor.version, description=read_manifest(assessor.encoder.folder.parent))

    @app.get("/healthz")
    async def healthz() -> Health:
        """Whether the server is up."""
        return Health(status="ok", model=assessor.version)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def index() -> HTMLResponse:
        main = [load_framework(name) for name in framework_names()]
        return HTMLResponse(templates.get_template("index.html").render(frameworks=main, recourse=recourse, model=assessor.version, limit=MAX_CHARACTERS))

    @app.get("/sample", include_in_schema=False)
    async def sample() -> ReadText:
        """A text to try the page with."""
        return ReadText(text=page["sample_text"])

    @app.post("/page", response_class=HTMLResponse, include_in_schema=False)
    async def result(asked: PageText) -> HTMLResponse:
        """The result as the page shows it."""
        return HTMLResponse(await render("result.html", asked, asked.previous))

    return app


def guard(app: FastAPI, hosts: Iterable[str]) -> None:
    """What every server of this package has: the gate, errors as problem details, the static files."""
    app.add_middleware(Gate, hosts=frozenset(h.lower() for h in hosts), max_bytes=MAX_BYTES)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    app.add_exception_handler(InputError, _input_problem)
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"), name="static")


async def _file_body(request: Request, body: Annotated[bytes, Body(media_type="application/octet-stream")]) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/octet-stream":
        raise HTTPException(415, "Send the file as the body, with the type application/octet-stream.")
    return body


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), error.headers)


async def _input_problem(_: Request, error: Exception) -> Response:
    return problem(413 if isinstance(error, TooLargeError) else 422, str(error))


async def _validation_problem(_: Request, error: Exception) -> JSONResponse:
    """Where the request is wrong and why; never the value, which may be the text."""
    assert isinstance(error, RequestValidationError)
    faults = [{"pointer": "/" + "/".join(map(str, fault["loc"][1:])), "detail": fault["msg"]} for fault in error.errors()]
    return problem(422, "; ".join(f"{f['pointer']}: {f['detail']}" for f in faults[:3]), errors=faults)


def page_templates() -> jinja2.Environment:
    """The templates, with the catalogue of visible strings; every text is escaped."""
    style = (_FOLDER / "static" / "page.css").read_text("utf-8")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(
        visible=visible,
        listed=listed,
        t=messages()["page"],
        notice=messages()["notice"]["text"],
        clients=messages()["clients"],
        story_questions=messages()["story_questions"],
        style=style,
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
    return environment
