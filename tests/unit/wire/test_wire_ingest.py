"""The native ingest protocol: what was encoded comes out again, and whatever else comes in is no server error."""

from __future__ import annotations

import math
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch import limits
from logbuch.errors import BadRequest, InvalidInput, LogbuchError, TooLarge
from logbuch.model import DatasetInput, RunStatus
from logbuch.wire import ingest, intake

JOURNAL = "0123456789abcdef" * 2
RECORDS: list[Any] = [
    ingest.NewExperiment("lora", [("owner", "ada")]),
    ingest.NewRun("r1", "lora", "", "first", "ada", 5, [("a", "b")]),
    ingest.Attach("r1"),
    ingest.Hold("r1"),
    ingest.Params("r1", [("lr", "0.1")]),
    ingest.Tags("r1", [("phase", "sweep")]),
    ingest.DeleteTag("r1", "phase"),
    ingest.Inputs("r1", [ingest.UsedDataset("d", "1", "local", "{}", None, None, [("context", "train")])]),
    ingest.Update("r1", RunStatus.FINISHED, 9, "renamed"),
    ingest.DeleteRun("r1"),
    ingest.RestoreRun("r1"),
    ingest.Log("r1", "stderr", [7], ["oh"], "50%", 8, 2, "rank1"),
    ingest.histogram("r1", "w", 3, 7, [0, 1], [2], 0, 0),
    ingest.Alert("r1", 7, "error", "oh", "why"),
]


