"""What every request passes: the host's name, the size limit, security headers, and errors as problem details (RFC 9457).

Nothing of a request's body reaches the log: an unforeseen error is logged by its type and place only, since its message
may quote the text.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("classifier.web")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object) -> JSONResponse:
    """An RFC 9457 answer: what kind of error it is, and one sentence on this one."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(content, status, dict(headers or {}), media_type="application/problem+json")


class Gate:
    """ASGI middleware round the whole application."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], max_bytes: int) -> None:
        self.app = app
        self.hosts = hosts
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refused(Headers(scope=scope))
        try:
            await (refused or self.app)(scope, self._counted(receive), guarded_send)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            # Not the path of the request either: it may hold whatever somebody typed into the address.
            log.error("%s in %s:%s", type(error).__name__, place.filename, place.lineno)
            if not started:
                await problem(500, "The program failed on this request; its log says where.")(scope, receive, guarded_send)

    def _refused(self, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "").lower()
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        if name not in self.hosts:
            # A page elsewhere could point its own name at this address (DNS rebinding) and read the answers.
            return problem(400, "This server does not answer to the host name in the request.")
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            return problem(400, "The length of the request is not a number.")
        if int(length) > self.max_bytes:
            return problem(413, f"The request has more than {self.max_bytes:,} bytes.")
        return None

    def _counted(self, receive: Receive) -> Receive:
        """The same messages, until a body without a stated length has more bytes than are allowed."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise HTTPException(413, f"The request has more than {self.max_bytes:,} bytes.")
            return message

        return counted
