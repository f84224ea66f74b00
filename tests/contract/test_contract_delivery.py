"""Messages to webhooks and by mail: sent to real receivers, once, signed, again later where they were not taken."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email import message_from_string
from email.policy import default
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from logbuch.alerts import Alert, Level
from logbuch.errors import InvalidInput
from logbuch.model import Tag
from logbuch.registry import Caller
from logbuch.server.delivery import mail, webhook
from logbuch.server.delivery.courier import REST_SECONDS, SLOTS, Courier
from logbuch.server.delivery.webhook import SendFailed
from logbuch.store import Store, experiments, runs
from logbuch.store.alarms import alerts
from logbuch.store.delivery import outbox, webhooks
from logbuch.store.delivery.outbox import Parcel
from logbuch.store.delivery.tables import deliveries
from logbuch.store.registry import aliases, models, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.runs import NewRun
from logbuch.webhooks import Delivery, Event
from support.sinks import HttpSink, MailSink, http_sink, mail_sink

ADA = Caller(user="ada")


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def rest(self) -> None:
        """As if a destination that failed had rested."""
        self.now += REST_SECONDS


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpSink]:
    with http_sink() as made:
        monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", f"127.0.0.1:{made.port},hooks.test:{made.port}")
        monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "true")
        yield made


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailSink]:
    with mail_sink() as made:
        monkeypatch.setenv("LOGBUCH_SMTP_SERVER", f"127.0.0.1:{made.port}")
        monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", "none")
        monkeypatch.setenv("LOGBUCH_MAIL_TO", "ada@example.com, bob@example.com")
        monkeypatch.setenv("LOGBUCH_PUBLIC_URL", "https://logbuch.example.com/")
        yield made


def hook(store: Store, url: str, events: tuple[str, ...] = (), experiment: str = "", level: str = "info") -> str:
    return store.write(webhooks.create, url, events, experiment, level, "geheim", ADA)[0].webhook_id


def new_run(store: Store, experiment: str = "0") -> str:
    return store.write(runs.create, NewRun(experiment_id=experiment, run_name="lora-7", start_time=1)).info.run_id


def raise_alert(store: Store, run: str, title: str = "Loss", level: Level = Level.WARNING) -> None:
    store.write(alerts.put, run, 1_760_000_000_000, level, title, "It is 9.")


def state(store: Store) -> list[Delivery]:
    return list(store.read(outbox.listed))


def hasten(store: Store) -> None:
    """As if the time until the next attempt had passed."""
    due = deliveries.c.due.is_not(None)
    store.write(lambda tx: tx.change(update(deliveries).where(due).values(due=1)))


def test_a_webhook_is_told_once_and_signed(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url, ("alert",))
    run = new_run(store)
    raise_alert(store, run)
    courier = Courier(store)
    assert (courier.turn(), courier.turn()) == (1, 0)
    ((path, headers, body),) = sink.got
    told = json.loads(body)
    assert (path, told["event"], told["alert"]["run_id"], told["alert"]["title"]) == ("/hook", "alert", run, "Loss")
    signed = f"{headers['X-Logbuch-Timestamp']}.".encode() + body
    expected = hmac.new(b"geheim", signed, hashlib.sha256).hexdigest()
    assert headers["X-Logbuch-Signature"] == f"sha256={expected}"
    assert abs(int(headers["X-Logbuch-Timestamp"]) - time.time()) < 60
    (done,) = state(store)
    assert (done.state, done.attempts, done.next_time) == ("delivered", 1, None)
    assert headers["X-Logbuch-Delivery"] == done.delivery_id


def test_only_who_wants_it_is_told(store: Store, sink: HttpSink) -> None:
    other = store.write(experiments.create, "other")
    hook(store, sink.url + "/other", ("alert",), other)
    hook(store, sink.url + "/grave", ("alert",), "", "error")
    hook(store, sink.url + "/models", ("model_version.created",))
    raise_alert(store, new_run(store))
    assert Courier(store).turn() == 0
    raise_alert(store, new_run(store, other), level=Level.ERROR)
    assert Courier(store).turn() == 2
    assert sorted(path for path, _, _ in sink.got) == ["/hook/grave", "/hook/other"]


def test_model_versions_are_told_of(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url)
    run = new_run(store)
    store.write(models.create, "adapter", (Tag(key="a", value="b"),), "", ADA)
    store.write(versions.create, NewVersion(name="adapter", source=f"runs:/{run}/model", run_id=run), ADA)
    store.write(versions.transition, "adapter", "1", "Staging", by=ADA)
    store.write(aliases.set_alias, "adapter", "champion", "1", ADA)
    store.write(aliases.set_alias, "adapter", "champion", "1", ADA)  # changes nothing, and is not told
    courier = Courier(store)
    while courier.turn():
        pass
    told = sorted((json.loads(body) for _, _, body in sink.got), key=lambda one: str(one["event"]))
    assert [one["event"] for one in told] == [
        Event.ALIAS_SET, Event.VERSION_CREATED, Event.STAGE_CHANGED
    ]  # fmt: skip
    alias, created, stage = (one["model_version"] for one in told)
    assert (created["name"], created["version"], created["user"]) == ("adapter", "1", "ada")
    assert (stage["before"], stage["after"], alias["alias"], alias["after"]) == ("None", "Staging", "champion", "1")


def test_what_is_not_taken_is_sent_again_later(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url)
    sink.answers = [503, 429]
    raise_alert(store, new_run(store))
    clock = Time()
    courier = Courier(store, clock)
    before = time.time_ns() // 1_000_000
    assert (courier.turn(), courier.turn()) == (1, 0)
    (waiting,) = state(store)
    assert (waiting.state, waiting.error) == ("waiting", "The answer was 503")
    assert waiting.next_time is not None and waiting.next_time >= before + outbox.WAITS[0] * 1000
    for _ in range(2):
        hasten(store)
        clock.rest()
        courier.turn()
    (done,) = state(store)
    assert (done.state, done.attempts, done.error, len(sink.got)) == ("delivered", 3, "", 3)
    sink.answers = [500] * 99
    raise_alert(store, new_run(store))
    for _ in range(len(outbox.WAITS) + 1):
        assert state(store)[0].state == "waiting"
        hasten(store)
        clock.rest()
        assert courier.turn() == 1
    assert (state(store)[0].state, state(store)[0].attempts) == ("failed", len(outbox.WAITS) + 1)


def test_a_dead_receiver_holds_up_no_other_and_rests_as_a_whole(
    store: Store, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)  # accepts, and never answers
    port = silent.getsockname()[1]
    monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", f"127.0.0.1:{sink.port},127.0.0.1:{port}")
    for number in range(SLOTS - 1):
        hook(store, f"http://127.0.0.1:{port}/{number}", ("alert",))
    hook(store, sink.url, ("alert",))
    run = new_run(store)
    for number in range(20):
        raise_alert(store, run, f"title {number}")
    clock = Time()
    courier = Courier(store, clock)
    courier.start()
    try:
        deadline = time.monotonic() + 60
        while len(sink.got) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        # All came while the others, which take ten seconds, were at their first message, or rest after it.
        assert len(sink.got) == 20
        dead = [one for one in state(store) if one.webhook_id != str(SLOTS)]
        assert sum(one.attempts for one in dead) <= SLOTS - 1
    finally:
        silent.close()
        courier.close()


def test_a_destination_that_fails_rests_also_for_what_is_new(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url)
    sink.answers = [503]
    run, clock = new_run(store), Time()
    courier = Courier(store, clock)
    raise_alert(store, run, "first")
    assert courier.turn() == 1
    raise_alert(store, run, "second")
    assert courier.turn() == 0
    clock.now += outbox.WAITS[0]
    assert courier.turn() == 1
    assert [one.state for one in state(store)] == ["delivered", "waiting"]
    raise_alert(store, run, "third")  # it is well again
    assert courier.turn() == 1


def test_what_waited_too_long_for_a_destination_that_fails_is_given_up(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url)
    run = new_run(store)
    for number in range(3):
        raise_alert(store, run, f"title {number}")
    old = deliveries.c.id < 3
    store.write(lambda tx: tx.change(update(deliveries).where(old).values(creation_time=1)))
    sink.answers = [503]
    Courier(store).turn()
    assert [one.state for one in state(store)] == ["waiting", "failed", "failed"]
    assert {one.error for one in state(store)[1:]} == {"The answer was 503"}


def test_a_courier_is_started_once(store: Store) -> None:
    before, courier = set(threading.enumerate()), Courier(store)
    courier.start()
    try:
        with pytest.raises(RuntimeError, match="started before"):
            courier.start()
        new = [thread for thread in set(threading.enumerate()) - before if thread.name == "logbuch-courier"]
        assert len(new) == 1
    finally:
        courier.close()


@pytest.mark.parametrize("status", [302, 307, 400, 404, 410])
def test_redirects_and_refusals_are_final(store: Store, sink: HttpSink, status: int) -> None:
    with http_sink() as elsewhere:
        sink.answers, sink.location = [status], elsewhere.url
        hook(store, sink.url)
        raise_alert(store, new_run(store))
        Courier(store).turn()
        (failed,) = state(store)
        assert failed.state == "failed" and str(status) in failed.error
        assert elsewhere.got == []


def test_the_address_that_was_judged_is_the_one_that_is_used(
    store: Store, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, *rest: Any, **more: Any) -> Any:
        if host != "hooks.test":
            return real(host, *rest, **more)
        asked.append(host)
        # Whoever asks twice gets another answer the second time.
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "169.254.169.254", rest[0]))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    hook(store, f"http://hooks.test:{sink.port}/hook")
    raise_alert(store, new_run(store))
    Courier(store).turn()
    ((_, headers, _),) = sink.got
    assert (headers["Host"], len(asked)) == (f"hooks.test:{sink.port}", 1)


def test_private_addresses_get_nothing_unless_allowed(
    store: Store, sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(store, sink.url)
    monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "false")
    raise_alert(store, new_run(store))
    Courier(store).turn()
    (failed,) = state(store)
    assert (failed.state, sink.got) == ("failed", [])
    assert "no address of the internet" in failed.error
    monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "true")
    monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", "elsewhere.example")  # taken from the list meanwhile
    raise_alert(store, new_run(store))
    Courier(store).turn()
    assert (state(store)[0].state, sink.got) == ("failed", [])


@contextmanager
def trickling(head: bytes = b"") -> Iterator[int]:
    """A receiver of one connection that never ends what it says after a head; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(head)
                while not over.wait(0.05):
                    connection.sendall(b"X")

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with suppress(OSError):  # nobody may have come
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_receiver_that_trickles_is_cut_off(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ALL_SECONDS", 0.5)
    with trickling() as port:
        monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", f"127.0.0.1:{port}")
        monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "true")
        hook(store, f"http://127.0.0.1:{port}/")
        raise_alert(store, new_run(store))
        Courier(store).turn()
        (waiting,) = state(store)
        assert (waiting.state, waiting.attempts) == ("waiting", 1)
        assert "did not answer" in waiting.error


