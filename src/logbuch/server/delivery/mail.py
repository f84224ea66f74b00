"""Mail about alerts, through the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from logbuch import settings
from logbuch.alerts import Alert, Level, parse_level
from logbuch.errors import InvalidInput
from logbuch.server.delivery.webhook import SendFailed
from logbuch.store.delivery.outbox import Parcel

SECONDS = 15.0
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
            server.send_message(message)
    except InvalidInput as error:
        raise SendFailed(error.message, again=False) from None
    except smtplib.SMTPResponseException as error:
        # What the server says to a login may repeat what it was given.
        raise SendFailed(f"The mail server answered {error.smtp_code}", again=error.smtp_code < _FINAL) from None
    except smtplib.SMTPRecipientsRefused as error:
        raise SendFailed(f"The mail server refused {', '.join(error.recipients)}", again=False) from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise SendFailed(f"The mail server cannot be reached: {error}") from None


def compose(parcel: Parcel, host: str) -> EmailMessage:
    """The mail that tells of an alert."""
    alert = msgspec.json.decode(parcel.body, type=_Told).alert
    moment = datetime.fromtimestamp(alert.time / 1000, UTC)
    message = EmailMessage()
    message["Subject"] = " ".join(f"[Logbuch] {alert.level}: {alert.title} ({alert.run_name})".split())
    message["From"] = settings.MAIL_FROM.get() or f"logbuch@{host}"
    message["To"] = ", ".join(receivers())
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<logbuch-{parcel.id}-{parcel.creation_time}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    lines = [alert.title, "", alert.text, "", f"Run {alert.run_name} ({alert.run_id}), {moment:%Y-%m-%d %H:%M:%S} UTC"]
    base = (settings.PUBLIC_URL.get() or "").rstrip("/")
    if base:
        lines.append(f"{base}/e/{alert.experiment_id}/runs/{alert.run_id}")
    message.set_content("\n".join(lines))
    return message


def _place() -> tuple[str, int, str]:
    security = settings.SMTP_SECURITY.get() or ""
    if security not in _PORTS:
        raise InvalidInput(f"Invalid value {security!r} for the setting smtp_security: it is starttls, tls or none.")
    host, _, port = (settings.SMTP_SERVER.get() or "").partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise InvalidInput(f"Invalid port {port!r} in the setting smtp_server.")
    return host, int(port) if port else _PORTS[security], security


def _connect(host: str, port: int, security: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    if security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
