"""Artifacts through real MLflow clients: bytes in, the same bytes out, whatever the file is called."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from support.servers import Server

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(client: Any) -> Seen:
    told: Seen = client.seen("artifacts.py", f"artifacts{client.major}")
    return told


def test_names_that_need_care_come_back_whole(seen: Seen) -> None:
    assert len(seen["whole"]) == 12
    assert [name for name, same in seen["whole"].items() if not same] == []
    assert [name for name, same in seen["one_by_one"].items() if not same] == []


def test_what_is_listed_is_what_was_logged(seen: Seen) -> None:
    assert {"deep", "deep/er still", "under a (1) path/100%/er still/50% off.txt", "whole folder/deep/empty"} <= set(
        seen["tree"]
    )
    files = [path for path in seen["tree"] if not any(other.startswith(path + "/") for other in seen["tree"])]
    assert len(files) == seen["whole_files"]
    assert seen["sizes"] == {"big.bin": 5_000_000, "copies/big.bin": 5_000_000, "plain.txt": 96, "deep/empty": 0}
    assert seen["fluent_list"] == ["texts/again.txt", "texts/grüße.txt", "texts/page.html"]


def test_what_is_not_there_lists_as_nothing(seen: Seen) -> None:
    assert seen["list_missing"] == seen["list_file"] == seen["list_empty"] == []


def test_a_large_file(seen: Seen) -> None:
    assert seen["big"]


def test_uris_are_the_servers_own(seen: Seen) -> None:
    root = f"mlflow-artifacts:/{seen['experiment']}/{seen['run']}/artifacts"
    assert seen["uri"] == root
    assert seen["sub_uri"] == f"{root}/texts/page.html"
    assert seen["by_runs_uri"] == 13


def test_texts_dicts_images(seen: Seen) -> None:
    assert seen["text"] == "Grüße, 世界 😀\n"
    assert seen["text_again"] == "second"
    assert seen["dict"] == {"a": [1, 2, {"b": "ü"}]}
    assert seen["pixel"] == [255, 0, 0]
    assert {"plots/curve.png", "plots/curve.svg", "images/grey.png", "config.yaml"} <= set(seen["tree"])
    steps = [path for path in seen["tree"] if path.startswith("images/sample")]
    assert len(steps) == 2
    assert any("step" in path and path.endswith(".png") for path in steps)


def test_tables_grow(seen: Seen) -> None:
    assert seen["table"] == [["a", 1], ["b", 2], ["ü", 3]]
    assert seen["table_run"]
    assert seen["table_of_experiment"] == 3


def test_errors(seen: Seen) -> None:
    assert seen["missing"] is not None
    assert seen["missing_run"]["code"] == "RESOURCE_DOES_NOT_EXIST"


def test_later_and_gone(seen: Seen) -> None:
    assert seen["late"] == "after the end"
    assert seen.get("deleted", []) == []


def test_the_rest_api_lists_and_sends_the_same(seen: Seen, server: Server) -> None:
    listed = server.get("artifacts/list", run_id=seen["run"], path="copies").json()
    assert listed == {
        "root_uri": seen["uri"],
        "files": [{"path": "copies/big.bin", "is_dir": False, "file_size": 5_000_000}],
    }
    answer = httpx.get(f"{server.url}/get-artifact", params={"run_id": seen["run"], "path": "config.json"})
    assert answer.json() == seen["dict"]


def test_names_that_no_client_can_send_are_no_trouble(seen: Seen, server: Server) -> None:
    proxy = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{seen['experiment']}/{seen['run']}/artifacts/odd"
    for name in ("hash#1.txt", "what?.txt", "per%20cent.txt", "100%2520.txt", "%17.txt"):
        address = f"{proxy}/{quote(name)}"
        assert httpx.put(address, content=name.encode()).status_code == 200, name
        assert httpx.get(address).content == name.encode(), name
        shown = httpx.get(f"{server.url}/get-artifact", params={"run_id": seen["run"], "path": f"odd/{name}"})
        assert shown.content == name.encode(), name
    files = server.get("artifacts/list", run_id=seen["run"], path="odd").json()["files"]
    assert [file["path"] for file in files] == [
        "odd/%17.txt",
        "odd/100%2520.txt",
        "odd/hash#1.txt",
        "odd/per%20cent.txt",
        "odd/what?.txt",
    ]


def test_files_lie_where_a_person_finds_them(seen: Seen, server: Server) -> None:
    folder = server.folder / "artifacts" / seen["experiment"] / seen["run"] / "artifacts"
    assert (folder / "big.bin").stat().st_size == 5_000_000
    assert (folder / "under a (1) path" / "100%" / "er still" / "ünïcode 😀 日本.txt").is_file()
