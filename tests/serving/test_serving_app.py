"""The scoring server's endpoints, over ASGI."""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
import threading
from collections.abc import Coroutine
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.errors import BadRequest
from logbuch.serving import once, requests
from logbuch.serving.app import CLIENT_GONE, Options, create_app
from logbuch.serving.batching import Limits
from logbuch.version import __version__
from logbuch.web.options import Listening
from support.scoring import NAMED_TENSORS, PARAMS, TENSOR, TEXTS, client, served

ROW = {"a": 2, "b": 1.5, "s": "x"}


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def post(model: Any, body: Any, options: Options | None = None, **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client(model, options) as http:
            return await http.post("/invocations", json=body, **more)

    answer: httpx.Response = run(ask())
    return answer


def get(path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client(served()) as http:
            return await http.request(method, path, headers=headers)

    answer: httpx.Response = run(ask())
    return answer


def test_predictions() -> None:
    answer = post(served(), {"dataframe_records": [ROW], "params": {"factor": 3}})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"predictions": [6.0]}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_signs_of_life(method: str) -> None:
    for path in ("/ping", "/health"):
        answer = get(path, method)
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "\n", "application/json")
    assert get("/version", method).text == __version__


def test_what_is_not_there() -> None:
    assert get("/nothing").json()["error_code"] == "ENDPOINT_NOT_FOUND"
    assert get("/nothing").status_code == 404
    assert get("/invocations").status_code == 405


def test_foreign_names_and_origins_are_refused() -> None:
    assert get("/metrics", host="evil.example").status_code == 403
    assert get("/ping", host="evil.example").status_code == 200
    body = {"dataframe_records": [ROW]}
    assert post(served(), body, headers={"host": "evil.example"}).status_code == 403
    assert post(served(), body, headers={"origin": "https://evil.example"}).status_code == 403
    named = Options(Listening(allowed_hosts=("model.example",)))
    assert post(served(), body, named, headers={"host": "model.example"}).status_code == 200
    assert get("/ping").headers["x-content-type-options"] == "nosniff"


def test_bad_input_names_the_column() -> None:
    answer = post(served(), {"dataframe_records": [ROW | {"a": "x"}]})
    assert answer.status_code == 400
    assert answer.json() == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "Column 'a', row 0: 'x' is no long.",
    }


def test_a_model_that_fails_is_no_fault_of_the_server() -> None:
    answer = post(served(), {"dataframe_records": [ROW | {"a": 99}]})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert "99 is too much" not in answer.text


def test_large_bodies_are_refused() -> None:
    answer = post(served(), {"dataframe_records": [ROW] * 100}, Options(body=1000))
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["message"]


def test_other_media_types_are_refused() -> None:
    answer = post(served(), {}, headers={"content-type": "application/xml"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (pd.DataFrame({"p": [0.5], "n": ["x"]}), [{"p": 0.5, "n": "x"}]),
        (pd.Series([1, 2]), [{"0": 1}, {"0": 2}]),
        ({"scores": np.array([[1.5]], dtype=np.float32), "n": np.int64(3)}, {"scores": [[1.5]], "n": 3}),
        (["text", None], ["text", None]),
        (pd.DataFrame({1: pd.to_datetime(["2026-01-02"])}), [{"1": "2026-01-02T00:00:00"}]),
        ([b"hi"], ["aGk="]),
    ],
)
def test_forms_of_answers(predictions: Any, expected: Any) -> None:
    answer = post(served(function=lambda data, params: predictions), {"dataframe_records": [ROW]})
    assert answer.json() == {"predictions": expected}


def test_answers_that_are_no_numbers() -> None:
    answer = post(served(function=lambda data, params: np.array([math.nan, math.inf])), {"dataframe_records": [ROW]})
    assert answer.text == '{"predictions": [NaN, Infinity]}'