@pytest.mark.parametrize(("security", "head"), [("none", b""), ("starttls", b"220 "), ("tls", b"\x16\x03\x03\x3f\xff")])
def test_a_mail_server_that_trickles_is_cut_off(
    store: Store, post: MailSink, monkeypatch: pytest.MonkeyPatch, security: str, head: bytes
) -> None:
    monkeypatch.setattr(mail, "ALL_SECONDS", 0.5)
    monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", security)
    store.write(webhooks.mail, Level.INFO)
    with trickling(head) as port:
        monkeypatch.setenv("LOGBUCH_SMTP_SERVER", f"127.0.0.1:{port}")
        raise_alert(store, new_run(store))
        Courier(store).turn()
    (waiting,) = state(store)
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert "did not end its answer" in waiting.error or "cannot be reached" in waiting.error


def test_two_servers_send_a_message_once(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url)
    run = new_run(store)
    for number in range(6):
        raise_alert(store, run, f"title {number}")
    couriers = [Courier(store), Courier(store)]

    def work(courier: Courier) -> None:
        while courier.turn():
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, couriers))
    assert sorted(json.loads(body)["alert"]["title"] for _, _, body in sink.got) == [f"title {n}" for n in range(6)]


def test_secrets_are_shown_once(store: Store, sink: HttpSink) -> None:
    made, secret = store.write(webhooks.create, sink.url, (), "", "info", "", ADA)
    assert len(secret) >= 32
    assert secret not in repr(store.read(webhooks.listed)) and secret not in repr(made)
    raise_alert(store, new_run(store))
    Courier(store).turn()
    assert secret not in repr(state(store)) and secret.encode() not in sink.got[0][2]
    store.write(webhooks.remove, made.webhook_id)
    assert (store.read(webhooks.listed), state(store)) == ([], [])


