"""Runs the page and the API, or the desk, with uvicorn, on this machine only unless told otherwise."""

from __future__ import annotations

import logging
import socket
import sys
import webbrowser
from collections.abc import Callable, Sequence

import uvicorn
from fastapi import FastAPI

from classifier.assessor import Assessor
from classifier.document import messages
from classifier.errors import InputError
from classifier.web import LOCAL_HOSTS, create_app

_ANYWHERE = {"0.0.0.0", "::"}


class _Announcing(uvicorn.Server):
    """Says where the page is once it can be opened."""

    def __init__(self, config: uvicorn.Config, address: str, notice: str, show: str | None) -> None:
        super().__init__(config)
        self.address = address
        self.notice = notice
        self.show = show

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"The page is at {self.address} (Ctrl+C ends it). {self.notice}", file=sys.stderr, flush=True)
        if self.show is not None:
            webbrowser.open(f"{self.address}{self.show}")


def serve(assessor: Assessor, host: str, port: int, allow_hosts: Sequence[str] = (), contact: str = "", show: bool = False) -> None:
    """Serve the page and the API until interrupted.

    Raises
    ------
    InputError
        When the address cannot be listened on.
    """
    run(lambda hosts: create_app(assessor, hosts, contact), host, port, allow_hosts, messages()["notice"]["text"], "#sample" if show else None)


def run(make_app: Callable[[frozenset[str]], FastAPI], host: str, port: int, allow_hosts: Sequence[str], notice: str, show: str | None) -> None:
    """Serve an application until interrupted.

    Parameters
    ----------
    make_app : makes it from the host names that requests may be addressed to.
    notice : said on standard error once the page can be opened.
    show : what to add to the address when opening it in the browser; None opens none.

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
    app = make_app(hosts)
    # No log of requests: addresses may hold what somebody typed into the address line.
    config = uvicorn.Config(app, log_level=logging.WARNING, access_log=False, server_header=False, timeout_keep_alive=5, limit_concurrency=500)
    _Announcing(config, f"http://{'localhost' if host in _ANYWHERE else named}:{listening.getsockname()[1]}/", notice, show).run([listening])
