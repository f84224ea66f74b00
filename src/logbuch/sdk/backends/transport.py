"""HTTP to a tracking server: kept-alive connections, credentials, TLS, retries, and answers turned into errors."""

from __future__ import annotations

import contextlib
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from logbuch import settings
from logbuch.errors import (
    BY_CODE,
    EndpointNotFound,
    InvalidFilter,
    InvalidInput,
    LogbuchError,
    PermissionDenied,
    TooLarge,
    Unavailable,
)
from logbuch.sdk.backends import codec
from logbuch.sdk.notes import say
from logbuch.sdk.recording import capture
from logbuch.version import __version__

ANSWER_SECONDS = 4.0
"""How long a call tries to reach a server that does not answer."""
QUICK_SECONDS = 3.2
"""How long a small question may take in all. With the flush before it, its caller waits five seconds at most."""
NEW_SECONDS = 4.5
"""How long making something may take: no flush comes before, and it cannot be repeated."""
SLOW_SECONDS = 60.0
"""How long searches and whole histories may take, of a server that is there."""
HEARD_SECONDS = 2.0
"""For so long after an answer a server counts as being there."""
HASTY_SECONDS = 2.0
"""How long any question may take that is asked soon after nobody has answered."""
SILENCE_SECONDS = 30.0
"""For how long calls are hasty after that, unless something answers."""
CHUNK_BYTES = 1024 * 1024
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 2.0
_BUSY = frozenset({429, 502, 503, 504})
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Transport:
    """Requests to one server. ``client`` is given by tests; its base URL is ignored."""

    def __init__(self, uri: str, client: httpx.Client | None = None) -> None:
        self.uri, user_info = _split_credentials(uri)
        self._client = client or _new_client(self.uri, _auth(user_info))
        self._patience = settings.REQUEST_TIMEOUT.number()
        self._retries = int(settings.MAX_RETRIES.number())
        self._silent_until = 0.0
        self._heard = -HEARD_SECONDS

    @property
    def silent(self) -> bool:
        """Whether nobody answered a moment ago."""
        return time.monotonic() < self._silent_until

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        seconds: float = QUICK_SECONDS,
        hasty: bool = True,
    ) -> dict[str, Any]:
        """One JSON call that takes so many ``seconds`` at most. Without ``repeatable`` it is sent again only if the
        server cannot have seen it; a ``hasty`` one gives up soon when nobody answered just before."""
        headers = {"Content-Type": "application/json"} if body is not None else None
        content = codec.encode(body) if body is not None else None

        def attempt(timeout: httpx.Timeout) -> httpx.Response:
            return self._client.request(
                method, self.uri + path, params=query, content=content, headers=headers, timeout=timeout
            )

        if hasty and seconds > NEW_SECONDS:
            self._look_whether_it_is_there()
        limit = min(self._patience, HASTY_SECONDS if hasty and self.silent else seconds)
        deadline = time.monotonic() + limit
        return self._json(self._persist(lambda: attempt(_within(deadline)), repeatable, limit))

    def send(self, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> dict[str, Any]:
        """POSTs bytes that may be sent again, for a thread that has time."""

        def attempt(timeout: httpx.Timeout) -> httpx.Response:
            return self._client.post(self.uri + path, content=body, headers=headers, timeout=timeout)

        limit = min(self._patience, seconds)
        deadline = time.monotonic() + limit
        return self._json(self._persist(lambda: attempt(_within(deadline)), True, limit))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A JSON call about a transfer, which may take its time and may be sent again."""
        return self.call("POST", path, body=body, seconds=self._patience, hasty=False)

    def put(self, path: str, content: Callable[[], Iterator[bytes]], headers: Mapping[str, str]) -> None:
        """PUTs what ``content`` gives, anew for each attempt."""

        def attempt(timeout: httpx.Timeout) -> httpx.Response:
            return self._client.put(self.uri + path, content=content(), headers=headers, timeout=timeout)

        self._persist(lambda: attempt(_timeout(self._patience)), True, self._patience)

    def put_past(self, url: str, content: bytes) -> str:
        """PUTs to another server, which gets no credentials of this one; its ETag. Unavailable if that fails."""
        try:
            answer = httpx.put(url, content=content, timeout=_timeout(self._patience), verify=_tls(url))
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable(f"The object store did not take a part: {type(error).__name__}") from error
        return str(answer.headers.get("etag", ""))

    def download(self, path: str) -> Iterator[bytes]:
        """GETs a file; errors of the answer are raised before the first chunk. A transfer that is cut goes on there."""
        self._look_whether_it_is_there()
        limit = min(self._patience, HASTY_SECONDS if self.silent else SLOW_SECONDS)
        return self._stream(path, self._get_file(path, {}, limit), limit)

    def _get_file(self, path: str, headers: Mapping[str, str], limit: float) -> httpx.Response:
        def attempt() -> httpx.Response:
            request = self._client.build_request("GET", self.uri + path, headers=headers, timeout=_timeout(limit))
            response = self._client.send(request, stream=True)
            if response.is_error:
                response.read()
            return response

        return self._persist(attempt, True, limit)

    def health(self, seconds: float) -> httpx.Response:
        """What the server answers when asked whether it is there, whatever that is. Raises httpx.HTTPError."""
        return self._client.get(f"{self.uri}/health", timeout=seconds)

    def close(self) -> None:
        self._client.close()

    def _look_whether_it_is_there(self) -> None:
        """What may take a server long is not asked of one that says nothing at all: that is found out soon."""
        if time.monotonic() - self._heard < HEARD_SECONDS:
            return
        limit = min(self._patience, HASTY_SECONDS if self.silent else QUICK_SECONDS)
        deadline = time.monotonic() + limit
        with contextlib.suppress(LogbuchError):  # any answer will do
            self._persist(lambda: self._client.get(f"{self.uri}/health", timeout=_within(deadline)), True, limit)
        if time.monotonic() - self._heard >= HEARD_SECONDS:
            raise self._silent(httpx.ReadTimeout("it did not answer in time"))

    # -- one call, several attempts ------------------------------------------------------------------------------------

    def _persist(self, attempt: Callable[[], httpx.Response], repeatable: bool, limit: float) -> httpx.Response:
        deadline, delay = time.monotonic() + min(limit, ANSWER_SECONDS), _FIRST_DELAY
        for left in range(self._retries, -1, -1):
            answered = False
            try:
                return self._checked(attempt())
            except _NEVER_SENT as error:
                failure = self._silent(error)
            except httpx.HTTPError as error:
                failure = self._silent(error)
                if not repeatable:
                    self._note_silence(limit)
                    raise failure from error
            except Unavailable as error:
                failure, answered = error, True
                if not repeatable:
                    raise
            if left == 0 or time.monotonic() + delay > deadline:
                break
            time.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  spreads clients, guards nothing
            delay = min(delay * 2, _LONGEST_DELAY)
        if not answered:
            self._note_silence(limit)
        raise failure

    def _note_silence(self, limit: float) -> None:
        """From now on calls are hasty. A hasty call itself proves nothing: the server may only be slow."""
        if limit > HASTY_SECONDS:
            self._silent_until = time.monotonic() + SILENCE_SECONDS

    def _silent(self, error: httpx.HTTPError) -> Unavailable:
        reason = str(error) or type(error).__name__
        return Unavailable(f"No answer from the tracking server {self.uri}: {reason}")

    def _checked(self, response: httpx.Response) -> httpx.Response:
        self._silent_until, self._heard = 0.0, time.monotonic()
        if response.is_success:
            return response
        if response.is_redirect:
            raise LogbuchError(
                f"The server {self.uri} redirects to {response.headers.get('location')}: use that address instead."
            )
        raise self._error(response)

    def _json(self, response: httpx.Response) -> dict[str, Any]:
        try:
            body = codec.decode(response.content) if response.content else {}
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise LogbuchError(f"{self.uri} is no tracking server: it answered with something that is no JSON object.")
        return body

    def _stream(self, path: str, response: httpx.Response, limit: float) -> Iterator[bytes]:
        mark, done, left = response.headers.get("etag", ""), 0, self._retries
        while True:
            try:
                for chunk in response.iter_bytes(CHUNK_BYTES):
                    done += len(chunk)
                    yield chunk
                return
            except httpx.HTTPError as error:
                left -= 1
                if left < 0 or not mark.startswith('"'):
                    raise self._silent(error) from error
                failure = self._silent(error)
            finally:
                response.close()
            response = self._get_file(path, {"Range": f"bytes={done}-", "If-Range": mark}, limit)
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                response.close()
                raise failure  # it is another file now, or a server that gives no ranges

    def _error(self, response: httpx.Response) -> LogbuchError:
        status, body = response.status_code, _error_body(response)
        code, message = body.get("error_code"), body.get("message")
        if not message:
            message = f"The server {self.uri} answered {status} {response.reason_phrase} to {response.request.url.path}"
            message += credentials_hint(response)
        if status in _BUSY:
            return Unavailable(message)
        if status in (401, 403):
            return PermissionDenied(message)
        if status == 413:
            return TooLarge(message)
        if "position" in body:
            return InvalidFilter(message, position=int(body["position"]), length=int(body.get("length", 1)))
        if code is None and status == 404:
            return EndpointNotFound(message)
        kind = BY_CODE.get(str(code), InvalidInput if 400 <= status < 500 else LogbuchError)
        return kind(message)


def _timeout(patience: float) -> httpx.Timeout:
    """For transfers: each part of them may take so long."""
    connect = min(patience, ANSWER_SECONDS - 1)
    return httpx.Timeout(patience, connect=connect, pool=connect)


def _within(deadline: float) -> httpx.Timeout:
    """For calls: connecting and waiting for the answer together end before the deadline."""
    left = max(0.2, deadline - time.monotonic())
    connect = min(left * 0.3, ANSWER_SECONDS - 1)
    return httpx.Timeout(left - connect, connect=connect, pool=connect)


def _error_body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = codec.decode(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def credentials_hint(response: httpx.Response) -> str:
    """What to do about a 401, mostly of a proxy before the server; nothing for any other answer."""
    if response.status_code != httpx.codes.UNAUTHORIZED:
        return ""
    ways = "LOGBUCH_TRACKING_USERNAME and LOGBUCH_TRACKING_PASSWORD, or LOGBUCH_TRACKING_TOKEN"
    given = "authorization" in response.request.headers
    return f": it does not take the credentials given, see {ways}" if given else f": it wants credentials, set {ways}"


def bare(uri: str) -> str:
    """A server's address without credentials."""
    return _split_credentials(uri)[0]


def _split_credentials(uri: str) -> tuple[str, tuple[str, str] | None]:
    """The URI without ``user:password@`` and without a trailing slash, and what was cut out."""
    parts = urlsplit(uri)
    if not parts.hostname:
        raise InvalidInput(f"{uri!r} is no address of a tracking server: it names no host.")
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    return bare, (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def _auth(user_info: tuple[str, str] | None) -> dict[str, Any]:
    user = settings.TRACKING_USERNAME.get()
    if user_info is None and user:
        user_info = (user, settings.TRACKING_PASSWORD.get() or "")
    if user_info is not None:
        return {"auth": user_info}
    token = settings.TRACKING_TOKEN.get()
    return {"headers": {"Authorization": f"Bearer {token}"}} if token else {}


def _new_client(uri: str, auth: Mapping[str, Any]) -> httpx.Client:
    headers = {"User-Agent": f"logbuch-python/{__version__}", "X-Logbuch-User": quote(capture.user(), safe="")}
    headers |= auth.get("headers", {})
    host = urlsplit(uri).hostname or ""
    options: dict[str, Any] = {
        "headers": headers,
        "auth": auth.get("auth"),
        "verify": _tls(uri),
        "limits": httpx.Limits(max_connections=10, keepalive_expiry=4),
        # No proxy leads to a server on this machine, whatever the environment says for all addresses.
        "mounts": {f"all://{f'[{host}]' if ':' in host else host}": None} if _is_loopback(host) else None,
    }
    try:
        return httpx.Client(**options)
    except (ImportError, ValueError, httpx.InvalidURL) as error:  # no training ends for a variable meant for others
        say(f"logbuch: a proxy that the environment names cannot be used, so {uri} is reached without one: {error}")
        return httpx.Client(**options, trust_env=False)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(uri: str) -> ssl.SSLContext | bool:
    # Without TLS there is nothing to verify, and loading the certificates of all authorities takes long.
    if uri.startswith("http://"):
        return False
    if settings.INSECURE_TLS.flag():
        context = ssl._create_unverified_context()  # noqa: S323  the user asked for it by name
    else:
        context = ssl.create_default_context(cafile=settings.SERVER_CERT_PATH.get())
    certificate = settings.CLIENT_CERT_PATH.get()
    if certificate:
        context.load_cert_chain(certificate)
    return context
