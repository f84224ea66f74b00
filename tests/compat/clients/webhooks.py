"""Webhooks of the registry as MLflow's client manages them, and what it then does to be told of."""

from __future__ import annotations

import sys

from common import failure, tell
from mlflow import MlflowClient

GOOD, FORBIDDEN = sys.argv[1:]
client = MlflowClient()
seen = {}


def webhook(noun):
    return {
        "id": noun.webhook_id,
        "name": noun.name,
        "url": noun.url,
        "description": noun.description,
        "status": str(noun.status),
        "events": sorted(str(event) for event in noun.events),
    }


EVENTS = [
    "registered_model.created",
    "model_version.created",
    "model_version_tag.set",
    "model_version_tag.deleted",
    "model_version_alias.created",
    "model_version_alias.deleted",
]
made = client.create_webhook("all", GOOD, EVENTS, description="everything", secret="geheim")
seen["made"] = webhook(made)
seen["got"] = webhook(client.get_webhook(made.webhook_id))
unsigned = client.create_webhook("unsigned", f"{GOOD}/unsigned?token=abc", ["model_version.created"])
off = client.create_webhook("off", f"{GOOD}/off", EVENTS, status="DISABLED")
seen["off"] = webhook(off)
seen["unsigned"] = webhook(unsigned)
gone = client.create_webhook("gone", f"{GOOD}/gone", EVENTS, status="DISABLED")
seen["listed"] = [noun.name for noun in client.list_webhooks()]
page = client.list_webhooks(max_results=2)
seen["pages"] = [len(page), len(client.list_webhooks(max_results=2, page_token=page.token))]
tried = client.test_webhook(made.webhook_id)
seen["tried"] = [tried.success, tried.response_status, tried.response_body, tried.error_message]
named = client.test_webhook(made.webhook_id, "model_version_alias.created")
seen["tried_named"] = named.success

run = client.create_run("0")
client.create_registered_model("hooked", {"team": "text"}, "tells stories")
client.create_model_version("hooked", f"runs:/{run.info.run_id}/model", run.info.run_id)
client.set_model_version_tag("hooked", "1", "quality", "good")
client.delete_model_version_tag("hooked", "1", "quality")
client.set_registered_model_alias("hooked", "champion", "1")
client.delete_registered_model_alias("hooked", "champion")
seen["run"] = run.info.run_id

changed = client.update_webhook(off.webhook_id, name="renamed", events=["model_version_tag.set"], status="ACTIVE")
seen["changed"] = webhook(changed)
client.delete_webhook(gone.webhook_id)
seen["left"] = [noun.name for noun in client.list_webhooks()]
seen["errors"] = {
    "forbidden": failure(client.create_webhook, "x", FORBIDDEN, ["model_version.created"]),
    "prompts": failure(client.create_webhook, "x", GOOD, ["prompt.created"]),
    "gone": failure(client.get_webhook, gone.webhook_id),
    "no_number": failure(client.delete_webhook, "x"),
    "moved": failure(client.update_webhook, made.webhook_id, url=FORBIDDEN),
}
tell(seen)
