"""Sending a webhook: one POST to the address that was judged, signed, without redirects; the answer's body is not read.

The signature is HMAC-SHA256 (RFC 2104) of the time, a full stop and the body, with the webhook's secret. A webhook in
MLflow's form is signed as MLflow 3 does: of the message's number, the time and the body, in base64, if it has a secret.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time

from logbuch import settings
from logbuch.errors import LogbuchError
from logbuch.server.delivery.addresses import AddressRefused, resolve
from logbuch.store.delivery.outbox import Parcel
from logbuch.version import __version__
from logbuch.webhooks import Address, Kind, address

CONNECT_SECONDS, ANSWER_SECONDS, ALL_SECONDS = 5.0, 10.0, 20.0
_AGAIN = frozenset({408, 425, 429})
"""Of the client errors, those that say: later."""


class SendFailed(Exception):
    """A message was not delivered; ``again`` says whether it may be at another time, ``status`` what was answered."""

    def __init__(self, message: str, *, again: bool = True, status: int | None = None) -> None:
        super().__init__(message)
        self.again, self.status = again, status


def send(parcel: Parcel, clock: float | None = None) -> int:
    """Sends a message to its webhook, and gives the status of the answer. SendFailed where it was not taken."""
    try:
        target = address(parcel.url, settings.WEBHOOK_HOSTS.get())
        place = resolve(target.host, target.port, private=settings.WEBHOOK_PRIVATE.flag())
    except LogbuchError as error:
        raise SendFailed(error.message, again=False) from None
    except AddressRefused as error:
        raise SendFailed(str(error), again=False) from None
    except (OSError, UnicodeError) as error:
        raise SendFailed(f"{target.host} is not known: {error}") from None
    status = _post(target, place, parcel.body.encode(), _headers(parcel, int(clock or time.time())))
    if not 200 <= status < 300:
        again = status >= 500 or status in _AGAIN
        said = f"The answer was {status}" + (" (a redirect)" if 300 <= status < 400 else "")
        raise SendFailed(said, again=again, status=status)
    return status


def signature(secret: str, moment: int, body: bytes) -> str:
    """What the header X-Logbuch-Signature says."""
    return "sha256=" + hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def mlflow_signature(parcel: Parcel, moment: int) -> str:
    """What the header X-MLflow-Signature says."""
    signed = f"{parcel.id}.{moment}.{parcel.body}".encode()
    return "v1," + base64.b64encode(hmac.digest(parcel.secret.encode(), signed, "sha256")).decode()


def _headers(parcel: Parcel, moment: int) -> dict[str, str]:
    common = {
        "Content-Type": "application/json",
        "User-Agent": f"logbuch/{__version__}",
        "Connection": "close",
    }
    return common | (_of_mlflow(parcel, moment) if parcel.kind == Kind.MLFLOW else _own(parcel, moment))


def _own(parcel: Parcel, moment: int) -> dict[str, str]:
    return {
        "X-Logbuch-Event": parcel.event,
        "X-Logbuch-Delivery": str(parcel.id),
        "X-Logbuch-Timestamp": str(moment),
        "X-Logbuch-Signature": signature(parcel.secret, moment, parcel.body.encode()),
    }


def _of_mlflow(parcel: Parcel, moment: int) -> dict[str, str]:
    named = {"X-MLflow-Delivery-Id": str(parcel.id), "X-MLflow-Timestamp": str(moment)}
    return named | ({"X-MLflow-Signature": mlflow_signature(parcel, moment)} if parcel.secret else {})


def _post(target: Address, place: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer. However slowly it trickles, it is cut off in the end."""
    try:
        with socket.create_connection((place, target.port), CONNECT_SECONDS) as raw:
            raw.settimeout(ANSWER_SECONDS)
            # The certificate is checked against the name, whatever address it led to.
            used = _secured(raw, target.host) if target.secure else raw
            end = threading.Timer(ALL_SECONDS, _cut, [used])
            end.daemon = True
            end.start()
            try:
                return _exchange(target, used, body, headers)
            finally:
                end.cancel()
                used.close()
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise SendFailed(f"{target.header} did not answer: {reason}") from None


def _secured(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)


def _exchange(target: Address, used: socket.socket, body: bytes, headers: dict[str, str]) -> int:
    if isinstance(used, ssl.SSLSocket):
        used.do_handshake()
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = used
    try:
        connection.request("POST", target.path, body, headers | {"Host": target.header})
        return connection.getresponse().status
    finally:
        connection.close()


def _cut(used: socket.socket) -> None:
    with contextlib.suppress(OSError):
        used.shutdown(socket.SHUT_RDWR)
