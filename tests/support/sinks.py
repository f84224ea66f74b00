"""Who messages are sent to in tests: a real HTTP server and a real mail server, which keep what they get."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class HttpSink:
    """Answers each POST with the next of ``answers``, and 200 when they are used up."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    location: str = "http://127.0.0.1:1/"
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"


@contextmanager
def http_sink(tls: ssl.SSLContext | None = None) -> Iterator[HttpSink]:
    """With ``tls`` it speaks nothing else."""
    sink = HttpSink(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.got.append((self.path, dict(self.headers.items()), body))
            status = sink.answers.pop(0) if sink.answers else 200
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", sink.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    server.handle_error = _let_go  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with _running(server):
        yield sink


@dataclass
class MailSink:
    """Keeps mails as (receivers, text); ``refuse`` is the code with which it answers to a mail's text, ``unknown`` a
    receiver that it does not take."""

    got: list[tuple[list[str], str]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    """Of each login, whether it came by TLS."""
    refuse: str = ""
    unknown: str = ""
    port: int = 0


class _Post(socketserver.StreamRequestHandler):
    """A mail server, as far as a client of one mail needs it."""

    sink: MailSink
    starttls: ssl.SSLContext | None
    tls: ssl.SSLContext | None

    def setup(self) -> None:
        if self.tls is not None:
            self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.say("220 sink")
        self.receivers: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line.upper().partition(" ")[0].partition(":")[0]
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say("250 ok")
            else:
                answer(line)
            if verb == "QUIT":
                return

    def on_ehlo(self, _: str) -> None:
        offers = ["sink", *(["STARTTLS"] if self.starttls is not None else []), "AUTH PLAIN"]
        for place, offer in enumerate(offers, start=1):
            self.say(f"250{' ' if place == len(offers) else '-'}{offer}")

    def on_starttls(self, _: str) -> None:
        assert self.starttls is not None
        self.say("220 go on")
        self.request = self.starttls.wrap_socket(self.request, server_side=True)
        super().setup()

    def on_auth(self, line: str) -> None:
        self.sink.logins.append(line)
        self.sink.secured.append(isinstance(self.request, ssl.SSLSocket))
        self.say("235 welcome")

    def on_rcpt(self, line: str) -> None:
        receiver = line.partition("<")[2].rstrip(">")
        if receiver == self.sink.unknown:
            return self.say("550 nobody of that name")
        self.receivers.append(receiver)
        return self.say("250 ok")

    def on_data(self, _: str) -> None:
        self.say("354 go on")
        text = ""
        while (part := self.rfile.readline().decode()) != ".\r\n":
            text += part
        if not self.sink.refuse:
            self.sink.got.append((self.receivers, text))
        self.say(f"{self.sink.refuse} no" if self.sink.refuse else "250 taken")

    def on_quit(self, _: str) -> None:
        self.say("221 bye")

    def finish(self) -> None:
        super().finish()
        self.request.close()  # the server closes what it accepted, which TLS has taken over


@contextmanager
def mail_sink(starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> Iterator[MailSink]:
    """With ``starttls`` it offers to go over to TLS, with ``tls`` it speaks nothing else."""
    sink = MailSink()
    handler = type("Handler", (_Post,), {"sink": sink, "starttls": starttls, "tls": tls})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = _let_go  # type: ignore[method-assign]
    sink.port = server.server_address[1]
    with _running(server):
        yield sink


def _let_go(*_: object) -> None:
    """A client that does not trust the certificate hangs up; that is no news."""


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