def test_the_query_of_an_address_is_sent_but_not_shown(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url + "?token=geheimer")
    assert [one.url for one in store.read(webhooks.listed)] == [sink.url + "?…"]
    sink.answers = [410]
    raise_alert(store, new_run(store))
    Courier(store).turn()
    assert [path for path, _, _ in sink.got] == ["/hook?token=geheimer"]
    assert "geheimer" not in repr(state(store))


def test_alerts_are_mailed_from_their_level_on(store: Store, post: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_SMTP_USERNAME", "logbuch")
    monkeypatch.setenv("LOGBUCH_SMTP_PASSWORD", "geheim")
    courier = Courier(store)
    courier.start()
    courier.close()
    run = new_run(store)
    raise_alert(store, run, "quiet", Level.INFO)
    raise_alert(store, run, "Größer\tals 8", Level.ERROR)
    courier.turn()
    ((receivers, text),) = post.got
    told = message_from_string(text, policy=default)
    assert receivers == ["ada@example.com", "bob@example.com"]
    assert told["Subject"] == "[Logbuch] error: Größer als 8 (lora-7)"
    assert f"https://logbuch.example.com/e/0/runs/{run}" in told.get_content()
    assert len(post.logins) == 1
    assert [one.webhook_id for one in state(store)] == [None]
    monkeypatch.delenv("LOGBUCH_SMTP_SERVER")
    other = Courier(store)
    other.start()
    other.close()
    raise_alert(store, run, "nobody", Level.ERROR)
    assert other.turn() == 0


def test_mail_that_is_refused_is_said_without_the_password(
    store: Store, post: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(webhooks.mail, Level.INFO)
    post.refuse, clock = "451", Time()
    courier = Courier(store, clock)
    raise_alert(store, new_run(store))
    courier.turn()
    assert (state(store)[0].state, state(store)[0].error) == ("waiting", "The mail server answered 451")
    post.refuse = "554"
    hasten(store)
    clock.rest()
    courier.turn()
    assert (state(store)[0].state, state(store)[0].error) == ("failed", "The mail server answered 554")
    monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", "magic")
    raise_alert(store, new_run(store))
    courier.turn()
    assert "smtp_security" in state(store)[0].error


def test_a_receiver_whom_the_mail_server_does_not_take_is_said(store: Store, post: MailSink) -> None:
    store.write(webhooks.mail, Level.INFO)
    post.unknown = "bob@example.com"
    raise_alert(store, new_run(store))
    Courier(store).turn()
    (failed,) = state(store)
    assert (failed.state, failed.error) == ("failed", "The mail server refused bob@example.com")
    assert [receivers for receivers, _ in post.got] == [["ada@example.com"]]


@pytest.mark.parametrize("moment", [2**62, -(2**62)])
def test_an_alert_of_a_clock_beyond_the_calendar_is_mailed(store: Store, post: MailSink, moment: int) -> None:
    store.write(webhooks.mail, Level.INFO)
    store.write(alerts.put, new_run(store), moment, Level.ERROR, "Loss", "")
    Courier(store).turn()
    assert [one.state for one in state(store)] == ["delivered"]
    assert f"{time.gmtime().tm_year}" in message_from_string(post.got[0][1], policy=default)["Date"]


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [("[::1]:26", "::1", 26), ("[::1]", "::1", 25), ("mail.test", "mail.test", 25), ("10.0.0.1:27", "10.0.0.1", 27)],
)
def test_a_mail_server_is_named_by_host_and_port(
    monkeypatch: pytest.MonkeyPatch, server: str, host: str, port: int
) -> None:
    asked: list[Any] = []

    def connect(place: tuple[str, int], *_: Any, **__: Any) -> Any:
        asked.append(place)
        raise OSError("not here")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("LOGBUCH_SMTP_SERVER", server)
    monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", "none")
    monkeypatch.setenv("LOGBUCH_MAIL_TO", "ada@example.com")
    alert = Alert(
        alert_id="1", run_id="r", run_name="n", experiment_id="0", time=1, level=Level.ERROR, title="t", text=""
    )
    parcel = Parcel(1, 1, "alert", json.dumps({"alert": msgspec.to_builtins(alert)}), 1, "", "")
    with pytest.raises(SendFailed, match="not here"):
        mail.send(parcel)
    assert asked == [(host, port)]


@pytest.mark.parametrize("server", ["::1", "[::1", "mail.test:", "mail.test:0", "mail.test:70000", "a b", "a:b:1"])
def test_a_mail_server_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("LOGBUCH_SMTP_SERVER", server)
    monkeypatch.setenv("LOGBUCH_SMTP_SECURITY", "none")
    monkeypatch.setenv("LOGBUCH_MAIL_TO", "ada@example.com")
    with pytest.raises(InvalidInput, match="smtp_server"):
        mail.level()
