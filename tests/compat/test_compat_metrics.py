"""Metrics, bit for bit, as real MLflow clients write and read them."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from support.servers import Server

Seen = dict[str, Any]
POINTS, PAGE = 26_000, 25_000


@pytest.fixture(scope="module")
def seen(client: Any) -> Seen:
    told: Seen = client.seen("metrics.py", f"metrics{client.major}")
    return told


def bits(value: float) -> str:
    return struct.pack(">d", value).hex()


def test_values_come_back_bit_for_bit(seen: Seen) -> None:
    assert [value for _, _, value in seen["exact"]] == seen["sent"]
    assert [step for step, _, _ in seen["exact"]] == list(range(len(seen["sent"])))
    assert [timestamp for _, timestamp, _ in seen["exact"]] == list(range(1, len(seen["sent"]) + 1))


def test_values_that_are_no_numbers_survive_batches_and_latest(seen: Seen) -> None:
    wanted = {"nan": bits(math.nan), "inf": bits(math.inf), "-inf": bits(-math.inf), "-0": bits(-0.0)}
    assert seen["batch"] == wanted
    assert seen["latest"] == wanted


def test_the_server_says_nan_and_infinity_in_words(seen: Seen, server: Server) -> None:
    answer = server.get("metrics/get-history", run_id=seen["run"], metric_key="exact").json()
    assert [point["value"] for point in answer["metrics"][:3]] == ["NaN", "Infinity", "-Infinity"]
    assert str(answer["metrics"][3]["value"]) == "-0.0"


def test_an_unknown_key_has_an_empty_history(seen: Seen) -> None:
    assert seen["unknown_key"] == []


def test_latest_is_the_highest_step_then_timestamp_then_value(seen: Seen) -> None:
    assert seen["order"] == {"m": "9.0", "default step": "2.0", "back and forth": "30.0"}


def test_exact_duplicates_vanish_and_all_else_stays(seen: Seen) -> None:
    points = {(step, timestamp, value) for step, timestamp, value in seen["order_points"]}
    assert len(seen["order_points"]) == len(points) == 7
    timestamps = [timestamp for _, timestamp, _ in seen["order_points"]]
    assert timestamps == sorted(timestamps)
    assert seen["default_steps"] == [0, 0]


def test_a_long_history_is_whole(seen: Seen) -> None:
    assert seen["long"] == POINTS
    assert seen["long_in_order"]
    assert seen["long_values"]


def test_a_long_history_comes_in_pages(seen: Seen, server: Server) -> None:
    query: dict[str, Any] = {"run_id": seen["long_run"], "metric_key": "long", "max_results": PAGE}
    first = server.get("metrics/get-history", **query).json()
    second = server.get("metrics/get-history", **query, page_token=first["next_page_token"]).json()
    assert len(first["metrics"]) == PAGE
    assert [point["step"] for point in second["metrics"]] == list(range(PAGE, POINTS))
    assert "next_page_token" not in second
    refused = server.get("metrics/get-history", **query, page_token="nonsense")
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_nothing_is_lost_that_was_logged_without_waiting(seen: Seen) -> None:
    assert seen["later"] == list(range(200))
    assert seen["later_rest"] == [1.0, {"p": "1", "q": "2", "r": "3"}, {"t": "v", "u": "w"}]


def test_threads_write_to_one_run(seen: Seen) -> None:
    assert seen["crowd"] == [50] * 4


def test_the_arguments_of_3x(seen: Seen, client: Any) -> None:
    if client.major == 2:
        assert "new" not in seen
        return
    assert seen["new"]["other"] == 1.0
    assert seen["new"]["metrics"] == {"on data": 2.0, "both": 3.0}
    assert set(seen["new"]["datasets"]) == {"held out"}


def test_more_keys_than_one_request_takes(seen: Seen) -> None:
    assert seen["wide"] == 1001


def test_what_breaks_a_rule_is_refused_with_mlflows_code(seen: Seen) -> None:
    for name, error in seen["refused"].items():
        assert error is not None, name
        assert error["code"] == "INVALID_PARAMETER_VALUE", (name, error)
