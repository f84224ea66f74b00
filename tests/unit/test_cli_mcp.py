"""``logbuch mcp``, asked by the protocol's own client: over stdio and over HTTP, of runs in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

import logbuch
from logbuch.agents.server import LOOPBACK

READING = {
    "list_experiments", "search_runs", "get_run", "best_run", "param_importance", "diff_runs", "check_run",
    "metric_history",
}  # fmt: skip
WRITING = {"set_tag", "set_note", "rename_run", "set_baseline"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two finished runs in the store of a folder; the second has a spike and a NaN."""
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", str(tmp_path / "store"))
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    logbuch.set_experiment("agents")
    return [_train(0.1, [3.0, 2.0, 1.0]), _train(0.2, [3.0, 50.0, float("nan")])]


def _train(lr: float, losses: list[float]) -> str:
    with logbuch.start_run(run_name=f"lr {lr}") as run:
        logbuch.log_params({"lr": lr, "long": "x" * 5000})
        for step, loss in enumerate(losses):
            logbuch.log_metric("loss", loss, step=step)
    logbuch.flush()
    return str(run.info.run_id)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "logbuch", "mcp", *arguments]


def _over_stdio(*arguments: str) -> StdioServerParameters:
    command, *rest = _command(*arguments)
    return StdioServerParameters(command=command, args=rest, env=dict(os.environ))


@contextmanager
def _over_http() -> Iterator[str]:
    """Starts the server on a free port and gives its address, as it says it."""
    with subprocess.Popen(_command("--http", "--port", "0"), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            address = next(word for line in process.stderr for word in line.split() if word.startswith("http://127"))
            yield address
        finally:
            process.terminate()


async def _ask(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    (said,) = answer.content
    assert isinstance(said, TextContent)
    return said.text if answer.is_error else json.loads(said.text)


def test_an_agent_reads_over_stdio(runs: list[str]) -> None:
    good, bad = runs

    async def talk() -> None:
        async with Client(_over_stdio()) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == READING
            assert all(tool.annotations and tool.annotations.read_only_hint and tool.description for tool in tools)
            listed = await _ask(client, "list_experiments")
            assert "agents" in [one["name"] for one in listed["experiments"]]
            found = await _ask(client, "search_runs", experiment="agents", filter="params.lr = '0.2'")
            assert [run["run_id"] for run in found["runs"]] == [bad]
            assert found["runs"][0]["metrics"] == {"loss": "nan"}
            assert len(found["runs"][0]["params"]["long"]) == 2001
            detail = await _ask(client, "get_run", run_id=good)
            assert (detail["status"], detail["metrics"]["loss"]) == ("FINISHED", {"last": 1.0, "step": 2})
            assert len(detail["params"]["long"]) == 5000
            best = await _ask(client, "best_run", experiment="agents")
            assert (best["best"]["run_ids"], best["significant"]) == ([good], None)
            why = await _ask(client, "param_importance", experiment="agents")
            assert why["reason"] == "there are too few runs: 1, and at least 10 are needed"
            differ = await _ask(client, "diff_runs", run_ids=runs)
            assert ["lr", ["0.1", "0.2"]] in [[one["name"], one["values"]] for one in differ["differences"]]
            assert (await _ask(client, "check_run", run_id=good))["word"] == "short"
            (curve,) = (await _ask(client, "metric_history", run_ids=[bad], keys=["loss"]))["series"]
            assert curve["columns"]["max"] == [3.0, 50.0, None]
            assert (curve["points"], curve["nan"], curve["columns"]["x"]) == (3, 1, [0.0, 1.0, 2.0])

    anyio.run(talk)


def test_what_cannot_be_answered_is_told_in_a_line(runs: list[str]) -> None:
    async def talk() -> None:
        async with Client(_over_stdio()) as client:
            for tool, arguments, said in (
                ("search_runs", {"experiment": "nothing here"}, "nothing here"),
                ("search_runs", {"experiment": "agents", "filter": "params.lr ==== 1"}, "no operator"),
                ("search_runs", {"experiment": "agents", "limit": 0}, "'limit': 1 to 200"),
                ("get_run", {"run_id": "0" * 32}, "0" * 32),
                ("best_run", {"experiment": "agents", "metric": "never"}, "never"),
                ("best_run", {"experiment": "agents", "reading": "odd"}, "'reading'"),
                ("metric_history", {"run_ids": runs, "keys": ["loss"], "buckets": 0}, "'buckets': 1 to 500"),
                ("metric_history", {"run_ids": runs, "keys": ["loss"], "x": "moon"}, "moon"),
                ("set_tag", {"run_id": runs[0], "key": "a", "value": "b"}, "Unknown tool"),
            ):
                answer = await _ask(client, tool, **arguments)
                assert isinstance(answer, str), answer
                assert said in answer
                assert "Traceback" not in answer

    anyio.run(talk)
    assert "a" not in logbuch.get_run(runs[0]).data.tags


def test_it_changes_words_where_it_may(runs: list[str]) -> None:
    async def talk() -> None:
        async with Client(_over_stdio("--write")) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == READING | WRITING
            told = {tool.name: tool.annotations for tool in tools}
            assert all(hints and not hints.read_only_hint for name, hints in told.items() if name in WRITING)
            await _ask(client, "set_tag", run_id=runs[0], key="kind", value="good")
            await _ask(client, "set_note", run_id=runs[0], text="The one to keep.")
            await _ask(client, "rename_run", run_id=runs[0], name="keeper")
            pinned = await _ask(client, "set_baseline", experiment="agents", run_id=runs[0])
            assert pinned == {"tags": {"logbuch.baseline": runs[0]}}
            assert "0" * 32 in await _ask(client, "rename_run", run_id="0" * 32, name="x")

    anyio.run(talk)
    run = logbuch.get_run(runs[0])
    assert (run.info.run_name, run.data.tags["kind"]) == ("keeper", "good")
    assert run.data.tags["mlflow.note.content"] == "The one to keep."


def test_over_http_it_listens_on_this_machine_alone(runs: list[str]) -> None:
    async def talk(address: str) -> None:
        async with Client(address) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == READING
            assert (await _ask(client, "best_run", experiment="agents"))["best"]["run_ids"] == [runs[0]]

    with _over_http() as address:
        anyio.run(talk, address)


def test_over_http_other_ports_are_strangers_and_no_session_is_kept(runs: list[str]) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}

    def ask(address: str, **headers: str) -> httpx.Response:
        return httpx.post(address, json=hello, headers=accept | headers)

    with _over_http() as address:
        base = address.removesuffix("/mcp")
        port = int(base.rpartition(":")[2])
        other = port % 65_535 + 1
        answer = ask(address)
        assert (answer.status_code, answer.headers.get("Mcp-Session-Id")) == (200, None)
        for origin in (base, f"http://localhost:{port}"):
            assert ask(address, Origin=origin).status_code == 200
        for origin in (
            f"http://localhost:{other}",
            f"http://{LOOPBACK}:{other}",
            "http://localhost",
            "http://evil.example",
        ):
            assert ask(address, Origin=origin).status_code == 403, origin
        for host in (f"localhost:{other}", f"evil.example:{port}", LOOPBACK):
            assert ask(address, Host=host).status_code == 421, host


def test_without_the_package_one_line_says_what_to_install(tmp_path: Path) -> None:
    script = "import sys; sys.modules['mcp'] = None; from logbuch.cli.main import main; sys.argv[1:] = ['mcp']; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "logbuch mcp needs the package mcp: pip install 'logbuch[mcp]'\n"
