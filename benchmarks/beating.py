"""What signs of life cost a server: ``python -m benchmarks.beating [RUNS [SECONDS]]``.

So many trainings that run, each a process of its own, give their signs, every one by a connection of its own as
clients do between two signs. Told is the CPU time of the server in cores, idle and with them, and how many changes the
live stream of an open page brings meanwhile: none, for a sign changes nothing that is shown.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid

import httpx

from benchmarks import servers
from benchmarks.servers import Server
from logbuch.store import heartbeats, open_store, runs
from logbuch.store.runs import NewRun
from logbuch.store.tx import Tx

BEAT = "/api/logbuch/1/heartbeat"
PERIOD_SECONDS = 15.0
REST_SECONDS = 5.0


def begin(server: Server, count: int) -> list[str]:
    """Runs, each held by a journal, whose IDs are returned."""
    journals = [uuid.uuid4().hex for _ in range(count)]

    def fill(tx: Tx) -> None:
        for journal in journals:
            made = runs.create(tx, NewRun(experiment_id="0", run_id=uuid.uuid4().hex))
            heartbeats.hold(tx, runs.row(tx, made.info.run_id), journal)

    store = open_store(f"sqlite:///{server.sqlite_file}", seal=False)
    try:
        store.write(fill)
    finally:
        store.close()
    return journals


async def beat(server: Server, journals: list[str], seconds: float) -> int:
    """Gives the signs, spread over each period; the number of answers."""
    answered, end, slot = 0, time.monotonic() + seconds, PERIOD_SECONDS / len(journals)
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, timeout=30) as client:
        due, number = time.monotonic(), 0
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            answer = await client.post(BEAT, json={"journal": journals[number % len(journals)]})
            answered += answer.status_code == httpx.codes.OK
            number, due = number + 1, due + slot
    return answered


async def listen(server: Server, counts: list[int]) -> None:
    """Counts the changes that the live stream brings, in the first of ``counts``."""
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=None) as client,
        client.stream("GET", "/api/logbuch/1/live") as stream,
    ):
        async for line in stream.aiter_lines():
            counts[0] += line == "event: changes"


async def measure(server: Server, count: int, seconds: float) -> dict[str, float]:
    """CPU time of the server at rest, with that many runs at rest, and with their signs of life."""
    journals = await asyncio.to_thread(begin, server, count)
    await asyncio.sleep(REST_SECONDS)
    idle = await _cores(server, asyncio.sleep(seconds / 3), seconds / 3)
    changes = [0]
    listening = asyncio.create_task(listen(server, changes))
    await asyncio.sleep(REST_SECONDS)
    beating = asyncio.create_task(beat(server, journals, seconds))
    busy = await _cores(server, beating, seconds)
    listening.cancel()
    lost = (await asyncio.to_thread(_search, server.url, "attributes.status = 'LOST'")) if count else 0
    return {
        "runs": count,
        "signs": await beating,
        "cores_idle": round(idle, 4),
        "cores_with_signs": round(busy, 4),
        "changes": changes[0],
        "lost": lost,
    }


async def _cores(server: Server, work: object, seconds: float) -> float:
    before = server.processes.cpu_seconds()
    await work  # type: ignore[misc]
    return (server.processes.cpu_seconds() - before) / seconds


def _search(url: str, condition: str) -> int:
    body = {"experiment_ids": ["0"], "filter": condition, "max_results": 50_000}
    answer = httpx.post(f"{url}/api/2.0/mlflow/runs/search", json=body, timeout=60)
    return len(answer.json().get("runs", []))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    with servers.logbuch_sqlite() as server:
        print(json.dumps(asyncio.run(measure(server, count, seconds)), indent=2))


if __name__ == "__main__":
    main()
