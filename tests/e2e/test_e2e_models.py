"""The pages of registered models in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.pages import settled
from support.seeds import artifact
from support.servers import Server

NewPage = Callable[..., Page]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
NAME = "storyteller-production"


@dataclass(frozen=True)
class Registry:
    server: Server
    run_id: str

    def send(self, method: str, path: str, **body: object) -> None:
        headers = {"x-logbuch-user": "anna"}
        answer = httpx.request(method, f"{self.server.url}/api/2.0/mlflow/{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def registry(make_server: Callable[[], Server]) -> Iterator[Registry]:
    """A model with three versions, one of them in Production, and some more models."""
    server = make_server()
    experiment = server.post("experiments/create", {"name": "storyteller/sweep"}).json()["experiment_id"]
    tags = [
        {"key": "mlflow.source.git.commit", "value": "4f6c1a9be0d24c8f9a7b5e3d1c2a0b9f8e7d6c5b"},
        {"key": "mlflow.source.git.branch", "value": "main"},
    ]
    body = {"experiment_id": experiment, "run_name": "standard_r8", "tags": tags}
    run_id = server.post("runs/create", body).json()["run"]["info"]["run_id"]
    dataset = {"name": "tiny-stories", "digest": "b2892d90", "source_type": "local", "source": "{}"}
    used = {"dataset": dataset, "tags": [{"key": "mlflow.data.context", "value": "training"}]}
    server.post("runs/log-inputs", {"run_id": run_id, "datasets": [used]})
    made = Registry(server, run_id)
    for name in (NAME, "lora-de", "lora-en"):
        made.send("POST", "registered-models/create", name=name, description="Writes stories" if name == NAME else "")
    for number in range(3):
        text = f"after epoch {number + 1}"
        made.send("POST", "model-versions/create", name=NAME, source=f"runs:/{run_id}/model", description=text)
    made.send("POST", "model-versions/transition-stage", name=NAME, version="1", stage="Production")
    made.send("POST", "registered-models/alias", name=NAME, version="1", alias="champion")
    yield made


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_are_clean_and_fit_a_phone(
    registry: Registry, new_page: NewPage, screenshots: Path, theme: str
) -> None:
    for name, path, rows in (("models", "/models", "model-row"), ("model", f"/models/{NAME}", "version-row")):
        page = new_page(theme)
        page.goto(registry.server.url + path)
        expect(page.get_by_test_id(rows)).to_have_count(3)
        settled(page)
        page.screenshot(path=screenshots / f"{name}-{theme}.png")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})")
        assert [(item["id"], [node["html"][:200] for node in item["nodes"]][:3]) for item in found["violations"]] == []
        page.set_viewport_size({"width": 390, "height": 844})
        expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
        page.screenshot(path=screenshots / f"{name}-{theme}-phone.png")


def test_from_the_list_to_the_run_of_a_version(registry: Registry, new_page: NewPage) -> None:
    page = new_page()
    page.goto(registry.server.url)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    expect(page.get_by_test_id("model-row")).to_have_count(3)
    page.get_by_label("Search models").fill("story PROD")
    expect(page.get_by_test_id("model-row")).to_have_count(1)
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_test_id("version-row")).to_have_count(3)
    page.get_by_role("button", name="Version 1", exact=True).click()
    expect(page).to_have_url(re.compile(re.escape(f"/models/{NAME}?v=1") + "$"))
    card = page.get_by_test_id("version-card")
    for text in ("Production", "@champion", "anna", "4f6c1a9be0", "main", "tiny-stories", "b2892d90"):
        expect(card).to_contain_text(text)
    card.get_by_role("link", name="standard_r8").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("standard_r8")
    made = page.get_by_test_id("models-card")
    expect(made.get_by_role("link")).to_have_count(3)
    expect(made).to_contain_text("@champion")
    made.get_by_role("link", name=f"{NAME} version 1").click()
    expect(page.get_by_test_id("version-card")).to_contain_text("Production")


def test_a_run_shows_the_models_it_logged(registry: Registry, new_page: NewPage) -> None:
    model = {"experiment_id": "0", "name": "adapter", "source_run_id": registry.run_id}
    made = httpx.post(f"{registry.server.url}/api/2.0/mlflow/logged-models", json=model).json()["model"]["info"]
    url = f"{registry.server.url}/api/2.0/mlflow/logged-models/{made['model_id']}"
    source = f"models:/{made['model_id']}"
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{registry.server.url}/e/1/runs/{registry.run_id}")
    card = page.get_by_test_id("models-card")
    expect(card).to_contain_text("being uploaded")
    assert httpx.patch(url, json={"status": "LOGGED_MODEL_READY"}).status_code == 200
    registry.send("POST", "model-versions/create", name="lora-de", source=source)
    page.reload()
    expect(card.get_by_role("link", name="lora-de version 1")).to_be_visible()
    card.get_by_role("button", name="Copy: Serve command").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"logbuch models serve -m {source}"


MLMODEL = b"""flavors:
  pytorch:
    data: data
signature:
  inputs: '[{"type": "string", "name": "prompt"}, {"type": "long", "name": "max_tokens",
    "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