def test_an_answer_that_json_cannot_carry_is_the_models_fault() -> None:
    answer = post(served(function=lambda data, params: object()), {"dataframe_records": [ROW]})
    assert answer.status_code == 500
    assert "JSON" in answer.json()["message"]


async def ask_many(model: Any, count: int, options: Options, **changed: Any) -> list[httpx.Response]:
    async with client(model, options) as http:
        return await asyncio.gather(
            *(http.post("/invocations", json={"dataframe_records": [ROW | {"a": n} | changed]}) for n in range(count))
        )


def test_concurrent_requests_share_predictions_and_get_their_own_answers() -> None:
    model = served(shares=True, pause=0.01)
    answers = run(ask_many(model, 98, Options()))
    assert [answer.json()["predictions"] for answer in answers] == [[float(n)] for n in range(98)]
    assert len(model.loaded.asked) < 20
    assert len(model.loaded.threads) == 1


def test_a_request_that_the_model_fails_on_fails_alone() -> None:
    model = served(shares=True, pause=0.005)
    answers = run(ask_many(model, 101, Options()))
    assert [n for n, answer in enumerate(answers) if answer.status_code != 200] == [99]


def test_requests_that_differ_in_params_are_not_mixed() -> None:
    async def ask() -> list[httpx.Response]:
        async with client(served(shares=True)) as http:
            bodies = [{"dataframe_records": [ROW], "params": {"factor": n % 3}} for n in range(30)]
            return await asyncio.gather(*(http.post("/invocations", json=body) for body in bodies))

    assert [answer.json()["predictions"] for answer in run(ask())] == [[2.0 * (n % 3)] for n in range(30)]


def test_an_answer_that_is_not_one_a_row_is_never_shared() -> None:
    model = served(function=lambda data, params: {"rows": len(data)}, shares=True, pause=0.005)
    answers = run(ask_many(model, 10, Options()))
    assert {str(answer.json()["predictions"]) for answer in answers} == {"{'rows': 1}"}


def test_a_model_that_may_mix_rows_gets_each_request_alone() -> None:
    model = served(pause=0.001)
    run(ask_many(model, 10, Options()))
    assert [len(data) for data in model.loaded.asked] == [1] * 10


def test_the_rows_of_a_shared_prediction_are_bounded() -> None:
    model = served(shares=True, pause=0.005)
    run(ask_many(model, 30, Options(limits=Limits(rows=4))))
    assert max(len(data) for data in model.loaded.asked) <= 4


def test_a_full_queue_says_when_to_come_again() -> None:
    answers = run(ask_many(served(pause=0.05), 12, Options(limits=Limits(queue=3))))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert len(refused) + sum(answer.status_code == 200 for answer in answers) == 12


def test_a_model_that_takes_too_long() -> None:
    answers = run(ask_many(served(pause=0.3), 1, Options(timeout=0.05)))
    assert answers[0].status_code == 504


@pytest.mark.parametrize("shares", [True, False])
def test_a_model_that_calls_exit_ends_its_requests_and_not_the_server(shares: bool) -> None:
    def leaves(data: Any, params: dict[str, Any]) -> Any:
        sys.exit(3)

    answers = run(ask_many(served(function=leaves, shares=shares), 3, Options()))
    assert [answer.status_code for answer in answers] == [400] * 3


@pytest.mark.parametrize("failure", [ValueError("two\nlines"), SystemExit("two lines")], ids=["error", "exit"])
def test_without_a_server_a_model_that_fails_is_told_in_one_line(failure: BaseException) -> None:
    def fails(data: Any, params: dict[str, Any]) -> Any:
        raise failure

    with pytest.raises(BadRequest) as caught:
        once.predict(served(function=fails), json.dumps({"dataframe_records": [ROW]}).encode(), "json")
    assert re.fullmatch(
        rf"The model failed on this input: {type(failure).__name__}: two lines \(test_serving_app\.py, line \d+\)",
        caught.value.message,
    )


