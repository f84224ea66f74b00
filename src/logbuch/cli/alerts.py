"""``logbuch alerts``: what wants attention, who has seen it, and the rules that say so."""

from __future__ import annotations

import click

from logbuch.alerts import Alert, Level, local_time
from logbuch.cli.asking import asks, print_json


@click.group()
def alerts() -> None:
    """What wants attention in the runs of a tracker."""


@alerts.command("list")
@click.argument("experiment", required=False)
@click.option("--run", "run_id", metavar="ID", help="Only those of a run.")
@click.option("--open", "open_only", is_flag=True, help="Only those that nobody has acknowledged.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="How many, the newest first.")
@asks
def list_(experiment: str | None, run_id: str | None, open_only: bool, limit: int, as_json: bool) -> None:
    """Show alerts, the newest first.

    EXPERIMENT is a name or an ID; without it those of all experiments are shown.
    """
    from logbuch.sdk.alerts import list_alerts

    found = list_alerts(experiment, run_id, open_only=open_only, max_results=limit)
    if as_json:
        print_json(found)
        return
    for alert in found:
        _print(alert)
    if not found:
        click.echo("No alerts.")


@alerts.command()
@click.argument("alert_ids", metavar="[ALERT]...", nargs=-1)
@click.option("--run", "run_id", metavar="ID", help="All open ones of a run.")
@click.option("--experiment", metavar="NAME", help="All open ones of an experiment, by its name or ID.")
@asks
def ack(alert_ids: tuple[str, ...], run_id: str | None, experiment: str | None, as_json: bool) -> None:
    """Acknowledge alerts: note that you have seen them.

    ALERT is the number that `logbuch alerts list` shows.
    """
    from logbuch.sdk.alerts import acknowledge

    if not (alert_ids or run_id or experiment):
        raise click.UsageError("Name alerts by their numbers, or give --run or --experiment.")
    count = acknowledge(alert_ids, experiment, run_id)
    if as_json:
        print_json({"acknowledged": count})
    else:
        click.echo(f"Acknowledged {count} {'alert' if count == 1 else 'alerts'}.")


@alerts.group()
def rules() -> None:
    """Rules that a server raises alerts by."""


@rules.command("list")
@click.argument("experiment")
@asks
def list_rules(experiment: str, as_json: bool) -> None:
    """Show the rules of an experiment, by its name or ID."""
    from logbuch.sdk import alerts as sdk

    found = sdk.list_rules(experiment)
    if as_json:
        print_json(found)
        return
    for rule in found:
        click.echo(f"{rule.rule_id:>5}  {rule.level:<8} {rule.condition}")
    if not found:
        click.echo("No rules.")


@rules.command("add")
@click.argument("experiment")
@click.argument("condition")
@click.option(
    "--level",
    type=click.Choice([str(level) for level in Level]),
    default="warning",
    show_default=True,
    help="How grave.",
)
@asks
def add_rule(experiment: str, condition: str, level: str, as_json: bool) -> None:
    """Watch the runs of an experiment.

    CONDITION is a line such as "eval/loss is nan", "train/loss > 8", "gpu < 20 for 15m", "no point for 10m",
    "run failed", "run lost" or "run unstable".
    """
    from logbuch.sdk import alerts as sdk

    rule = sdk.add_rule(condition, experiment, level)
    if as_json:
        print_json(rule)
    else:
        click.echo(f"Rule {rule.rule_id}: {rule.condition} ({rule.level}). A server judges runs by it as they change.")


@rules.command("remove")
@click.argument("rule_id", metavar="RULE")
@asks
def remove_rule(rule_id: str, as_json: bool) -> None:
    """Take a rule away; the alerts that it raised stay.

    RULE is the number that `logbuch alerts rules list` shows.
    """
    from logbuch.sdk import alerts as sdk

    sdk.remove_rule(rule_id)
    if as_json:
        print_json({"removed": rule_id})
    else:
        click.echo(f"Removed rule {rule_id}.")


def _print(alert: Alert) -> None:
    when = local_time(alert.time)
    seen = ""
    if alert.acknowledged_time is not None:
        seen = f"  (seen{f' by {alert.acknowledged_by}' if alert.acknowledged_by else ''})"
    click.echo(f"{alert.alert_id:>5}  {when}  {alert.level:<8} {alert.run_name} ({alert.run_id})  {alert.title}{seen}")
    for line in alert.text.splitlines():
        click.echo(f"         {line}")