"""


def test_the_models_of_a_run_have_a_tab(registry: Registry, new_page: NewPage) -> None:
    server, run_id = registry.server, registry.run_id
    page = new_page()
    page.goto(f"{server.url}/e/1/runs/{server.new_run('1')}/model")
    expect(page.get_by_text("No model has been logged")).to_be_visible()
    model = {"experiment_id": "1", "name": "adapter", "source_run_id": run_id}
    made = httpx.post(f"{server.url}/api/2.0/mlflow/logged-models", json=model).json()["model"]["info"]
    artifact(server, f"1/models/{made['model_id']}/artifacts/MLmodel", MLMODEL)
    url = f"{server.url}/api/2.0/mlflow/logged-models/{made['model_id']}"
    assert httpx.patch(url, json={"status": "LOGGED_MODEL_READY"}).status_code == 200
    registry.send("POST", "model-versions/create", name="lora-de", source=f"models:/{made['model_id']}")
    history = [{"artifact_path": "model", "flavors": {"sklearn": {}}, "signature": {"inputs": '[{"type": "double"}]'}}]
    tag = {"run_id": run_id, "key": "mlflow.log-model.history", "value": json.dumps(history)}
    assert server.post("runs/set-tag", tag).status_code == 200
    page.goto(f"{server.url}/e/1/runs/{run_id}")
    page.get_by_role("link", name="Model", exact=True).click()
    logged = page.get_by_role("region", name="adapter")
    expect(logged.get_by_test_id("signature-row")).to_have_text(
        ["Inputspromptstring", "max_tokenslong optional", "Outputs–float32 […, 3]"]
    )
    expect(logged.get_by_text("pytorch", exact=True)).to_be_visible()
    expect(logged.get_by_role("link", name="lora-de version 1")).to_be_visible()
    expect(logged.get_by_role("button", name="Copy: Serve command")).to_be_visible()
    with page.expect_download() as started:
        logged.get_by_role("link", name="Download: MLmodel").click()
    assert Path(started.value.path()).read_bytes() == MLMODEL
    kept = page.get_by_role("region", name="model", exact=True)
    expect(kept.get_by_test_id("signature-row")).to_have_text(["Inputs–double"])
    expect(kept).to_contain_text(f"logbuch models serve -m runs:/{run_id}/model")
    expect(kept.get_by_role("link", name=f"{NAME} version 3")).to_be_visible()


def test_a_version_is_promoted_and_the_history_tells_it(registry: Registry, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{registry.server.url}/models/{NAME}")
    row = page.locator("[data-version='3']")
    row.get_by_role("button", name="Actions for Version 3").click()
    page.get_by_role("menuitem", name="Move to Production").click()
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Move to Production").click()
    expect(row).to_contain_text("Production")
    expect(page.locator("[data-version='1']")).to_contain_text("Archived")
    row.get_by_role("button", name="Actions for Version 3").click()
    page.get_by_role("menuitem", name="Set alias").click()
    page.get_by_role("textbox", name="Alias").fill("v3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("reserved")
    page.get_by_role("textbox", name="Alias").fill("champion")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("@champion")
    history = page.get_by_test_id("audit-entry")
    expect(history.first).to_contain_text("moved alias champion from version 1 to 3")
    expect(history.nth(1)).to_contain_text("moved version 1 from Production to Archived")
    expect(history.nth(2)).to_contain_text("moved version 3 from None to Production")
    expect(history.last).to_contain_text("anna created the model")
    row.get_by_role("button", name="Actions for Version 3").click()
    page.get_by_role("menuitem", name="Delete version").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_versions_and_models_are_deleted_and_described(registry: Registry, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{registry.server.url}/models/{NAME}")
    page.get_by_role("button", name="Actions for Version 2").click()
    page.get_by_role("menuitem", name="Delete version").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_test_id("version-row")).to_have_count(2)
    page.get_by_role("button", name=f"Actions for {NAME}").click()
    page.get_by_role("menuitem", name="Edit description").click()
    page.get_by_role("textbox", name="Description").fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    page.get_by_role("button", name=f"Actions for {NAME}").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Name, without").fill("renamed ü")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("renamed ü")
    page.get_by_role("button", name="Actions for renamed ü").click()
    page.get_by_role("menuitem", name="Delete model").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_test_id("model-row")).to_have_count(2)
    page.goto(f"{registry.server.url}/models/renamed%20%C3%BC")
    expect(page.get_by_text("There is no such model")).to_be_visible()


def test_german_and_an_empty_registry(make_server: Callable[[], Server], new_page: NewPage) -> None:
    page = new_page()
    page.add_init_script("localStorage.setItem('logbuch.lang', 'de')")
    page.goto(f"{make_server().url}/models")
    expect(page.get_by_text("Noch kein Modell registriert")).to_be_visible()
    page.get_by_role("button", name="Neues Modell").click()
    page.get_by_role("textbox", name="Name, ohne").fill("märchen")
    page.get_by_role("button", name="Anlegen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("märchen")
    expect(page.get_by_text("Noch keine Version")).to_be_visible()
    expect(page.get_by_test_id("audit-entry")).to_contain_text("hat das Modell angelegt")
