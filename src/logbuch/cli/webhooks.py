"""``logbuch webhooks``: which addresses a server tells of alerts and model versions."""

from __future__ import annotations

import click

from logbuch.alerts import Level, local_time
from logbuch.cli.asking import asks, print_json
from logbuch.webhooks import EVENTS


@click.group()
def webhooks() -> None:
    """Addresses that are told of alerts and of model versions."""


@webhooks.command("list")
@asks
def list_(as_json: bool) -> None:
    """Show all webhooks; their secrets are never shown again."""
    from logbuch.sdk.webhooks import list_webhooks

    found = list_webhooks()
    if as_json:
        print_json(found)
        return
    for webhook in found:
        of = f", alerts of experiment {webhook.experiment_id}" if webhook.experiment_id else ""
        click.echo(f"{webhook.webhook_id:>5}  {webhook.url}  {', '.join(webhook.events)} (from {webhook.level}{of})")
    if not found:
        click.echo("No webhooks.")


@webhooks.command()
@click.argument("url")
@click.option(
    "--event",
    "events",
    type=click.Choice([str(event) for event in EVENTS]),
    multiple=True,
    help="May be repeated. Absent: all.",
)
@click.option("--experiment", metavar="NAME", help="Only alerts of an experiment, by its name or ID.")
@click.option(
    "--level", type=click.Choice([str(level) for level in Level]), default="info", show_default=True, help="Of alerts."
)
@click.option("--secret", default="", metavar="TEXT", help="To sign messages with. Absent: one is made.")
@asks
def add(url: str, events: tuple[str, ...], experiment: str | None, level: str, secret: str, as_json: bool) -> None:
    """Tell an address of events.

    The server's setting webhook_hosts must name its host.
    """
    from logbuch.sdk.webhooks import create_webhook

    webhook, kept = create_webhook(url, [str(event) for event in events], experiment, level, secret)
    if as_json:
        print_json({"webhook": webhook, "secret": kept})
        return
    click.echo(f"Webhook {webhook.webhook_id}: {webhook.url}")
    click.echo(f"Secret, shown this once: {kept}")


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@asks
def remove(webhook_id: str, as_json: bool) -> None:
    """Tell an address no longer; what waits to be sent to it is dropped."""
    from logbuch.sdk.webhooks import remove_webhook

    remove_webhook(webhook_id)
    if as_json:
        print_json({"removed": webhook_id})
    else:
        click.echo(f"Removed webhook {webhook_id}.")


@webhooks.command()
@click.argument("webhook_id", metavar="WEBHOOK")
@asks
def test(webhook_id: str, as_json: bool) -> None:
    """Send an address a message without content."""
    from logbuch.sdk.webhooks import try_webhook

    number = try_webhook(webhook_id)
    if as_json:
        print_json({"delivery_id": number})
    else:
        click.echo(f"Message {number} waits to be sent: logbuch webhooks deliveries says what became of it.")


@webhooks.command()
@click.argument("webhook_id", metavar="[WEBHOOK]", required=False)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, the newest first."
)
@asks
def deliveries(webhook_id: str | None, limit: int, as_json: bool) -> None:
    """Show what became of the last messages, mail included."""
    from logbuch.sdk.webhooks import list_deliveries

    found = list_deliveries(webhook_id or "", limit)
    if as_json:
        print_json(found)
        return
    for one in found:
        when = local_time(one.creation_time)
        to = "mail" if one.webhook_id is None else f"webhook {one.webhook_id}"
        trouble = f"  {one.error}" if one.error else ""
        click.echo(f"{one.delivery_id:>5}  {when}  {to:<12} {one.event:<28} {one.state} ({one.attempts}){trouble}")
    if not found:
        click.echo("No messages.")
