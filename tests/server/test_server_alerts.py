"""Alerts over HTTP: rules judged by a real server, and what is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from logbuch.wire import ingest
from support.fresh import fresh
from support.servers import Server
from support.waiting import wait_until

__all__ = ["fresh"]
BASE = "/api/logbuch/1/alerts"


def call(server: Server, path: str, user: str = "", **body: Any) -> httpx.Response:
    headers = {"X-Logbuch-User": user} if user else {}
    return httpx.post(server.url + BASE + path, json=body, headers=headers)


def listed(server: Server, **query: str) -> Any:
    return httpx.get(server.url + BASE, params=query).json()


def new_experiment(server: Server, name: str) -> str:
    return str(server.post("experiments/create", {"name": name}).json()["experiment_id"])


def test_a_server_judges_runs_by_the_rules(shared_server: Server) -> None:
    experiment = new_experiment(shared_server, "watched")
    rule = call(shared_server, "/rules/create", "ada", experiment_id=experiment, condition="loss NaN").json()["rule"]
    assert (rule["condition"], rule["created_by"], rule["level"]) == ("loss is nan", "ada", "warning")
    run_id = shared_server.new_run(experiment)
    point = {"run_id": run_id, "key": "loss", "value": "NaN", "timestamp": 1, "step": 3}
    assert shared_server.post("runs/log-metric", point).is_success
    found = wait_until(lambda: listed(shared_server, run_id=run_id), lambda answer: answer["alerts"], shared_server)
    (alert,) = found["alerts"]
    assert (alert["title"], alert["rule_id"], found["open"]) == ("loss is nan", rule["rule_id"], 1)
    assert alert["text"] == "loss was NaN, at the latest at step 3."
    assert call(shared_server, "/acknowledge", "bob", alert_ids=[alert["alert_id"]]).json() == {"acknowledged": 1}
    (seen,) = listed(shared_server, experiment_id=experiment)["alerts"]
    assert seen["acknowledged_by"] == "bob"
    assert listed(shared_server, experiment_id=experiment, open="true") == {
        "alerts": [], "open": 0, "next_page_token": None
    }  # fmt: skip
    assert call(shared_server, "/rules/delete", rule_id=rule["rule_id"]).is_success
    assert httpx.get(f"{shared_server.url}{BASE}/rules", params={"experiment_id": experiment}).json() == {"rules": []}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/acknowledge", {}, 400),
        ("/acknowledge", {"alert_ids": ["x"]}, 404),
        ("/acknowledge", {"alert_ids": ["1"] * 20_000}, 400),
        ("/rules/create", {"experiment_id": "0", "condition": "loss"}, 400),
        ("/rules/create", {"experiment_id": "0", "condition": "a" * 1000}, 400),
        ("/rules/create", {"experiment_id": "0", "condition": "run failed", "level": "x"}, 400),
        ("/rules/create", {"experiment_id": "9999999999", "condition": "run failed"}, 404),
        ("/rules/delete", {"rule_id": "-1"}, 404),
    ],
)
def test_what_is_wrong_is_refused(shared_server: Server, path: str, body: dict[str, Any], status: int) -> None:
    assert call(shared_server, path, **body).status_code == status


def test_bad_questions_are_refused(shared_server: Server) -> None:
    for query in ({"max_results": "0"}, {"page_token": "x"}, {"open": "maybe"}):
        answer = httpx.get(shared_server.url + BASE, params=query)
        assert answer.status_code in (400, 404), query


def test_a_record_of_a_level_that_is_none_is_set_aside_alone(shared_server: Server) -> None:
    run_id, journal = shared_server.new_run("0"), "ab" * 16
    chain, entries = b"", []
    for record in (ingest.Alert(run_id, 5, "loud", "no"), ingest.Alert(run_id, 6, "info", "yes", "text")):
        raw = ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    body = ingest.encode_batch(journal, 1, b"", entries)
    for _ in range(2):  # sent again it changes nothing
        answer = httpx.post(
            f"{shared_server.url}/api/logbuch/1/ingest", content=body, headers={"Content-Type": ingest.CONTENT_TYPE}
        ).json()
        assert [refused["sequence"] for refused in answer["refused"]] == [1]
    (alert,) = listed(shared_server, run_id=run_id)["alerts"]
    assert (alert["title"], alert["text"], alert["time"]) == ("yes", "text", 6)


def test_the_sdk_asks_a_server_too(shared_server: Server) -> None:
    import logbuch
    from logbuch.sdk import alerts

    logbuch.set_tracking_uri(shared_server.url)
    logbuch.set_experiment("alerts of a client")
    with logbuch.start_run() as run:
        logbuch.alert("look here")
    (found,) = alerts.list_alerts("alerts of a client", run.info.run_id, open_only=True)
    assert found.title == "look here"
    assert alerts.acknowledge([found.alert_id]) == 1
    rule = alerts.add_rule("run failed")
    assert alerts.list_rules() == [rule]
    alerts.remove_rule(rule.rule_id)