class Recorder:
    """A target that notes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))


def batch(*records: Any, first: int = 1, before: bytes = b"") -> bytes:
    chain, entries = before, []
    for record in records:
        raw = record if isinstance(record, bytes) else ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    return ingest.encode_batch(JOURNAL, first, before, entries)


def points(*rows: tuple[str, int, int, float]) -> ingest.Metrics:
    gathered = ingest.Points("r1")
    for row in rows:
        gathered.add(*row)
    return gathered.record()


def performed(body: bytes) -> list[tuple[Any, ...]]:
    target: Any = Recorder()
    for entry in intake.decode(body).entries:
        entry.perform(target)
    return list(target.calls)


def test_every_kind_of_record_calls_its_own_method() -> None:
    calls = performed(batch(*RECORDS, points(("loss", 1, 2, 0.5))))
    methods = (
        "experiment run attach hold params tags delete_tag inputs update delete restore log histogram alert metrics"
    )
    assert [call[0] for call in calls] == methods.split()
    assert {type_.__struct_config__.tag for type_ in map(type, [*RECORDS, points()])} == set(ingest.KINDS)
    assert calls[1][1:7] == ("r1", "lora", "", "first", "ada", 5)
    used = calls[7][2][0]
    assert isinstance(used, DatasetInput)
    assert (used.dataset.name, used.tags[0].value) == ("d", "train")
    assert calls[8][1:] == ("r1", RunStatus.FINISHED, 9, "renamed")


def test_entries_know_their_place_chain_run_and_locks() -> None:
    raw = [ingest.encode_record(record) for record in RECORDS[:3]]
    found = intake.decode(ingest.encode_batch(JOURNAL, 7, b"\1", [(1, b"\2", raw[0]), (5, b"\3", raw[1])]))
    assert (found.journal, found.before) == (JOURNAL, "01")
    assert [(entry.first, entry.last, entry.chain, entry.run_id) for entry in found.entries] == [
        (7, 7, "02", None),
        (8, 12, "03", "r1"),
    ]
    assert found.locks == {f"journal:{JOURNAL}", "experiment:lora", "r1"}


doubles = st.floats(allow_nan=True, allow_infinity=True, width=64)
whole = st.integers(limits.INT64_MIN, limits.INT64_MAX)


@given(st.lists(st.tuples(st.sampled_from(["loss", "acc", "ä/b"]), whole, whole, doubles), max_size=30), st.booleans())
def test_points_come_out_bit_for_bit(rows: list[tuple[str, int, int, float]], compressed: bool) -> None:
    body = batch(points(*rows))
    decoded = intake.decode(ingest.compress(body) if compressed else body, compressed=compressed)
    target: Any = Recorder()
    decoded.entries[0].perform(target)
    _, run_id, names, index, steps, timestamps, values = target.calls[0]
    assert run_id == "r1"
    assert all(column.dtype == kind and column.flags.aligned for column, kind in ((steps, "i8"), (values, "f8")))
    assert [names[place] for place in index] == [row[0] for row in rows]
    assert (steps.tolist(), timestamps.tolist()) == ([row[1] for row in rows], [row[2] for row in rows])
    assert values.tobytes() == struct.pack(f"{len(rows)}d", *(row[3] for row in rows))


def test_a_point_that_does_not_fit_leaves_the_columns_equal() -> None:
    gathered = ingest.Points("r1")
    gathered.add("loss", 1, 2, 3.0)
    for wrong in ((2**63, 1, 1.0), (1, 2**63, 1.0), (1, 1, "x")):
        with pytest.raises((OverflowError, TypeError)):
            gathered.add("loss", *wrong)  # type: ignore[arg-type]
    gathered.add("acc", 4, 5, 6.0)
    (call,) = performed(batch(gathered.record()))
    assert len(gathered) == 2
    assert [column.tolist() for column in call[3:]] == [[0, 1], [1, 4], [2, 5], [3.0, 6.0]]


def columns(names: list[str], index: bytes, steps: bytes, timestamps: bytes, values: bytes) -> bytes:
    return msgspec.msgpack.encode(["metrics", "r1", names, index, steps, timestamps, values])


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (columns(["a"], b"\0" * 4, b"\0" * 8, b"\0" * 8, b"\0" * 7), "'values' holds 7 bytes"),
        (columns(["a"], b"\0" * 4, b"\0" * 16, b"\0" * 8, b"\0" * 8), "equal lengths; they hold 1, 2, 1 and 1"),
        (columns(["a"], b"\1\0\0\0", b"\0" * 8, b"\0" * 8, b"\0" * 8), "'index' points to name 1; there are 1"),
        (columns(["a"], b"\xff" * 4, b"\0" * 8, b"\0" * 8, b"\0" * 8), "points to name 4294967295"),
        (columns([], b"\0" * 4, b"\0" * 8, b"\0" * 8, b"\0" * 8), "there are 0"),
        (columns(["a"] * 20_001, b"", b"", b"", b""), "length <= 20000"),
        (msgspec.msgpack.encode(["metrics", "r1", ["a"], "text", b"", b"", b""]), "cannot be read"),
        (msgspec.msgpack.encode(["params", "r1", [["a"]]]), "cannot be read"),
        (msgspec.msgpack.encode(["params", "r1", {"a": "b"}]), "cannot be read"),
        (msgspec.msgpack.encode(["update", "r1", "SLEEPING"]), "cannot be read"),
        (msgspec.msgpack.encode(["update", "r1"])[:-1] + b"\xff", "cannot be read"),
        (msgspec.msgpack.encode(["media", "r1", 1]), "'media'"),
        (msgspec.msgpack.encode({"kind": "params"}), "cannot be read"),
        (msgspec.msgpack.encode([]), "cannot be read"),
        (b"\x91\xa2\xed\xa0", "cannot be read"),
        (b"", "cannot be read"),
        (b"\xdd\xff\xff\xff\xff", "cannot be read"),
        (b"\x91" * 100_000 + b"\x01", "cannot be read"),
        (ingest.encode_record(ingest.Attach("r3")) + b"\0", "cannot be read"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused_alone(record: bytes, says: str) -> None:
    found = intake.decode(batch(ingest.Attach("r1"), record, ingest.Attach("r2")))
    target: Any = Recorder()
    found.entries[0].perform(target)
    with pytest.raises(InvalidInput, match=says):
        found.entries[1].perform(target)
    found.entries[2].perform(target)
    assert target.calls == [("attach", "r1"), ("attach", "r2")]


def test_an_unreadable_record_still_names_its_run() -> None:
    found = intake.decode(
        batch(msgspec.msgpack.encode(["media", "r7", 1]), msgspec.msgpack.encode(["experiment", "x", 3]))
    )
    assert [entry.run_id for entry in found.entries] == ["r7", None]


def test_a_batch_nested_too_deeply_is_no_recursion() -> None:
    with pytest.raises(BadRequest, match="nested too deeply"):
        intake.decode(b"\x92\x01" + b"\x91" * 100_000 + b"\x01")


ATTACH = ingest.encode_record(ingest.Attach("r"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xdd\xff\xff\xff\xff",
        b"\x95\x01",
        b"{}",
        msgspec.msgpack.encode({"version": 1}),
        msgspec.msgpack.encode(["1"]),
        ingest.encode_batch(JOURNAL, 1, b"", []),
        ingest.encode_batch(JOURNAL, 0, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, -1, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 2**63, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"", [(0, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"", [(2**63, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"x" * 33, [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"", [(1, b"x" * 33, ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"", [(1, b"", ATTACH)] * (limits.INGEST_RECORDS + 1)),
        ingest.encode_batch(JOURNAL.upper(), 1, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL + "\n", 1, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch("", 1, b"", [(1, b"", ATTACH)]),
        ingest.encode_batch(JOURNAL, 1, b"", [(1, b"", ATTACH)]) + b"\0",
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(BadRequest, match="no batch"):
        intake.decode(body)


@pytest.mark.parametrize("version", [0, 2, -1, 2**64 - 1])
def test_another_version_is_named_whatever_follows_it(version: int) -> None:
    with pytest.raises(BadRequest, match=f"Version {version} .* but 1"):
        intake.decode(ingest.encode_batch(JOURNAL, 1, b"", [(1, b"", ATTACH)], version=version))
    with pytest.raises(BadRequest, match=f"Version {version} "):
        intake.decode(msgspec.msgpack.encode([version, {"quite": "different"}]))


def test_gzip_is_one_whole_stream_within_the_limit() -> None:
    body = batch(*RECORDS)
    packed = ingest.compress(body)
    assert intake.decode(packed, compressed=True).locks == intake.decode(body).locks
    for wrong in (b"", body, packed[:-1], packed + b"x", packed + packed, zlib.compress(body)):
        with pytest.raises(BadRequest, match="not compressed with gzip"):
            intake.decode(wrong, compressed=True)
    with pytest.raises(TooLarge):
        intake.decode(ingest.compress(bytes(limits.INGEST_BODY_BYTES + 1)), compressed=True)


def harmless(body: bytes, *, compressed: bool = False) -> None:
    """Decoding and performing raise nothing but errors of ours, none of them the server's fault."""
    target: Any = Recorder()
    try:
        found = intake.decode(body, compressed=compressed)
    except LogbuchError as error:
        assert error.http_status < 500
        return
    for entry in found.entries:
        try:
            entry.perform(target)
        except LogbuchError as error:
            assert error.http_status < 500
    for call in target.calls:
        if call[0] == "metrics":
            _, _, names, index, steps, timestamps, values = call
            assert len(index) == len(steps) == len(timestamps) == len(values)
            assert not len(index) or int(np.max(index)) < len(names)


