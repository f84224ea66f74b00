"""Webhooks in MLflow's form in the store, and how they go together with Logbuch's own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.registry import Caller
from logbuch.registryhooks import EXAMPLES, RegistryEvent, RegistryWebhook
from logbuch.server.delivery.courier import Courier
from logbuch.store import Store
from logbuch.store.delivery import outbox, registryhooks, webhooks
from logbuch.store.delivery.registryhooks import Wanted
from logbuch.webhooks import Event
from support.sinks import HttpSink, http_sink

ADA = Caller(user="ada")
SET = RegistryEvent.TAG_SET


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpSink]:
    with http_sink() as made:
        monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", f"127.0.0.1:{made.port}")
        monkeypatch.setenv("LOGBUCH_WEBHOOK_PRIVATE", "true")
        yield made


def hook(store: Store, url: str, *events: RegistryEvent, active: bool = True) -> RegistryWebhook:
    wanted = Wanted(name="one", url=url, events=events, secret="geheim", active=active)
    return store.write(registryhooks.create, wanted, ADA)


def say(store: Store) -> None:
    store.write(registryhooks.announce, SET, EXAMPLES[SET])


def test_only_active_ones_that_want_it_are_told(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url + "/set", SET)
    hook(store, sink.url + "/made", RegistryEvent.MODEL_CREATED)
    hook(store, sink.url + "/off", SET, active=False)
    say(store)
    assert Courier(store).turn() == 1
    ((path, _, body),) = sink.got
    told = json.loads(body)
    assert (path, told["entity"], told["action"], told["data"]) == (
        "/hook/set", "model_version_tag", "set", EXAMPLES[SET]
    )  # fmt: skip


def test_both_forms_are_listed_and_removed_by_either(store: Store, sink: HttpSink) -> None:
    own, _ = store.write(webhooks.create, sink.url, (), "", "info", "", ADA)
    theirs = hook(store, sink.url, SET)
    assert [one.webhook_id for one in store.read(webhooks.listed)] == [own.webhook_id, theirs.webhook_id]
    assert store.read(webhooks.listed)[1].events == (SET,)
    assert store.read(registryhooks.listed, 10, "") == ([theirs], None)
    with pytest.raises(NotFound):
        store.read(registryhooks.get, own.webhook_id)
    with pytest.raises(InvalidInput, match="MLflow's form"):
        store.write(webhooks.try_out, theirs.webhook_id)
    store.write(webhooks.remove, theirs.webhook_id)
    assert store.read(registryhooks.listed, 10, "") == ([], None)


def test_an_own_event_of_the_same_name_is_not_told_twice(store: Store, sink: HttpSink) -> None:
    hook(store, sink.url, RegistryEvent.VERSION_CREATED)
    store.write(outbox.announce, Event.VERSION_CREATED, {"model_version": {}})
    assert Courier(store).turn() == 0


def test_what_waits_for_one_that_is_disabled_is_dropped(store: Store, sink: HttpSink) -> None:
    made = hook(store, sink.url, SET)
    say(store)
    changed = store.write(registryhooks.change, made.webhook_id, Wanted(active=False))
    assert not changed.active
    assert Courier(store).turn() == 0
    (dropped,) = store.read(outbox.listed)
    assert (dropped.state, dropped.error) == ("failed", "The webhook was disabled.")
    store.write(registryhooks.change, made.webhook_id, Wanted(active=True))
    say(store)
    assert Courier(store).turn() == 1


def test_a_change_leaves_the_rest(store: Store, sink: HttpSink) -> None:
    made = hook(store, sink.url, SET)
    changed = store.write(registryhooks.change, made.webhook_id, Wanted(description="new", secret=""))
    assert (changed.name, changed.url, changed.events, changed.active) == ("one", sink.url, (SET,), True)
    assert changed.description == "new"
    say(store)
    Courier(store).turn()
    ((_, headers, _),) = sink.got
    assert "X-MLflow-Signature" not in headers


def test_a_trial_is_sent_by_who_asked_for_it_alone(store: Store, sink: HttpSink) -> None:
    made = hook(store, sink.url, SET)
    parcel = store.write(registryhooks.trial, made.webhook_id, None)
    assert (parcel.event, parcel.url, parcel.kind, parcel.attempts) == (SET, sink.url, "mlflow", 1)
    assert Courier(store).turn() == 0
    store.write(outbox.settle, parcel, "The answer was 500", again=False)
    (noted,) = store.read(outbox.listed)
    assert (noted.state, noted.error) == ("failed", "The answer was 500")


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(name=" ", url="http://a/", events=(SET,)),
        Wanted(name="n" * (limits.WEBHOOK_NAME_LENGTH + 1), url="http://a/", events=(SET,)),
        Wanted(name="a\0b", url="http://a/", events=(SET,)),
        Wanted(name="one", url="http://a/", events=()),
        Wanted(name="one", url="http://a/", events=(SET,), secret="s" * (limits.WEBHOOK_SECRET_LENGTH + 1)),
    ],
)
def test_bad_ones_are_refused(store: Store, wanted: Wanted) -> None:
    with pytest.raises(InvalidInput):
        store.write(registryhooks.create, wanted, ADA)
    assert store.read(registryhooks.listed, 10, "") == ([], None)
