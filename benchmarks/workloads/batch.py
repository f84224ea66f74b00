"""Many points a request: long stretches of few keys, and wide steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from benchmarks import disk, history, load
from benchmarks.encoders import Encoder, NativeIngest, encoders
from benchmarks.figures import Figures
from benchmarks.generator import Block, dense
from benchmarks.load import Connection
from benchmarks.meter import Meter
from benchmarks.servers import Server
from benchmarks.sizes import Sizes

SHAPES = ((20, 50), (1000, 1), (1500, 1))
"""Keys and steps of a request; of the last, MLflow's protocol makes two."""

LARGER = ((20, 500), (20, 2500), (20, 15_000), (1000, 10), (1000, 300))
"""Requests of Logbuch's own protocol alone, not bound to 1,000 points. The SDK ships some 300,000 at once of a loop
that logs as fast as it can, and of a backlog (docs/decisions/0033)."""


def measure(server: Server, sizes: Sizes) -> Figures:
    """Each shape by each protocol that the server reads, with the bytes on disk that the points come to."""
    figures: Figures = {}
    work: list[tuple[tuple[int, int], type[Encoder]]] = list(itertools.product(SHAPES, encoders(server)))
    if NativeIngest in encoders(server):
        work += [(shape, NativeIngest) for shape in LARGER if math.prod(shape) <= sizes.batch_points]
    for (keys, steps), encoder in work:
        if server.kind == "mlflow" and keys > 1000:
            continue  # for it no other work than the shape before, and it is slow to read back
        blocks = max(2, sizes.points_for(server.kind) // (sizes.lanes * keys * steps))
        figures |= _measure(server, sizes, encoder, keys, steps, blocks, first=not figures)
    return figures


def _measure(
    server: Server, sizes: Sizes, encoder: type[Encoder], keys: int, steps: int, blocks: int, *, first: bool
) -> Figures:
    client = server.client
    sent = [
        [dense(run_id, lane, number * steps, steps, keys) for number in range(blocks)]
        for lane, run_id in enumerate(client.new_run("0") for _ in range(sizes.lanes))
    ]
    bodies = [_encoded(encoder(), lane) for lane in sent]
    before = server.disk()
    name = f"{encoder.name} {keys}×{steps}"
    with Meter(server, sizes.quiet_seconds, name) as spent:
        post(server, encoder(), [iter(lane) for lane in bodies])
    after = server.disk()
    for lane in sent:
        history.verify_blocks(client, lane)
    points = sizes.lanes * blocks * keys * steps
    return {
        f"{name}, points/s": points / spent.seconds,
        f"{name}, points/CPU-s": points / spent.cpu,
        **(disk.grown_by if first else disk.used_by)(name, before, after, points),
    }


def _encoded(encoder: Encoder, blocks: list[Block]) -> list[bytes]:
    return [body for block in blocks for body in encoder.bodies(block)]


def post(server: Server, encoder: Encoder, bodies: list[Iterator[bytes]]) -> None:
    """Sends bodies that were or are being encoded, a connection for each iterator; every answer is checked."""

    async def work(connection: Connection, body: bytes) -> None:
        encoder.check(await connection.post(encoder.path, body, encoder.content_type))

    load.lanes(server.url, bodies, work)


def log(server: Server, encoder: type[Encoder], lanes: list[Iterator[Block]]) -> None:
    """Encodes and sends blocks as they come: for amounts that are not held in memory at once."""

    def encoded(own: Encoder, blocks: Iterator[Block]) -> Iterator[bytes]:
        for block in blocks:
            yield from own.bodies(block)

    post(server, encoder(), [encoded(encoder(), blocks) for blocks in lanes])
