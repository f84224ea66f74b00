"""Webhooks: who is told of what by HTTP, and which addresses they may have."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from logbuch import limits
from logbuch.errors import FeatureDisabled, InvalidInput
from logbuch.model import Noun

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.\-]{0,251}[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*")
_TEXT = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
"""Printable ASCII without spaces and backslashes."""


class Kind(StrEnum):
    """Of destinations: a webhook of Logbuch's own, one in MLflow's form, and mail."""

    WEBHOOK = "webhook"
    MLFLOW = "mlflow"
    MAIL = "mail"


class Event(StrEnum):
    """What a webhook can be told."""

    ALERT = "alert"
    VERSION_CREATED = "model_version.created"
    STAGE_CHANGED = "model_version.stage_changed"
    ALIAS_SET = "model_version.alias_set"
    TEST = "test"


EVENTS: tuple[Event, ...] = tuple(event for event in Event if event is not Event.TEST)
"""Those that can be chosen."""


class Webhook(Noun, frozen=True, kw_only=True):
    """An address that is told of events; of alerts, those of an experiment (null: of all) from a level on. One that
    an MLflow client made has events of :class:`logbuch.registryhooks.RegistryEvent`.

    The query of its address, in which many receivers want a token, is not shown. Its secret,
    with which messages are signed, is shown once, when it is made.
    """

    webhook_id: str
    url: str
    events: tuple[str, ...]
    experiment_id: str | None
    level: str
    created_by: str
    creation_time: int


class Delivery(Noun, frozen=True, kw_only=True):
    """A message to a webhook, or by mail where ``webhook_id`` is null: ``state`` is waiting, delivered or failed; the
    error is that of the last attempt."""

    delivery_id: str
    webhook_id: str | None
    event: str
    state: str
    attempts: int
    creation_time: int
    next_time: int | None
    error: str


class Address(NamedTuple):
    """Where a webhook goes; ``path`` holds its query too."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def header(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"


def masked(url: str) -> str:
    """The address of a webhook as it is shown: without what its query says."""
    head, mark, query = url.partition("?")
    return f"{head}?…" if mark and query else head


def address(url: str, allowed: str | None) -> Address:
    """The parts of a webhook's address. ``allowed`` names hosts, separated by commas, each with or without a port;
    without one its usual port is meant. FeatureDisabled where no host is allowed; InvalidInput for an address that is
    none, or of another host."""
    if not (allowed or "").strip():
        raise FeatureDisabled("Webhooks are off: the setting webhook_hosts names no host that they may be sent to.")
    found = _parsed(url)
    if not any(_permits(entry.strip().lower(), found) for entry in (allowed or "").split(",")):
        raise InvalidInput(f"Webhooks may not be sent to {found.header!r}: the setting webhook_hosts does not name it.")
    return found


def _parsed(url: str) -> Address:
    limits.check_text(url, "url", limits.WEBHOOK_URL_LENGTH)
    problem = InvalidInput(
        f"Invalid value {limits.clip(url)!r} for parameter 'url': it must be like https://host/path."
    )
    if not _TEXT.fullmatch(url):
        raise problem
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise problem from None
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or "@" in parts.netloc or parts.fragment or port == 0:
        raise problem
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", host, port or _PORTS[parts.scheme], path)


def _permits(entry: str, found: Address) -> bool:
    usual = found.port == _PORTS["https" if found.secure else "http"]
    bracketed = f"[{found.host}]" if ":" in found.host else found.host
    return entry == f"{bracketed}:{found.port}" or (usual and entry in (found.host, bracketed))
