"""Mail about alerts, through the mail server of the settings. However slowly it answers, it is cut off in the end."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from logbuch import settings
from logbuch.alerts import Alert, Level, parse_level
from logbuch.errors import InvalidInput
from logbuch.server.delivery.webhook import SendFailed
from logbuch.store.delivery.outbox import Parcel

SECONDS, ALL_SECONDS = 15.0, 60.0
"""For each part of an answer, and for all of a mail once the mail server is reached."""
_SERVER = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_FINAL = 500
"""From here on a mail server's code means: never."""


class _Told(msgspec.Struct):
    alert: Alert


def level() -> Level | None:
    """From which level on alerts are mailed; None where the settings name no mail server or no receiver. InvalidInput
    for settings that cannot be."""
    if not settings.SMTP_SERVER.get() or not receivers():
        return None
    _place()
    return parse_level(settings.MAIL_LEVEL.get() or "")


def receivers() -> list[str]:
    return [name.strip() for name in (settings.MAIL_TO.get() or "").split(",") if name.strip()]


def send(parcel: Parcel) -> None:
    """Mails an alert. SendFailed where the mail server did not take it."""
    try:
        host, port, security = _place()
        message = compose(parcel, host)
        with _connect(host, port, security) as server:
            if settings.SMTP_USERNAME.get():
                server.login(settings.SMTP_USERNAME.get() or "", settings.SMTP_PASSWORD.get() or "")
            refused = server.send_message(message)
    except InvalidInput as error:
        raise SendFailed(error.message, again=False) from None
    except smtplib.SMTPResponseException as error:
        # What the server says to a login may repeat what it was given.
        code = f"answered {error.smtp_code}" if error.smtp_code > 0 else "did not end its answer, or speaks no SMTP"
        raise SendFailed(f"The mail server {code}", again=error.smtp_code < _FINAL) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise SendFailed(f"The mail server refused {', '.join(error.recipients)}", again=False) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise SendFailed(f"The mail server cannot be reached: {error}") from None
    if refused:  # the others have it, so it is not sent again
        raise SendFailed(f"The mail server refused {', '.join(refused)}", again=False)


def compose(parcel: Parcel, host: str) -> EmailMessage:
    """The mail that tells of an alert."""
    alert = msgspec.json.decode(parcel.body, type=_Told).alert
    moment = _moment(alert.time, parcel.creation_time)
    domain = f"[IPv6:{host}]" if ":" in host else host
    message = EmailMessage()
    message["Subject"] = " ".join(f"[Logbuch] {alert.level}: {alert.title} ({alert.run_name})".split())
    message["From"] = settings.MAIL_FROM.get() or f"logbuch@{domain}"
    message["To"] = ", ".join(receivers())
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<logbuch-{parcel.id}-{parcel.creation_time}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [alert.title, "", alert.text, "", f"Run {alert.run_name} ({alert.run_id}), {moment:%Y-%m-%d %H:%M:%S} UTC"]
    base = (settings.PUBLIC_URL.get() or "").rstrip("/")
    if base:
        lines.append(f"{base}/e/{alert.experiment_id}/runs/{alert.run_id}")
    message.set_content("\n".join(lines))
    return message


def _moment(time: int, otherwise: int) -> datetime:
    """When an alert happened; by a clock beyond the calendar, when the message was written."""
    try:
        return datetime.fromtimestamp(time / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(otherwise / 1000, UTC)


def _place() -> tuple[str, int, str]:
    security = settings.SMTP_SECURITY.get() or ""
    if security not in _PORTS:
        raise InvalidInput(f"Invalid value {security!r} for the setting smtp_security: it is starttls, tls or none.")
    text = settings.SMTP_SERVER.get() or ""
    found = _SERVER.fullmatch(text)
    port = int(found["port"] or _PORTS[security]) if found else 0
    if found is None or not 0 < port < 65_536:
        raise InvalidInput(
            f"Invalid value {text!r} for the setting smtp_server: it is HOST or HOST:PORT, an IPv6 address in brackets."
        )
    return found["host"] or found["address"], port, security


class _Timed(smtplib.SMTP):
    """A connection that ends after a time, though every part of what the mail server says comes quickly enough."""

    _timer: threading.Timer | None = None
    _handle: socket.socket | None = None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        # Another handle of the same connection: TLS takes the first one over, and closes it by itself.
        self._handle = made.dup()
        self._timer = threading.Timer(ALL_SECONDS, _cut, [self._handle])
        self._timer.daemon = True
        self._timer.start()
        return made

    def close(self) -> None:
        super().close()
        if self._timer is not None and self._handle is not None:
            self._timer.cancel()
            self._handle.close()


class _TimedTls(smtplib.SMTP_SSL, _Timed):
    """The same, with TLS from its first byte."""


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def _connect(host: str, port: int, security: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if security == "tls":
        return _TimedTls(host, port, timeout=SECONDS, context=context)
    server = _Timed(host, port, timeout=SECONDS)
    if security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