@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_are_harmless(body: bytes, compressed: bool) -> None:
    harmless(body, compressed=compressed)
    harmless(b"\x95\x01\xd9\x20" + JOURNAL.encode() + body)


WHOLE = batch(*RECORDS, points(("loss", 1, 2, 0.5), ("acc", 3, 4, 5.0)))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_batch_with_other_bytes_is_harmless(changes: list[tuple[int, int]]) -> None:
    body = bytearray(WHOLE)
    for place, value in changes:
        body[place] = value
    harmless(bytes(body))


@pytest.mark.parametrize("packed", [False, True])
def test_a_batch_cut_anywhere_is_refused(packed: bool) -> None:
    body = ingest.compress(WHOLE) if packed else WHOLE
    for end in range(len(body)):
        with pytest.raises(BadRequest):
            intake.decode(body[:end], compressed=packed)


texts = st.text(max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | texts | st.binary(max_size=24),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(ingest.KINDS), st.lists(anything, max_size=8))
def test_records_of_any_shape_are_harmless(kind: str, fields: list[Any]) -> None:
    harmless(batch(msgspec.msgpack.encode([kind, *fields])))
    harmless(msgspec.msgpack.encode([1, JOURNAL, *fields]))


def test_the_chain_depends_on_every_entry_and_on_their_order() -> None:
    one, two = ingest.link(b"", b"a"), ingest.link(b"", b"b")
    assert len({one, two, ingest.link(one, b"b"), ingest.link(two, b"a"), ingest.link(b"", b"ab")}) == 5
    assert len(one) <= ingest.CHAIN_BYTES


def test_the_sending_side_costs_no_numpy() -> None:
    code = "import sys, logbuch.wire.ingest; print([name for name in ('numpy', 'sqlalchemy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "ingest.md").read_text(encoding="utf-8")


def test_the_pages_example_is_what_the_encoder_makes() -> None:
    dump = re.search(r"```\n(95 .*?)```", PAGE, re.DOTALL)
    assert dump is not None
    shown = bytes.fromhex("".join(re.match(r" *((?:[0-9a-f]{2}(?: |$))*)", line)[1] for line in dump[1].splitlines()))  # type: ignore[index]
    record = points(
        ("loss", 1, 1760000000000, 0.5), ("acc", 1, 1760000000000, 0.75), ("loss", 2, 1760000001000, math.nan)
    )
    raw = ingest.encode_record(record)
    assert shown == ingest.encode_batch(JOURNAL, 1, b"", [(3, ingest.link(b"", raw), raw)])


def test_the_page_names_every_kind_and_the_limits() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \| (?:run_id|name) str", PAGE, re.MULTILINE) == list(ingest.KINDS)
    for number in (limits.INGEST_RECORDS, limits.INGEST_KEYS, limits.INGEST_JOURNALS, limits.REFUSALS_PER_PAGE):
        assert f"{number:,}" in PAGE
    assert f"{limits.INGEST_BODY_BYTES // 1024**2} MiB" in PAGE
