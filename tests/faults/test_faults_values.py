"""Values at the edges: whatever a training logs comes back bit for bit, or is an error at once; the run goes on."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logbuch
from logbuch.errors import InvalidInput

EDGES = [0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 2.0**-1074, 1 / 3, 2.0**63]
INT64 = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(params=["server", "embedded"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGBUCH_QUIET", "1")
    monkeypatch.setenv("LOGBUCH_CAPTURE_GIT", "false")
    uri = request.getfixturevalue("shared_server").url if request.param == "server" else str(tmp_path / ".logbuch")
    logbuch.set_tracking_uri(uri)
    yield uri
    logbuch.sdk.connection.close_all()  # type: ignore[attr-defined]
    logbuch.set_tracking_uri("")


def bits(value: float) -> bytes:
    return b"nan" if math.isnan(value) else struct.pack("<d", value)


def test_numbers_come_back_bit_for_bit(place: str) -> None:
    with logbuch.start_run() as run:

        @settings(max_examples=25, deadline=None)
        @given(st.lists(st.tuples(st.floats() | st.sampled_from(EDGES), INT64), min_size=1, max_size=20))
        def log(points: list[tuple[float, int]]) -> None:
            seen.append(points)
            for value, step in points:
                logbuch.log_metric(f"k{len(seen)}", value, step=step)

        seen: list[list[tuple[float, int]]] = []
        log()
        for number, value in enumerate(EDGES):
            logbuch.log_metrics({f"e{number}": value, "wide": value}, step=number)
    client = logbuch.LogbuchClient()
    for number, points in enumerate(seen, start=1):
        found = client.get_metric_history(run.info.run_id, f"k{number}")
        wanted = {(step, bits(value)) for value, step in points}
        assert {(point.step, bits(point.value)) for point in found} == wanted
    wide = sorted(client.get_metric_history(run.info.run_id, "wide"), key=lambda point: point.step)
    assert [bits(point.value) for point in wide] == [bits(value) for value in EDGES]


def test_texts_come_back_or_are_refused_at_once(place: str) -> None:
    texts = ["", " ", "ü", "😀" * 100, "a\nb\tc", "'; DROP TABLE runs; --", "x" * 6000, "\u202e", "\x01"]
    with logbuch.start_run() as run:
        for number, text in enumerate(texts):
            logbuch.log_param(f"p{number}", text)
            logbuch.set_tag(f"t{number}", text)
        logbuch.set_tag("long", "y" * 2**20)  # cut, as MLflow cuts it
        for bad in ("nul\0", "\ud800"):
            with pytest.raises(InvalidInput, match="bad"):
                logbuch.log_param("bad", bad)
            with pytest.raises(InvalidInput, match="bad"):
                logbuch.set_tag("bad", bad)
        logbuch.log_text("z" * 2**20, "large.txt")
        logbuch.log_metric("after", 1.0)
    found = logbuch.get_run(run.info.run_id).data
    assert [found.params[f"p{number}"] for number in range(len(texts))] == texts
    assert [found.tags[f"t{number}"] for number in range(len(texts))] == texts
    assert found.tags["long"] == "y" * 8000
    assert not {"bad"} & (set(found.params) | set(found.tags))
    assert found.metrics == {"after": 1.0}
    assert logbuch.artifacts.load_text(f"runs:/{run.info.run_id}/large.txt") == "z" * 2**20  # type: ignore[attr-defined]


def test_wrong_use_names_call_and_value_and_the_run_goes_on(place: str) -> None:
    wrong: list[tuple[Any, str]] = [
        (lambda: logbuch.log_metric("loss", "high"), r"loss.*'high'|'high'.*loss"),  # type: ignore[arg-type]
        (lambda: logbuch.log_metric("loss", None), "loss.*None|None.*loss"),  # type: ignore[arg-type]
        (lambda: logbuch.log_metric("loss", [1.0]), r"loss.*\[1\.0\]|\[1\.0\].*loss"),  # type: ignore[arg-type]
        (lambda: logbuch.log_metric("lo$$", 1.0), r"lo\$\$"),
        (lambda: logbuch.log_metric("", 1.0), "empty"),
        (lambda: logbuch.log_metric("loss", 1.0, step="one"), "step.*'one'|'one'.*step"),  # type: ignore[arg-type]
        (lambda: logbuch.log_metric("loss", 1.0, step=2**70), "step"),
        (lambda: logbuch.log_metrics({"fine": 1.0, "loss": object()}), "loss"),  # type: ignore[dict-item]
        (lambda: logbuch.log_param("lr", 0.2), "lr.*0.1.*0.2"),
        (lambda: logbuch.log_params({"a/../b": 1}), r"a/\.\./b"),
        (lambda: logbuch.set_tag("t" * 300, 1), "300"),
        (lambda: logbuch.log_metric(["loss"], 1.0), r"metric key .*\['loss'\]"),  # type: ignore[arg-type]
        (lambda: logbuch.log_metrics(None), "metrics .* None"),  # type: ignore[arg-type]
        (lambda: logbuch.log_params([("a", 1)]), r"params .*\('a', 1\)"),  # type: ignore[arg-type]
        (lambda: logbuch.set_tags("a"), "tags .*'a'"),  # type: ignore[arg-type]
        (lambda: logbuch.log_text(None, "a.txt"), "log_text.*None"),  # type: ignore[arg-type]
        (lambda: logbuch.start_run(run_id=7, nested=True), "run_id.*7"),  # type: ignore[arg-type]
    ]
    with logbuch.start_run() as run:
        logbuch.log_param("lr", 0.1)
        for call, message in wrong:
            with pytest.raises(InvalidInput, match=message):
                call()
        logbuch.log_metric("loss", 0.5, step=1)
    found = logbuch.get_run(run.info.run_id)
    assert (found.data.metrics, found.data.params) == ({"loss": 0.5}, {"lr": "0.1"})
    assert found.info.status == "FINISHED"
