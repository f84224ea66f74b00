"""Webhooks and mail by TLS, with certificates made for the test: who is not trusted, or is another, gets nothing."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import trustme

from logbuch.alerts import Alert, Level
from logbuch.server.delivery import mail, webhook
from logbuch.server.delivery.webhook import SendFailed
from logbuch.store.delivery.outbox import Parcel
from support.sinks import HttpSink, MailSink, http_sink, mail_sink

HERE = "127.0.0.1"
ALERT = Alert(
    alert_id="1", run_id="a" * 32, run_name="lora-7", experiment_id="0", time=1_760_000_000_000, level=Level.ERROR,
    title="Loss", text="It is 9.",
)  # fmt: skip
Serving = Callable[[str], ssl.SSLContext]


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Makes a server's side for a name; this machine trusts who has signed its certificate."""
    authority = trustme.CA()
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return lambda name: _side_of(authority, name)


def _side_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def parcel(url: str = "") -> Parcel:
    body = msgspec.json.encode({"alert": ALERT}).decode()
    return Parcel(7, 0, "alert", body, 1, url, "geheim")


def post_to(sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", f"{HERE}:{sink.port}")
    monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "true")
    webhook.send(parcel(sink.url))


def mail_to(sink: MailSink, security: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_SMTP_SERVER", f"{HERE}:{sink.port}")
    monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", security)
    monkeypatch.setenv("LOGBUCH_SMTP_USERNAME", "logbuch")
    monkeypatch.setenv("LOGBUCH_SMTP_PASSWORD", "geheim")
    monkeypatch.setenv("LOGBUCH_MAIL_TO", "ada@example.com")
    mail.send(parcel())


def test_a_webhook_is_told_by_tls(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_sink(serving(HERE)) as sink:
        post_to(sink, monkeypatch)
        ((path, headers, body),) = sink.got
    assert path == "/hook"
    moment = int(headers["X-Logbuch-Timestamp"])
    assert headers["X-Logbuch-Signature"] == webhook.signature("geheim", moment, body)


@pytest.mark.parametrize("wrong", ["a stranger", "another name"])
def test_a_webhook_whose_certificate_is_not_good_gets_nothing(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    side = _side_of(trustme.CA(), HERE) if wrong == "a stranger" else serving("hooks.example.com")
    with http_sink(side) as sink:
        with pytest.raises(SendFailed, match="certificate verify failed") as said:
            post_to(sink, monkeypatch)
        assert said.value.again
        assert not sink.got


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_and_its_password_go_by_tls(serving: Serving, monkeypatch: pytest.MonkeyPatch, security: str) -> None:
    side = {security: serving(HERE)}
    with mail_sink(**side) as sink:
        mail_to(sink, security, monkeypatch)
        ((receivers, text),) = sink.got
    assert receivers == ["ada@example.com"]
    assert "[Logbuch] error: Loss (lora-7)" in text
    assert sink.secured == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_server_that_is_not_trusted_hears_no_password(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    assert serving
    side = {security: _side_of(trustme.CA(), HERE)}
    with mail_sink(**side) as sink:
        with pytest.raises(SendFailed, match="certificate verify failed"):
            mail_to(sink, security, monkeypatch)
        assert (sink.got, sink.logins) == ([], [])


def test_a_mail_server_without_starttls_hears_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_sink() as sink:
        with pytest.raises(SendFailed, match="STARTTLS"):
            mail_to(sink, "starttls", monkeypatch)
        assert (sink.got, sink.logins) == ([], [])
