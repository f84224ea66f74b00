"""The registry and logged models over HTTP: shapes that MLflow's clients read, callers, hostile input."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from support.servers import Server


@pytest.fixture
def api(shared_server: Server) -> httpx.Client:
    with httpx.Client(base_url=shared_server.url + "/api/2.0/mlflow/") as client:
        yield client


@pytest.fixture
def run_id(api: httpx.Client) -> str:
    found: str = api.post("runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    return found


def send(api: httpx.Client, method: str, path: str, **body: Any) -> Any:
    answer = api.request(method, path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


def test_a_model_from_its_first_version_to_production(api: httpx.Client, run_id: str) -> None:
    made = send(api, "POST", "registered-models/create", name="whole", tags=[{"key": "a", "value": "1"}])
    assert made["registered_model"].keys() == {"name", "creation_timestamp", "last_updated_timestamp", "tags"}
    source = f"runs:/{run_id}/model"
    version = send(api, "POST", "model-versions/create", name="whole", source=source, run_id=run_id)["model_version"]
    for key, value in (
        ("name", "whole"),
        ("version", "1"),
        ("current_stage", "None"),
        ("description", ""),
        ("source", source),
        ("run_id", run_id),
        ("run_link", ""),
        ("status", "READY"),
    ):
        assert version[key] == value
    body = {"name": "whole", "version": "1"}
    send(api, "POST", "registered-models/alias", **body, alias="best")
    stage = send(api, "POST", "model-versions/transition-stage", **body, stage="production")
    assert stage["model_version"]["current_stage"] == "Production"
    model = api.get("registered-models/get", params={"name": "whole"}).json()["registered_model"]
    assert model["aliases"] == [{"alias": "best", "version": "1"}]
    assert [one["version"] for one in model["latest_versions"]] == ["1"]
    found = api.get("registered-models/alias", params={"name": "whole", "alias": "best"}).json()
    assert found["model_version"]["aliases"] == ["best"]
    uri = api.get("model-versions/get-download-uri", params=body).json()
    assert uri == {"artifact_uri": source}
    for method in ("GET", "POST"):
        arguments: Any = {"params" if method == "GET" else "json": {"name": "whole", "stages": ["Production"]}}
        latest = api.request(method, "registered-models/get-latest-versions", **arguments).json()
        assert [one["version"] for one in latest["model_versions"]] == ["1"]
    send(api, "DELETE", "registered-models/alias", name="whole", alias="best")
    send(api, "DELETE", "model-versions/delete", **body)
    send(api, "DELETE", "registered-models/delete", name="whole")
    assert error(api.get("registered-models/get", params={"name": "whole"})) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_search_answers_empty_objects(api: httpx.Client) -> None:
    for path in ("registered-models/search", "model-versions/search"):
        assert api.get(path, params={"filter": "name = 'nobody'"}).json() == {}
    assert api.post("logged-models/search", json={"experiment_ids": ["9999999999"]}).json() == {}


def test_the_trail_names_the_caller(api: httpx.Client, shared_server: Server) -> None:
    basic = base64.b64encode("jörg:secret".encode()).decode()
    for number, headers in enumerate(
        ({"authorization": f"Basic {basic}"}, {"x-logbuch-user": "anna%20b"}, {}, {"authorization": "Basic ???"})
    ):
        answer = api.post("registered-models/create", json={"name": f"caller{number}"}, headers=headers)
        assert answer.status_code == 200
    url = shared_server.url + "/api/logbuch/1/registry/audit"
    users = [httpx.get(url, params={"name": f"caller{number}"}).json()["entries"][0]["user"] for number in range(4)]
    assert users == ["jörg", "anna b", "", ""]
    entry = httpx.get(url, params={"max_results": 1}).json()["entries"][0]
    assert entry["address"] == "127.0.0.1"
    assert "secret" not in str(httpx.get(url).json())


def test_the_trail_cannot_be_changed(shared_server: Server) -> None:
    url = shared_server.url + "/api/logbuch/1/registry/audit"
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert httpx.request(method, url, json={}).status_code == 405


def test_lineage(api: httpx.Client, run_id: str, shared_server: Server) -> None:
    send(api, "POST", "runs/set-tag", run_id=run_id, key="mlflow.source.git.commit", value="abc")
    send(api, "POST", "registered-models/create", name="lineage")
    send(api, "POST", "model-versions/create", name="lineage", source=f"runs:/{run_id}/model")
    url = shared_server.url + "/api/logbuch/1/registry/lineage"
    found = httpx.get(url, params={"name": "lineage", "version": "1"}).json()
    assert (found["run"]["run_id"], found["git_commit"], found["experiment_name"]) == (run_id, "abc", "Default")
    assert httpx.get(url, params={"name": "lineage", "version": "2"}).status_code == 404


def test_models_of_a_run(api: httpx.Client, run_id: str, shared_server: Server) -> None:
    model = send(api, "POST", "logged-models", experiment_id="0", name="net", source_run_id=run_id)["model"]["info"]
    send(api, "POST", "registered-models/create", name="of a run")
    send(api, "POST", "model-versions/create", name="of a run", source=f"models:/{model['model_id']}")
    url = shared_server.url + "/api/logbuch/1/runs/models"
    found = httpx.get(url, params={"run_id": run_id}).json()
    assert [one["info"]["model_id"] for one in found["made"]] == [model["model_id"]]
    assert found["made"][0]["info"]["registrations"] == [{"name": "of a run", "version": "1"}]
    assert [(one["name"], one["version"]) for one in found["versions"]] == [("of a run", "1")]
    assert (found["used"], found["used_total"], found["made_total"], found["versions_total"]) == ([], 0, 1, 1)
    assert httpx.get(url, params={"run_id": "0" * 32}).status_code == 404


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/",
        "/etc/passwd",
        "http://127.0.0.1:1/x",
        "s3://b/k",
        "runs:/x/../../etc",
        "mlflow-artifacts:/0/../x",
    ],
)
def test_a_source_that_a_client_makes_up_is_refused_and_never_followed(api: httpx.Client, source: str) -> None:
    api.post("registered-models/create", json={"name": "hostile"})
    answer = api.post("model-versions/create", json={"name": "hostile", "source": source})
    assert error(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert "source" in answer.json()["message"]


def test_logged_models(api: httpx.Client, run_id: str, shared_server: Server) -> None:
    model = send(api, "POST", "logged-models", experiment_id="0", name="net", source_run_id=run_id)["model"]
    id_, uri = model["info"]["model_id"], model["info"]["artifact_uri"]
    assert (model["info"]["status"], model["data"]) == ("LOGGED_MODEL_PENDING", {})
    path = uri.removeprefix("mlflow-artifacts:/")
    files = shared_server.url + "/api/2.0/mlflow-artifacts/artifacts/"
    for name, content in (("MLmodel", b"flavors: {}"), ("data/weights.bin", b"1234")):
        assert httpx.put(f"{files}{path}/{name}", content=content).status_code == 200
    listed = api.get(f"logged-models/{id_}/artifacts/directories").json()
    assert listed["root_uri"] == uri
    assert [(file["path"], file["is_dir"]) for file in listed["files"]] == [("MLmodel", False), ("data", True)]
    inner = api.get(f"logged-models/{id_}/artifacts/directories", params={"artifact_directory_path": "data"}).json()
    assert inner["files"] == [{"path": "data/weights.bin", "is_dir": False, "file_size": 4}]
    shown = api.get(f"logged-models/{id_}/artifacts/files", params={"artifact_file_path": "MLmodel"})
    assert (shown.text, shown.headers["x-content-type-options"]) == ("flavors: {}", "nosniff")
    for bad in ("../..", "a/..;/b", "%2e%2e"):
        answer = api.get(f"logged-models/{id_}/artifacts/directories", params={"artifact_directory_path": bad})
        assert error(answer) == (400, "INVALID_PARAMETER_VALUE")
    for status in ("LOGGED_MODEL_READY", 2, "2"):
        done = send(api, "PATCH", f"logged-models/{id_}", model_id=id_, status=status)
        assert done["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    for status in ("nonsense", 9, -1):
        answer = api.patch(f"logged-models/{id_}", json={"status": status})
        assert error(answer) == (400, "INVALID_PARAMETER_VALUE")
    send(api, "PATCH", f"logged-models/{id_}/tags", tags=[{"key": "a/b c", "value": "1"}])
    assert api.request("DELETE", f"logged-models/{id_}/tags/a%2Fb%20c", json={}).status_code == 200
    send(api, "POST", f"logged-models/{id_}/params", params=[{"key": "lr", "value": "1"}])
    send(api, "POST", "runs/outputs", run_id=run_id, models=[{"model_id": id_, "step": 3}])
    send(api, "POST", "runs/log-inputs", run_id=run_id, models=[{"model_id": id_}])
    run = api.get("runs/get", params={"run_id": run_id}).json()["run"]
    assert run["outputs"] == {"model_outputs": [{"model_id": id_, "step": 3}]}
    assert run["inputs"] == {"model_inputs": [{"model_id": id_}]}
    point = {"key": "acc", "value": "NaN", "timestamp": 1, "step": 2, "model_id": id_, "dataset_name": "d"}
    send(api, "POST", "runs/log-batch", run_id=run_id, metrics=[point])
    send(api, "POST", "runs/log-metric", run_id=run_id, **point | {"step": 3, "value": 0.5})
    metrics = api.get(f"logged-models/{id_}").json()["model"]["data"]["metrics"]
    assert [(one["value"], one["run_id"]) for one in metrics] == [("NaN", run_id), (0.5, run_id)]
    send(api, "DELETE", f"logged-models/{id_}")
    assert error(api.get(f"logged-models/{id_}")) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_search_of_logged_models(api: httpx.Client) -> None:
    experiment = send(api, "POST", "experiments/create", name="logged search")["experiment_id"]
    for number in range(3):
        send(api, "POST", "logged-models", experiment_id=experiment, name=f"m{number}")
    body = {"experiment_ids": [experiment], "max_results": 2, "order_by": [{"field_name": "name", "ascending": False}]}
    first = send(api, "POST", "logged-models/search", **body)
    second = send(api, "POST", "logged-models/search", **body, page_token=first["next_page_token"])
    seen = [model["info"]["name"] for model in (*first["models"], *second["models"])]
    assert seen == ["m2", "m1", "m0"]
    assert "next_page_token" not in second
    for wrong in ({"order_by": [{}]}, {"order_by": [{"field_name": "x.y"}]}, {"datasets": [{"dataset_digest": "1"}]}):
        answer = api.post("logged-models/search", json={"experiment_ids": [experiment]} | wrong)
        assert error(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_delete_needs_no_body(api: httpx.Client) -> None:
    id_ = send(api, "POST", "logged-models", experiment_id="0")["model"]["info"]["model_id"]
    assert api.delete(f"logged-models/{id_}").json() == {}
    send(api, "POST", "registered-models/create", name="stays")
    plain = api.request("DELETE", "registered-models/delete", content='{"name": "stays"}')
    assert error(plain) == (400, "INVALID_PARAMETER_VALUE"), "a body has to be JSON, and to say so"
    assert api.get("registered-models/get", params={"name": "stays"}).status_code == 200


_HOSTILE: tuple[Any, ...] = (
    "\0", "\ud800", "x" * 5000, "%", "'", "\\", "9" * 40, "name = '\ud800'", "tags.`a\0` = 'b'", "1e400",
    -1, 2**70, 1.5, True, None, [], {}, ["\ud800"], [None], [{"key": "\0"}], [{"field_name": "metrics.\0"}],
)  # fmt: skip
_GOOD = {"name": "fuzzed", "version": "1", "alias": "a", "key": "k", "stage": "Staging", "experiment_id": "0"}


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "registered-models/create", "name tags description"),
        ("POST", "registered-models/rename", "name new_name"),
        ("POST", "registered-models/alias", "name alias version"),
        ("DELETE", "registered-models/alias", "name alias"),
        ("POST", "registered-models/set-tag", "name key value"),
        ("POST", "model-versions/create", "name source run_id tags run_link description model_id"),
        ("POST", "model-versions/transition-stage", "name version stage archive_existing_versions"),
        ("POST", "logged-models", "experiment_id name model_type source_run_id params tags"),
        ("POST", "logged-models/search", "experiment_ids filter datasets max_results order_by page_token"),
        ("POST", "runs/outputs", "run_id models"),
    ],
)
def test_no_input_is_the_servers_fault(api: httpx.Client, method: str, path: str, fields: str) -> None:
    api.post("registered-models/create", json={"name": "fuzzed"})
    names = fields.split()
    for field in names:
        for value in _HOSTILE:
            body = {name: _GOOD[name] for name in names if name in _GOOD} | {field: value}
            headers = {"content-type": "application/json"}
            answer = api.request(method, path, content=json.dumps(body), headers=headers)
            assert answer.status_code < 500, (body, answer.text)
            assert answer.status_code == 200 or answer.json()["message"], body
