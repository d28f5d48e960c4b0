"""Runs the page and the API with uvicorn, on this machine only unless told otherwise."""

from __future__ import annotations

import logging
import socket
import sys
import webbrowser
from collections.abc import Sequence

import uvicorn

from classifier.assessor import Assessor
from classifier.errors import InputError
from classifier.explain import messages
from classifier.web import LOCAL_HOSTS, create_app

_ANYWHERE = {"0.0.0.0", "::"}


class _Announcing(uvicorn.Server):
    """Says where the page is once it can be opened."""

    def __init__(self, config: uvicorn.Config, address: str, show: bool) -> None:
        super().__init__(config)
        self.address = address
        self.show = show

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"The page is at {self.address} (Ctrl+C ends it). {messages()['notice']['text']}", file=sys.stderr, flush=True)
        if self.show:
            webbrowser.open(f"{self.address}#sample")


def serve(assessor: Assessor, host: str, port: int, allow_hosts: Sequence[str] = (), contact: str = "", show: bool = False) -> None:
    """Serve until interrupted.

    Raises
    ------
    InputError
        When the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise InputError(f"{host}, port {port}: cannot be listened on ({error}); another --port may be free.") from error
    named = f"[{host}]" if ":" in host else host
    hosts = LOCAL_HOSTS | set(allow_hosts) | (set() if host in _ANYWHERE else {named})
    app = create_app(assessor, hosts, contact)
    # No log of requests: addresses may hold what somebody typed into the address line.
    config = uvicorn.Config(app, log_level=logging.WARNING, access_log=False, server_header=False, timeout_keep_alive=5, limit_concurrency=500)
    _Announcing(config, f"http://{named}:{listening.getsockname()[1]}/", show).run([listening])
