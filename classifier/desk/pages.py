"""The desk's server: pages and the requests behind them. What may be done when, the store decides, for pages and requests alike.

It serves no page that assesses a text of the user's choice: the suggestion for an example could be had there before the rating.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from classifier.answer import marks, pieces
from classifier.assessment import Assessment
from classifier.assessor import Assessor, read_manifest
from classifier.desk.agreement import SMALLEST, furthest, person_pairs, suggestion_pairs, table
from classifier.desk.conclusion import CHOICES
from classifier.desk.drift import watched
from classifier.desk.export import decision_docx, decision_html, decision_parts
from classifier.desk.faults import AlteredError, MissingError, OutOfOrderError, StorageError
from classifier.desk.forms import Concluded, Next, Nothing, Practised, Rated, Released, SignIn
from classifier.desk.judgement import Judgement
from classifier.desk.pseudonyms import pseudonymize
from classifier.desk.record import Final
from classifier.desk.release import release
from classifier.desk.replay import model_of
from classifier.desk.store import Desk
from classifier.desk.view import desk_templates, judged_marks
from classifier.framework import load_framework
from classifier.gate import problem
from classifier.web import LOCAL_HOSTS, SECONDS, guard
from classifier.word import WORD_TYPE

_COOKIE = "desk"
_SESSIONS = 1_000
_STATUS = {OutOfOrderError: 409, MissingError: 404, StorageError: 507, AlteredError: 500}


def signed_in(request: Request) -> str:
    """The assessor of this session; without one, a page leads to the sign-in and a request is refused."""
    who: str | None = request.app.state.sessions.get(request.cookies.get(_COOKIE, ""))
    if who is None:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            raise HTTPException(303, "Say who you are first.", {"Location": "/"})
        raise HTTPException(401, "Say who you are first.")
    return who


Who = Annotated[str, Depends(signed_in)]


def create_desk(desk: Desk, assessor: Assessor | None, hosts: Iterable[str] = LOCAL_HOSTS, blinding: bool = True) -> FastAPI:
    """The desk's pages round one store.

    Parameters
    ----------
    assessor : gives the suggestions; None makes the desk a plain rubric.
    hosts : host names that requests may be addressed to.
    blinding : False is the mode for training, in which the suggestion may be seen before the rating; the trail says so.
    """
    framework = load_framework("cra")
    scale = framework.scale(framework.main_scale)
    environment = desk_templates(framework)
    environment.globals.update(blinding=blinding, model=assessor.version if assessor else None)
    model = model_of(assessor) if assessor else None
    # One thread: the encoder uses all cores for one text, and spaCy's string store is not made for two threads.
    worker = ThreadPoolExecutor(1, "assess")
    sessions: OrderedDict[str, str] = OrderedDict()
    # In an order that does not tell the level.
    worked = sorted((level for level in scale.levels if level.worked_example), key=lambda level: hashlib.sha256(level.worked_example.encode()).digest())

    app = FastAPI(title="Service Excellence desk", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sessions = sessions
    guard(app, hosts)
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _told(status))

    def page(name: str, who: str | None, **content: Any) -> HTMLResponse:
        return HTMLResponse(environment.get_template(f"desk/{name}").render(who=who, **content))

    # Who ----------------------------------------------------------------------------------------------------------

    @app.get("/", response_class=HTMLResponse)
    def queue(request: Request) -> HTMLResponse:
        who = sessions.get(request.cookies.get(_COOKIE, ""))
        if who is None:
            return page("sign_in.html", None)
        lines = desk.queue(who)
        return page("queue.html", who, lines=lines, left=sum(line.state in {"rate", "reveal", "conclude"} for line in lines))

    @app.post("/session")
    def session(asked: SignIn) -> JSONResponse:
        token = secrets.token_urlsafe(32)
        sessions[token] = desk.enter(asked.name)
        while len(sessions) > _SESSIONS:
            sessions.popitem(last=False)
        answer = JSONResponse({"next": "/"})
        answer.set_cookie(_COOKIE, token, httponly=True, samesite="strict")
        return answer

    @app.post("/leave")
    def leave(request: Request, _: Nothing) -> JSONResponse:
        sessions.pop(request.cookies.get(_COOKIE, ""), None)
        answer = JSONResponse({"next": "/"})
        answer.delete_cookie(_COOKIE, httponly=True, samesite="strict")
        return answer

    # One example --------------------------------------------------------------------------------------------------

    @app.get("/examples/{number}", response_class=HTMLResponse)
    def example(number: int, who: Who) -> Response:
        entered, own, final = desk.example(number), desk.reading(number, who), desk.final(number)
        if final is not None:
            return decided(number, who, final)
        found = marks(own.suggestion.assessment) if own is not None and own.suggestion is not None else ()
        shown = pieces(entered.text, found)
        if own is None or own.rating is None:
            seen = own.suggestion.assessment if own is not None and own.suggestion is not None else None
            return page("rate.html", who, example=entered, shown=seen, pieces=shown, found=found)
        return page(
            "reading.html",
            who,
            example=entered,
            own=own,
            own_marks=judged_marks(own.rating, "o"),
            concluded_marks=judged_marks(own.conclusion, "c") if own.conclusion else (),
            pieces=shown,
            found=found,
            choices=CHOICES if own.suggestion is not None and own.suggestion.assessment.ok else CHOICES[1:],
        )

    def decided(number: int, who: str, final: Final) -> HTMLResponse:
        entered, found = desk.example(number), judged_marks(final.judgement, "f")
        return page("decided.html", who, example=entered, final=final, found=found, pieces=pieces(entered.text, found))

    @app.post("/examples/{number}/rating")
    def rate(number: int, who: Who, asked: Rated) -> Next:
        desk.rate(number, who, asked.judgement(desk.example(number).text, framework))
        return here(number)

    @app.get("/examples/{number}/suggestion")
    def suggestion(number: int, who: Who) -> dict[str, Any]:
        """The suggestion as data, to whom it has been revealed."""
        own = desk.reading(number, who)
        if own is None or own.suggestion is None:
            raise OutOfOrderError(
                "Rate the example first; the suggestion is shown afterwards." if own is None else "The suggestion has not been revealed to you."
            )
        return own.suggestion.assessment.to_dict()

    @app.post("/examples/{number}/suggestion")
    def reveal(number: int, who: Who, _: Nothing) -> Next:
        if assessor is None or model is None:
            raise OutOfOrderError("This desk works without a model.")
        desk.may_reveal(number, who, blinding)
        desk.reveal(number, who, assess(desk.example(number).text), model, blinding)
        return here(number)

    def assess(text: str) -> Assessment:
        assert assessor is not None
        try:
            return worker.submit(assessor.assess, text).result(SECONDS)
        except TimeoutError as error:
            raise HTTPException(503, f"This took longer than {SECONDS:g} seconds.", {"Retry-After": "10"}) from error

    @app.post("/examples/{number}/conclusion")
    def conclude(number: int, who: Who, asked: Concluded) -> Next:
        changed: Judgement | None = None
        if asked.choice == "change":
            changed = asked.judgement(desk.example(number).text, framework)
        desk.conclude(number, who, asked.choice, changed, asked.reason)
        return here(number)

    @app.post("/examples/{number}/alone")
    def conclude_alone(number: int, who: Who, _: Nothing) -> Next:
        if assessor is not None:
            raise OutOfOrderError("See the suggestion first.")
        desk.conclude_alone(number, who)
        return here(number)

    # Deciding -----------------------------------------------------------------------------------------------------

    @app.get("/examples/{number}/readings", response_class=HTMLResponse)
    def readings(number: int, who: Who) -> Response:
        entered, final = desk.example(number), desk.final(number)
        if final is not None:
            return RedirectResponse(f"/examples/{number}", 303)
        opened = [
            (r, judged_marks(r.rating, f"r{i}"), judged_marks(r.conclusion, f"c{i}"))
            for i, r in enumerate(desk.open_readings(number, who))
            if r.rating is not None and r.conclusion is not None
        ]
        return page("decide.html", who, example=entered, readings=opened, start=_together([r.conclusion for r, _, _ in opened if r.conclusion]))

    @app.post("/examples/{number}/decision")
    def decide(number: int, who: Who, asked: Rated) -> Next:
        desk.decide(number, who, asked.judgement(desk.example(number).text, framework))
        return here(number)

    @app.get("/examples/{number}/decision.html", response_class=HTMLResponse)
    def decision_page(number: int, who: Who) -> Response:
        content = decision_html(environment, decision_parts(desk, number, framework))
        return Response(content, media_type="text/html", headers=_attached(number, "html"))

    @app.get("/examples/{number}/decision.docx")
    def decision_document(number: int, who: Who) -> Response:
        return Response(decision_docx(decision_parts(desk, number, framework)), media_type=WORD_TYPE, headers=_attached(number, "docx"))

    @app.get("/examples/{number}/release", response_class=HTMLResponse)
    def release_page(number: int, who: Who) -> HTMLResponse:
        entered = desk.example(number)
        if desk.final(number) is None:
            raise OutOfOrderError("This example has not been decided.")
        return page("release.html", who, example=entered, made=pseudonymize(entered.text))

    @app.post("/examples/{number}/release")
    def release_text(number: int, who: Who, asked: Released) -> Next:
        release(desk, number, who, asked.text)
        return here(number)

    # Agreement and drift ------------------------------------------------------------------------------------------

    @app.get("/agreement", response_class=HTMLResponse)
    def agreement(who: Who) -> HTMLResponse:
        examples, readings = desk.examples(), desk.readings()
        finals = {e.id: final for e in examples if (final := desk.final(e.id)) is not None}
        # Of examples that this assessor has yet to rate, nobody's level is shown.
        open_to = {line.id: line.name for line in desk.queue(who) if line.state in {"waiting", "decide", "decided"}}
        sections = []
        for key, pairs in (("between", person_pairs(readings, finals)), ("with_suggestion", suggestion_pairs(readings, finals, scale.key))):
            apart = furthest([pair for pair in pairs if pair.example in open_to])
            sections.append((key, table(pairs, len(scale.values)), [(pair, open_to[pair.example]) for pair in apart]))
        alarms = None if assessor is None else watched(read_manifest(assessor.encoder.folder.parent), examples, readings, assessor.version, scale.key)
        return page("agreement.html", who, sections=sections, alarms=alarms, smallest=SMALLEST)

    # Practising ---------------------------------------------------------------------------------------------------

    @app.get("/practice", response_class=HTMLResponse)
    def practice(who: Who) -> HTMLResponse:
        return practised(who, None, None)

    @app.get("/practice/{number}", response_class=HTMLResponse)
    def practice_one(number: int, who: Who) -> HTMLResponse:
        return practised(who, number, None)

    @app.post("/practice/{number}")
    def practice_said(number: int, who: Who, asked: Practised) -> Next:
        practised(who, number, asked.level)
        return Next(next=f"/practice/{number}/{asked.level}")

    @app.get("/practice/{number}/{said}", response_class=HTMLResponse)
    def practice_answer(number: int, said: int, who: Who) -> HTMLResponse:
        return practised(who, number, said)

    def practised(who: str, number: int | None, said: int | None) -> HTMLResponse:
        if (number is not None and not 1 <= number <= len(worked)) or (said is not None and said not in scale.values):
            raise MissingError("There is no such worked example or level.")
        level = None if number is None else worked[number - 1]
        return page("practice.html", who, numbers=range(1, len(worked) + 1), chosen=number, level=level, said=said)

    return app


def here(number: int) -> Next:
    """Back to the example's page, which shows what comes now."""
    return Next(next=f"/examples/{number}")


def _attached(number: int, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="decision-{number}.{ending}"'}


def _together(judgements: list[Judgement]) -> Judgement:
    """All marks of several readings, for the person who decides to begin with; level and client are theirs to choose."""
    evidence, flags = (tuple(dict.fromkeys(n for j in judgements for n in getattr(j, name))) for name in ("evidence", "flags"))
    return Judgement(0, "none", evidence, flags)


def _told(status: int) -> Any:
    async def tell(_: Request, error: Exception) -> Response:
        return problem(status, str(error))

    return tell