def test_who_goes_away_leaves_the_queue_to_others() -> None:
    """The first request holds the model, the second the only place in the queue until its client is gone."""
    begun, go_on = threading.Event(), threading.Event()

    def held(data: Any, params: dict[str, Any]) -> Any:
        begun.set()
        assert go_on.wait(60)
        return data["a"].to_numpy()

    model = served(function=held)

    async def ask() -> list[int]:
        app = create_app(model, Options(limits=Limits(queue=1)))
        first = Client(app, 1)
        await asyncio.to_thread(begun.wait, 60)
        second = Client(app, 2)
        assert (await Client(app, 3).done()).status == 503
        second.gone.set()
        await second.done()
        fourth = Client(app, 4)
        go_on.set()
        return [(await one.done()).status for one in (first, second, fourth)]

    assert run(ask()) == [200, CLIENT_GONE, 200]
    assert [int(data["a"][0]) for data in model.loaded.asked] == [1, 4]


def test_a_client_that_stops_amid_its_request_is_not_waited_for() -> None:
    async def ask() -> Client:
        return await Client(create_app(served(), Options(timeout=0.05)), 1, whole=False).done()

    stopped = run(ask())
    assert stopped.status == 408
    assert (b"connection", b"close") in stopped.headers


class Client:
    """A request at the ASGI interface, whose client stays until ``gone`` is set; it may never send the end."""

    def __init__(self, app: Any, a: int, *, whole: bool = True) -> None:
        self.gone, self.status, self._whole = asyncio.Event(), 0, whole
        self.headers: list[tuple[bytes, bytes]] = []
        self._body = [json.dumps({"dataframe_records": [ROW | {"a": a}]}).encode()]
        head = [(b"host", b"127.0.0.1:5001"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/invocations", "headers": head, "query_string": b""}
        self._task = asyncio.ensure_future(app(scope, self._receive, self._send))

    async def done(self) -> Client:
        await asyncio.wait_for(self._task, 60)
        return self

    async def _receive(self) -> dict[str, Any]:
        if self._body:
            return {"type": "http.request", "body": self._body.pop(), "more_body": not self._whole}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.headers += message.get("headers", ())


def test_numbers_for_prometheus() -> None:
    async def ask() -> str:
        async with client(served()) as http:
            await http.post("/invocations", json={"dataframe_records": [ROW, ROW]})
            await http.post("/invocations", json={})
            return (await http.get("/metrics")).text

    text = run(ask())
    assert 'logbuch_serving_requests_total{status="200"} 1.0' in text
    assert 'logbuch_serving_requests_total{status="400"} 1.0' in text
    assert "logbuch_serving_predict_rows_sum 2.0" in text
    assert "logbuch_serving_waiting_requests 0.0" in text


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "s", "data"]), inner),
    max_leaves=8,
)
_BODIES = st.dictionaries(st.sampled_from([*requests.FORMATS, "params", "prompt", "messages"]), _VALUES, max_size=3)
_MODELS = [
    served(),
    *(served(inputs, PARAMS, lambda data, params: len(data)) for inputs in (TENSOR, NAMED_TENSORS, TEXTS, None)),
]
_TYPES = st.sampled_from([requests.JSON, requests.CSV, "application/json; charset=latin-1", "text/plain", "", "x/\x7f"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_MODELS), st.binary(max_size=50) | _BODIES.map(lambda body: json.dumps(body).encode()), _TYPES)
def test_whatever_is_sent_is_answered_without_a_fault_of_the_server(model: Any, body: bytes, kind: str) -> None:
    async def ask() -> httpx.Response:
        async with client(model) as http:
            return await http.post("/invocations", content=body, headers={"content-type": kind})

    answer: httpx.Response = run(ask())
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert set(answer.json()) == {"error_code", "message"}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]),
    st.text(alphabet="abz/.%2e;?#\\\u00e9", max_size=20),
)
def test_whatever_address_is_asked_for_is_answered(method: str, path: str) -> None:
    assert get(f"/{path}".replace("//", "/"), method).status_code < 500
