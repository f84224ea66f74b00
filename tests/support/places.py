"""Every page of a server, by the addresses that its seeded runs give it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from support.pages import settled
from support.seeds import artifact, train
from support.servers import Server

NAMES = ("standard_lr1e-4", "standard_lr2e-4", "minimal_lr1e-4", "aggressive_lr1e-3")
MODEL = "storyteller-production"
WRITTEN = [
    *NAMES, MODEL, "mistral-lora", "aws-rag-qa", "Second seed of the", "train/", "eval/", "Logbuch", "report.md",
    "All is well.", "train_lora.py", "num_epochs", "loss is nan", "The loss is not finite", "eval/loss is nan",
    "train/loss > 8, gpu < 20 for 15m, no point for 10m, run failed, run lost, run unstable",
]  # fmt: skip
"""What the users of this server wrote, and the examples of what they could write: it has the language that it has."""

PLACES = {
    "home": "/",
    "experiments": "/experiments",
    "experiment": "/e/{id}",
    "groups": "/e/{id}?group=params.lora_rank",
    "charts": "/e/{id}?layout=charts",
    "run": "/e/{id}/runs/{run}",
    "parameters": "/e/{id}/runs/{run}/parameters",
    "metrics": "/e/{id}/runs/{run}/metrics",
    "metrics-table": "/e/{id}/runs/{run}/metrics?as=table",
    "system": "/e/{id}/runs/{run}/system",
    "media": "/e/{id}/runs/{run}/media",
    "logs": "/e/{id}/runs/{run}/logs",
    "artifacts": "/e/{id}/runs/{run}/artifacts?path=report.md",
    "model": "/e/{id}/runs/{run}/model",
    "code": "/e/{id}/runs/{run}/code",
    "compare": "/compare?runs={run},{other}",
    "parallel": "/compare?e={id}&part=parallel",
    "box": "/compare?e={id}&part=box",
    "bar": "/compare?e={id}&part=bar",
    "importance": "/compare?e={id}&part=importance",
    "diff": "/compare?runs={run},{other}&part=diff",
    "models": "/models",
    "model-page": f"/models/{MODEL}",
    "settings": "/settings",
    "missing": "/nowhere",
}
DRAWN = {"experiment", "groups", "charts", "run", "metrics", "compare"}
"""Where charts are: they have to be drawn before anything is judged."""


@dataclass(frozen=True)
class Told:
    """The server, and what stands in its addresses."""

    server: Server
    parts: dict[str, str]

    def address(self, place: str) -> str:
        return self.server.url + PLACES[place].format(**self.parts)


@contextmanager
def told(folder: Path) -> Iterator[Told]:
    """A server of its own, so that nothing stands on its pages that others logged: four runs of a sweep, one of which
    diverges, a registered model, a rule for alerts, and a run's packages."""
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    id_ = server.post("experiments/create", {"name": "aws-rag-qa/mistral-lora"}).json()["experiment_id"]
    runs = {name: train(server, id_, number, name) for number, name in enumerate(NAMES)}
    run, other = runs[NAMES[0]], runs[NAMES[-1]]
    server.post("registered-models/create", {"name": MODEL})
    server.post("model-versions/create", {"name": MODEL, "source": f"runs:/{run}/model", "run_id": run})
    server.post("registered-models/alias", {"name": MODEL, "version": "1", "alias": "champion"})
    artifact(server, f"{id_}/{run}/artifacts/logbuch/requirements.txt", b"torch==2.13.0\n")
    rule = {"experiment_id": id_, "condition": "loss is nan", "level": "error"}
    assert server.native("alerts/rules/create", rule).is_success
    yield Told(server, {"id": id_, "run": run, "other": other})
    server.stop()


def enter(page: Page, told: Told, place: str) -> None:
    """Goes to a page and waits until it is whole."""
    page.goto(told.address(place))
    expect(page.locator("main h1")).to_be_visible()
    settled(page)
    if place in DRAWN:
        chart = page.get_by_test_id("chart").first
        expect(chart.locator("canvas")).to_be_visible()
        expect(chart.locator(".plotbox")).to_have_attribute("aria-busy", "false")
