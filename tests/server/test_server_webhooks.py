"""Webhooks of a real server: off by default, managed by commands, told what happens."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from support.fresh import fresh
from support.servers import Server
from support.sinks import http_sink
from support.waiting import wait_until

__all__ = ["fresh"]
BASE = "/api/logbuch/1/webhooks"


def ask(server: Server, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["webhooks", *arguments, "--tracking-uri", server.url])


def test_they_are_off_until_hosts_are_named(shared_server: Server) -> None:
    answer = httpx.post(f"{shared_server.url}{BASE}/create", json={"url": "https://hooks.example.com/"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "FEATURE_DISABLED")
    for path in ("delete", "test"):
        assert httpx.post(f"{shared_server.url}{BASE}/{path}", json={"webhook_id": "7"}).status_code == 404
    assert httpx.get(f"{shared_server.url}{BASE}").json() == {"webhooks": []}
    assert httpx.get(f"{shared_server.url}{BASE}/deliveries", params={"webhook_id": "x"}).status_code == 404


def test_a_server_tells_a_webhook(make_server: Callable[..., Server]) -> None:
    with http_sink() as sink:
        hosts = {"LOGBUCH_WEBHOOK_HOSTS": f"127.0.0.1:{sink.port}", "LOGBUCH_WEBHOOK_PRIVATE": "true"}
        server = make_server(settings=hosts)
        refused = httpx.post(f"{server.url}{BASE}/create", json={"url": "http://127.0.0.1:1/"})
        assert refused.status_code == 400 and "webhook_hosts does not name" in refused.json()["message"]
        made = json.loads(ask(server, "add", sink.url, "--event", "model_version.created", "--json").output)
        number = made["webhook"]["webhook_id"]
        assert made["secret"] not in ask(server, "list").output
        assert "waits to be sent" in ask(server, "test", number).output
        created = server.post("registered-models/create", {"name": "adapter"})
        assert created.is_success
        run_id = server.new_run("0")
        version = {"name": "adapter", "source": f"runs:/{run_id}/model", "run_id": run_id}
        assert server.post("model-versions/create", version).is_success
        wait_until(lambda: sink.got, lambda got: len(got) >= 2, server)
        events = [headers["X-Logbuch-Event"] for _, headers, _ in sink.got]
        assert sorted(events) == ["model_version.created", "test"]
        shown = json.loads(ask(server, "deliveries", number, "--json").output)
        assert [one["event"] for one in shown] == ["model_version.created", "test"]
        assert ask(server, "remove", number).output == f"Removed webhook {number}.\n"
        assert ask(server, "list").output == "No webhooks.\n"
        assert ask(server, "deliveries").output == "No messages.\n"
