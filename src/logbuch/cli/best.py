"""``logbuch best``: which run was best, and is its lead larger than the noise of the seeds?"""

from __future__ import annotations

import click

from logbuch.answers import Best, Group, Reading
from logbuch.cli.asking import asks, print_json, shown


@click.command()
@click.argument("experiment")
@click.option("--metric", metavar="KEY", help="By this metric; without it the evaluation loss, or what comes nearest.")
@click.option("--filter", "filter_", default="", metavar="TEXT", help="Only runs that this finds.")
@click.option("--lower/--higher", default=None, help="Which way is better, where the name does not tell.")
@click.option("--read", "reading", type=click.Choice(list(Reading)), default=Reading.LAST, show_default=True,
              help="A run's last value, or the best it ever had.")  # fmt: skip
@asks
def best(experiment: str, metric: str | None, filter_: str, lower: bool | None, reading: str, as_json: bool) -> None:
    """Name the best finished run of an experiment, and the runner-up.

    EXPERIMENT is a name or an ID. Runs that differ in nothing but the seed are taken together, and the lead is held
    against their noise.
    """
    from logbuch.sdk.answers import best_run

    found = best_run(experiment, metric, filter_, lower=lower, reading=reading)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: Best) -> None:
    way = "lower" if found.lower else "higher"
    click.echo(f"{found.metric}, {way} is better, of {found.runs} finished runs:")
    _print_group("best", found.best)
    if found.runner_up is not None:
        _print_group("runner-up", found.runner_up)
    click.echo(_certainty(found))


def _print_group(title: str, group: Group) -> None:
    click.echo(f"  {title:<10} {shown(group.values[0])}  {group.names[0]}  {group.run_ids[0]}")
    if len(group.values) > 1:
        spread = "" if group.low is None else f", 95% interval {shown(group.low)} to {shown(group.high)}"
        click.echo(f"  {'':<10} {len(group.values)} seeds: {shown(group.mean)} ± {shown(group.std)}{spread}")


def _certainty(found: Best) -> str:
    if found.p_value is None:
        return f"Whether the lead is more than noise is not known: {found.reason}."
    larger = "larger" if found.significant else "not larger"
    return f"The lead is {larger} than the noise of the seeds (Welch's test, p = {found.p_value:.2g})."
