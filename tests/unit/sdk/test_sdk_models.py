"""The registry and logged models by the SDK: over HTTP and embedded, with the same answers."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import logbuch
from logbuch.entities import LoggedModelOutput
from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.sdk.client import LogbuchClient
from support.servers import Server


@pytest.fixture(params=["embedded", "http"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LogbuchClient]:
    if request.param == "http":
        server: Server = request.getfixturevalue("make_server")()
        uri = server.url
    else:
        uri = str(tmp_path / "folder")
    before = logbuch.get_tracking_uri()
    logbuch.set_tracking_uri(uri)
    yield LogbuchClient(uri)
    logbuch.set_tracking_uri(before)


@pytest.fixture
def run_id(client: LogbuchClient) -> str:
    with logbuch.start_run() as run:
        logbuch.log_text("weights", "model/data/weights.txt")
        logbuch.log_text("flavors: {}", "model/MLmodel")
    return run.info.run_id


def content(place: str) -> dict[str, str]:
    root = Path(place)
    return {file.relative_to(root).as_posix(): file.read_text() for file in root.rglob("*") if file.is_file()}


def test_the_seeds_registry(client: LogbuchClient, run_id: str) -> None:
    client.create_registered_model("storyteller-production")
    result = logbuch.register_model(f"runs:/{run_id}/model", "storyteller-production")
    assert (result.name, result.version, result.run_id, result.current_stage) == (
        "storyteller-production",
        "1",
        run_id,
        "None",
    )
    assert logbuch.register_model(f"runs:/{run_id}/model", "by itself", tags={"a": 1}).tags == {"a": "1"}
    with pytest.raises(AlreadyExists):
        client.create_registered_model("by itself")


def test_every_call_of_the_registry(client: LogbuchClient, run_id: str) -> None:
    made = client.create_registered_model("m", tags={"team": "a"}, description="d")
    assert (made.tags, made.description) == ({"team": "a"}, "d")
    for _ in range(2):
        client.create_model_version("m", f"runs:/{run_id}/model", run_id, {"t": 1}, "http://ci", "first")
    assert client.get_model_version("m", 1).tags == {"t": "1"}
    client.set_registered_model_alias("m", "champion", 2)
    assert client.get_model_version_by_alias("m", "champion").version == "2"
    client.transition_model_version_stage("m", 1, "Production")
    client.transition_model_version_stage("m", 2, "Production", archive_existing_versions=True)
    assert [one.version for one in client.get_latest_versions("m", ["Production"])] == ["2"]
    logbuch.set_model_version_tag("m", key="q", value="good", stage="Production")
    assert client.get_model_version("m", "2").tags["q"] == "good"
    client.delete_model_version_tag("m", 2, "q")
    assert client.update_model_version("m", 2, "second").description == "second"
    client.set_registered_model_tag("m", "k", 1)
    client.delete_registered_model_tag("m", "team")
    model = client.update_registered_model("m", "changed")
    assert (model.tags, model.aliases, model.description) == ({"k": "1"}, {"champion": "2"}, "changed")
    copy = client.copy_model_version("models:/m@champion", "copy")
    assert (copy.name, copy.version, copy.run_id) == ("copy", "1", run_id)
    assert [one.name for one in logbuch.search_registered_models(filter_string="name = 'copy'")] == ["copy"]
    assert [one.name for one in logbuch.search_registered_models(max_results=1, order_by=["name DESC"])] == ["m"]
    assert len(logbuch.search_model_versions(filter_string="name = 'm'")) == 2
    page = client.search_model_versions("", max_results=2)
    assert page.token
    assert len(client.search_model_versions("", max_results=2, page_token=page.token)) == 1
    client.delete_registered_model_alias("m", "champion")
    client.delete_model_version("m", 2)
    assert client.rename_registered_model("m", "n").name == "n"
    entries = client.search_registry_audit("n")
    assert entries[0].action == "model renamed"
    assert {entry.user for entry in entries} == {entries[0].user} != {""}
    assert [entry.after for entry in client.search_registry_audit("n", 1) if entry.before][:1] == ["Archived"]
    client.delete_registered_model("n")
    with pytest.raises(NotFound, match="n"):
        client.get_registered_model("n")


def test_every_address_of_a_model_is_downloaded(client: LogbuchClient, run_id: str, tmp_path: Path) -> None:
    logbuch.register_model(f"runs:/{run_id}/model", "m")
    client.set_registered_model_alias("m", "champion", 1)
    client.transition_model_version_stage("m", 1, "Staging")
    files = {"MLmodel": "flavors: {}", "data/weights.txt": "weights"}
    for uri in ("models:/m/1", "models:/m@champion", "models:/m/staging", "models:/m/latest", f"runs:/{run_id}/model"):
        assert content(logbuch.download_artifacts(uri)) == files, uri
    weights = logbuch.download_artifacts("models:/m/1/data/weights.txt", dst_path=str(tmp_path))
    assert Path(weights).read_text() == "weights"
    for uri, error in (
        ("models:/m/2", NotFound),
        ("models:/m/Production", NotFound),
        ("models:/m@nobody", InvalidInput),
        ("models:/m", InvalidInput),
        ("models:/", InvalidInput),
        ("models:/m-00000000000000000000000000000000", NotFound),
    ):
        with pytest.raises(error):
            logbuch.download_artifacts(uri)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("models:/nothing/1", "Registered Model with name=nothing not found"),
        ("models:/nothing@best", "Registered Model with name=nothing not found"),
        ("models:/m/9", "Model 'm' has no version 9: its newest is 2."),
        ("models:/m@best", "Model 'm' has no alias 'best': it has 'champion', 'rival'."),
        ("models:/plain@best", "Model 'plain' has no alias 'best': it has none."),
        ("models:/m/Production", "No versions of model with name 'm' and stage 'Production' found"),
        (
            "models:/m/best",
            "'best' is no version of model 'm': use a number, 'latest' or a stage (None, Staging, Production, "
            "Archived); an alias is named as models:/m@<alias>.",
        ),
    ],
)
def test_what_an_address_misses_is_said_with_what_there_is(
    client: LogbuchClient, run_id: str, address: str, said: str
) -> None:
    for name in ("m", "m", "plain"):
        logbuch.register_model(f"runs:/{run_id}/model", name)
    client.set_registered_model_alias("m", "rival", 1)
    client.set_registered_model_alias("m", "champion", 2)
    with pytest.raises((NotFound, InvalidInput)) as caught:
        logbuch.download_artifacts(address)
    assert caught.value.message == said


def test_a_hostile_pickle_is_registered_looked_at_and_fetched_and_nothing_runs(
    client: LogbuchClient, tmp_path: Path
) -> None:
    written = tmp_path / "written"
    with logbuch.start_run() as run:
        logbuch.log_text("flavors: {sklearn: {pickled_model: model.pkl}}", "model/MLmodel")
        logbuch.log_text(f"cbuiltins\nopen\n(V{written}\nVw\ntR.", "model/model.pkl")
    logbuch.register_model(f"runs:/{run.info.run_id}/model", "hostile")
    place = logbuch.download_artifacts("models:/hostile/1", dst_path=str(tmp_path / "fetched"))
    if client.tracking_uri.startswith("http"):
        asked = {"run_id": run.info.run_id, "path": "model/model.pkl"}
        assert httpx.get(f"{client.tracking_uri}/get-artifact", params=asked).status_code == 200
    assert not written.exists()
    pickle.loads((Path(place) / "model.pkl").read_bytes()).close()  # it would have
    assert written.exists()


def test_logged_models(client: LogbuchClient, run_id: str) -> None:
    with logbuch.start_run() as run:
        made = logbuch.initialize_logged_model("net", tags={"a": 1}, params={"lr": 0.1}, model_type="agent")
        logbuch.log_outputs([LoggedModelOutput(made.model_id, 3)])
    assert (made.source_run_id, made.tags, made.params, made.status) == (
        run.info.run_id,
        {"a": "1"},
        {"lr": "0.1"},
        "PENDING",
    )
    assert [(one.model_id, one.step) for one in client.get_run(run.info.run_id).outputs.model_outputs] == [
        (made.model_id, 3)
    ]
    assert logbuch.finalize_logged_model(made.model_id, "READY").status == "READY"
    with pytest.raises(InvalidInput, match="nonsense"):
        logbuch.finalize_logged_model(made.model_id, "nonsense")
    logbuch.set_logged_model_tags(made.model_id, {"b/c d": "2"})
    logbuch.delete_logged_model_tag(made.model_id, "b/c d")
    logbuch.log_model_params({"rank": 8}, made.model_id)
    found = logbuch.get_logged_model(made.model_id)
    assert (found.tags, found.params) == ({"a": "1"}, {"lr": "0.1", "rank": "8"})
    listed = logbuch.search_logged_models(["0"], "params.rank = '8'", output_format="list")
    assert [one.model_id for one in listed] == [made.model_id]
    frame = logbuch.search_logged_models(["0"], order_by=[{"field_name": "name"}])
    assert list(frame["params.rank"]) == ["8"]
    external = logbuch.create_external_model("elsewhere")
    assert (external.status, external.tags) == ("READY", {"mlflow.model.isExternal": "true"})
    client.delete_logged_model(made.model_id)
    with pytest.raises(NotFound):
        logbuch.get_logged_model(made.model_id)


def test_a_logged_model_is_registered_by_the_name_it_has_in_its_run(client: LogbuchClient, run_id: str) -> None:
    made = client.create_logged_model("0", "net", run_id)
    version = logbuch.register_model(f"runs:/{run_id}/net", "lora")
    assert (version.source, version.model_id, version.run_id) == (made.model_uri, made.model_id, run_id)
    assert [(one.name, one.version) for one in client.get_logged_model(made.model_id).registrations] == [("lora", "1")]
    assert client.get_model_version_download_uri("lora", 1) == made.artifact_location


def test_the_files_of_a_logged_model_are_downloaded(make_server: Callable[[], Server], tmp_path: Path) -> None:
    server = make_server()
    client = LogbuchClient(server.url)
    run_id = client.create_run("0").info.run_id
    made = client.create_logged_model("0", "net", run_id)
    folder = made.artifact_location.removeprefix("mlflow-artifacts:/")
    for name in ("MLmodel", "data/weights.txt"):
        url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{folder}/{name}"
        assert httpx.put(url, content=name.encode()).status_code == 200
    files = {"MLmodel": "MLmodel", "data/weights.txt": "data/weights.txt"}
    client.register_model(made.model_uri, "lora")
    for uri in (made.model_uri, made.artifact_location, f"runs:/{run_id}/net", "models:/lora/1"):
        assert content(logbuch.download_artifacts(uri, tracking_uri=server.url)) == files, uri
    one = logbuch.download_artifacts(f"{made.model_uri}/data/weights.txt", tracking_uri=server.url)
    assert Path(one).read_text() == "data/weights.txt"
    with pytest.raises(NotFound):
        logbuch.download_artifacts(f"runs:/{run_id}/nothing", tracking_uri=server.url)
