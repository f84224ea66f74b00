"""Event files of TensorBoard and run files of W&B, written byte by byte: they can hold what no writer writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import crc32c

BLOCK = 32 * 1024


def varint(number: int) -> bytes:
    content = b""
    while number >= 128:
        content, number = content + bytes([number & 127 | 128]), number >> 7
    return content + bytes([number])


def whole(field: int, number: int) -> bytes:
    """A field that is a whole number."""
    return varint(field << 3) + varint(number)


def blob(field: int, content: bytes) -> bytes:
    """A field of bytes, which texts and messages are too."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def double(field: int, number: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", number)


# -- TensorBoard -------------------------------------------------------------------------------------------------------


def events(file: Path, *values: bytes) -> None:
    """An event file with an event a value, one a step."""
    file.parent.mkdir(parents=True)
    with file.open("wb") as content:
        for step, value in enumerate(values):
            event = double(1, 1_700_000_000.0 + step) + whole(2, step) + blob(5, blob(1, value))
            size = struct.pack("<Q", len(event))
            content.write(size + _masked(size) + event + _masked(event))


def _masked(content: bytes) -> bytes:
    check = crc32c.crc32c(content)
    return struct.pack("<I", ((check >> 15 | check << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def scalar(tag: str, number: float) -> bytes:
    return blob(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", number)


def tensor(tag: str, plugin: str, content: bytes) -> bytes:
    """A value that a plugin shows, of the fields of a tensor."""
    return blob(1, tag.encode()) + blob(9, blob(1, blob(1, plugin.encode()))) + blob(8, content)


# -- W&B ---------------------------------------------------------------------------------------------------------------


def wandb_run(folder: Path, id_: str, *records: bytes) -> Path:
    """The folder of a run of the project ``proj``; its file holds the head, then these records."""
    place = folder / f"offline-run-20260101_000000-{id_}"
    (place / "files").mkdir(parents=True)
    head = blob(17, blob(1, id_.encode()) + blob(3, b"proj") + blob(17, whole(1, 1_700_000_000)))
    content = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
    for record in (head, *records):
        content += _fragments(record, len(content))
    (place / f"run-{id_}.wandb").write_bytes(content)
    return place


def _fragments(record: bytes, at: int) -> bytes:
    content, rest, first = b"", record, True
    while first or rest:
        left = BLOCK - (at + len(content)) % BLOCK
        if left < 7:
            content += bytes(left)
            continue
        part, rest = rest[: left - 7], rest[left - 7 :]
        kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[first, not rest]
        content += struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
        first = False
    return content


def history(step: int, values: dict[str, str]) -> bytes:
    """A row of the history; the values are JSON."""
    items = b"".join(blob(1, blob(1, key.encode()) + blob(16, value.encode())) for key, value in values.items())
    return blob(2, items + blob(2, whole(1, step)))


def summary(path: Sequence[str], value: str) -> bytes:
    """A record that sets one value of the summary."""
    names = b"".join(blob(2, name.encode()) for name in path)
    return blob(3, blob(1, names + blob(16, value.encode())))
