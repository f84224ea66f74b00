"""Console output on both databases: numbered once, paged both ways, searched, capped with a count."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from sqlalchemy import func, select

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.store import Store, journals, logs, runs, schema
from logbuch.store.logs import Origin
from logbuch.store.runs import NewRun
from logbuch.store.tx import LogLines
from logbuch.wire import ingest, intake

START = 1_760_000_000_000


@pytest.fixture
def run(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0", run_id="r1")).info.run_id


def write(store: Store, run_id: str, *texts: str, stream: str = "stdout", source: str = "", **more: Any) -> None:
    times = [START + number for number in range(len(texts))]
    store.write(logs.append, run_id, LogLines(source, stream, times, list(texts), **more))


def texts(
    store: Store, run_id: str, after: int | None = 0, before: int | None = None, limit: int = 10_000
) -> list[str]:
    return list(store.read(logs.page, run_id, after, before, limit).lines.texts)


def chunk_count(store: Store) -> int:
    return int(store.read(lambda tx: tx.execute(select(func.count()).select_from(schema.log_chunks)).scalar_one()))


def test_a_run_without_output_has_an_empty_log(store: Store, run: str) -> None:
    found = store.read(logs.page, run, None, None, 100)
    assert (found.head.total, found.head.first, found.head.open) == (0, 1, ())
    assert found.lines.texts == ()
    assert store.read(logs.find, run, "x", 0, 10, ignore_case=True).numbers == []


def test_lines_come_back_as_they_were_written(store: Store, run: str) -> None:
    odd = ["", "tab\there", "NUL \0 inside", "🚀 ümläut \x1b[31mred\x1b[0m", "x" * 30_000]
    write(store, run, *odd)
    write(store, run, "Traceback", stream="stderr", source="rank1")
    found = store.read(logs.page, run, None, None, 100)
    assert list(found.lines.texts) == [*odd, "Traceback"]
    assert [found.lines.origins[index] for index in found.lines.origin] == [Origin("", "stdout")] * 5 + [
        Origin("rank1", "stderr")
    ]
    assert list(found.lines.times) == [START, START + 1, START + 2, START + 3, START + 4, START]
    assert (found.lines.first, found.head.total) == (1, 6)


def test_many_small_writes_share_chunks_and_pages_go_both_ways(store: Store, run: str) -> None:
    for number in range(60):
        write(store, run, *(f"line {100 * number + place}" for place in range(1, 101)))
    assert chunk_count(store) == 12
    assert texts(store, run, None, limit=3) == ["line 5998", "line 5999", "line 6000"]
    assert texts(store, run, 3999, limit=3) == ["line 4000", "line 4001", "line 4002"]
    assert texts(store, run, None, 4002, limit=3) == ["line 3999", "line 4000", "line 4001"]
    assert texts(store, run, 6000) == []
    assert texts(store, run, None, 1) == []
    walked, after = [], 0
    while page := texts(store, run, after, limit=777):
        walked += page
        after += len(page)
    assert walked == [f"line {number}" for number in range(1, 6001)]


def test_one_large_write_is_cut_into_chunks(store: Store, run: str) -> None:
    write(store, run, *(f"{number:>99}" for number in range(9000)))
    assert chunk_count(store) > 5
    assert len(texts(store, run)) == 9000


def test_an_open_line_is_replaced_until_it_ends(store: Store, run: str) -> None:
    for share in (10, 50):
        write(store, run, open=f"{share}%", open_time=START + share, stream="stderr")
    found = store.read(logs.page, run, None, None, 10)
    assert [(line.stream, line.time, line.text) for line in found.head.open] == [("stderr", START + 50, "50%")]
    write(store, run, "100%", stream="stderr")
    found = store.read(logs.page, run, None, None, 10)
    assert (list(found.head.open), list(found.lines.texts)) == ([], ["100%"])


def test_the_oldest_lines_go_and_are_counted(store: Store, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHUNK_LINES", 10)
    monkeypatch.setattr(limits, "LOG_LINES", 100)
    for number in range(40):
        write(store, run, *(f"line {10 * number + place}" for place in range(1, 11)), dropped=1)
    found = store.read(logs.page, run, 0, None, 1000)
    assert (found.head.total, found.head.dropped) == (400, 40)
    assert 300 <= found.head.first <= 320
    assert found.lines.texts[0] == f"line {found.head.first}"
    assert found.lines.texts[-1] == "line 400"
    assert found.head.bytes == sum(len(text) + 1 for text in found.lines.texts)


def test_the_size_of_a_log_is_limited_too(store: Store, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(limits, "LOG_BYTES", 10_000)
    for number in range(50):
        write(store, run, f"{number} " + "x" * 990)
    found = store.read(logs.page, run, 0, None, 1000)
    assert found.head.bytes <= 10_000
    assert found.lines.texts[-1].startswith("49 ")
    assert len(found.lines.texts) == 50 - found.head.first + 1


def test_a_search_finds_text_whatever_its_colour(store: Store, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store, run, "Epoch 1", "loss is \x1b[31mN\x1b[1ma\x1b[0mN", "epoch 2", "%_.*")
    assert store.read(logs.find, run, "epoch", 0, 10, ignore_case=True).numbers == [1, 3]
    assert store.read(logs.find, run, "epoch", 0, 10, ignore_case=False).numbers == [3]
    assert store.read(logs.find, run, "NaN", 0, 10, ignore_case=False).numbers == [2]
    assert store.read(logs.find, run, "%_.*", 0, 10, ignore_case=False).texts == ["%_.*"]
    assert store.read(logs.find, run, ".", 0, 10, ignore_case=False).numbers == [4]
    first = store.read(logs.find, run, "epoch", 0, 1, ignore_case=True)
    assert (first.numbers, first.after) == ([1], 1)
    assert store.read(logs.find, run, "epoch", 1, 10, ignore_case=True) == ([3], ["epoch 2"], None)


def test_a_long_search_pauses_and_goes_on(store: Store, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CHUNK_LINES", 10)
    monkeypatch.setattr(logs, "SCAN_BYTES", 100)
    write(store, run, *["nothing here"] * 95, "needle")
    after, rounds, numbers = 0, 0, []
    while after is not None:
        found = store.read(logs.find, run, "needle", after, 10, ignore_case=True)
        numbers += found.numbers
        after, rounds = found.after, rounds + 1
    assert numbers == [96]
    assert rounds > 5


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (LogLines("", "stdout", [1], ["two\nlines"]), "line feed"),
        (LogLines("", "x" * 41, [1], ["a"]), "stream"),
        (LogLines("", "a\0b", [1], ["a"]), "stream"),
        (LogLines("y" * 41, "stdout", [1], ["a"]), "source"),
        (LogLines("", "stdout", [2**70], ["a"]), "64 bits"),
        (LogLines("", "stdout", [], [], dropped=-1), "dropped"),
    ],
)
def test_bad_lines_are_refused(store: Store, run: str, lines: LogLines, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        store.write(logs.append, run, lines)
    assert store.read(logs.page, run, 0, None, 10).head.total == 0


def test_a_log_needs_an_active_run(store: Store, run: str) -> None:
    with pytest.raises(NotFound):
        write(store, "none", "x")
    store.write(runs.delete, run)
    with pytest.raises(InvalidInput, match="deleted"):
        write(store, run, "x")


def test_a_batch_sent_twice_writes_its_lines_once(store: Store, run: str) -> None:
    records = [
        ingest.Log(run, "stdout", [START], ["one"]),
        ingest.Log(run, "stdout", [START, START], ["only one time"][:1]),
        ingest.Log("none", "stdout", [START], ["lost"]),
        ingest.Log(run, "stderr", [START], ["two"], "50%", START, 3, "rank0"),
    ]
    chain, entries = b"", []
    for record in records:
        raw = ingest.encode_record(record)
        chain = ingest.link(chain, raw)
        entries.append((1, chain, raw))
    body = ingest.encode_batch("0123456789abcdef" * 2, 1, b"", entries)
    for _ in range(2):
        receipt = store.write(journals.ingest, intake.decode(body))
        assert [refusal.sequence for refusal in receipt.refused] == [2, 3]
    found = store.read(logs.page, run, 0, None, 10)
    assert list(found.lines.texts) == ["one", "two"]
    assert (found.head.dropped, found.head.open[0].text, found.head.open[0].source) == (3, "50%", "rank0")


def test_the_log_goes_with_its_run(store: Store, run: str) -> None:
    write(store, run, "x")
    store.write(lambda tx: tx.change(schema.runs.delete()))
    assert chunk_count(store) == 0


def test_chunks_are_compressed(store: Store, run: str) -> None:
    write(store, run, *["the same line again and again"] * 3000)
    data = store.read(lambda tx: tx.execute(select(schema.log_chunks.c.data)).scalars().first())
    assert len(data) < 2000 < len(zlib.decompress(data))


def test_any_number_of_processes_may_write_to_one_log(store: Store, run: str) -> None:
    sources = [f"worker {number}" for number in range(600)]

    def at_once(tx: Any) -> None:
        for source in sources:
            logs.append(tx, run, LogLines(source, "stdout", [START], [f"of {source}"]))

    store.write(at_once)
    found = store.read(logs.page, run, 0, None, 1000)
    assert list(found.lines.texts) == [f"of {source}" for source in sources]
    assert [found.lines.origins[index].source for index in found.lines.origin] == sources
    write(store, run, "another", source="late")
    assert texts(store, run, 600) == ["another"]
