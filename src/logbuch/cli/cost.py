"""``logbuch cost``: GPU hours, energy, money and CO2."""

from __future__ import annotations

from typing import Any

import click

from logbuch.cli.asking import asks, knowing_runs, print_json


@click.command()
@click.argument("experiment", required=False)
@click.option("--run", "run_id", metavar="ID", help="Of one run.")
@click.option("--by", type=click.Choice(["month"]), help="Each month by itself too.")
@asks
def cost(experiment: str | None, run_id: str | None, by: str | None, as_json: bool) -> None:
    """Say what trainings cost: GPU hours, energy, money and CO2.

    EXPERIMENT is a name or an ID; without it, and without --run, all runs are counted. Prices are settings of the
    server: price_gpu_hour, price_kilowatt_hour, currency, co2_grams.
    """
    from logbuch.sdk import answers
    from logbuch.sdk.connection import connect

    if experiment and run_id:
        raise click.UsageError("Give an experiment or --run, not both.")
    connection = connect()
    body = {"run_id": run_id or "", "by": by or ""}
    if experiment:
        body["experiment_id"] = answers.experiment_id(connection, experiment)
    with knowing_runs():
        answer = answers.ask(connection, "/cost", body)
    if as_json:
        print_json(answer)
        return
    for month in answer.get("months", ()):
        click.echo(f"{month['month']}  {_line(month)}")
    click.echo(_line(answer["cost"]))


def _line(one: dict[str, Any]) -> str:
    parts = [f"{one['runs']} {'run' if one['runs'] == 1 else 'runs'}", f"{one['hours']:.2f} h"]
    parts.append(f"{one['gpu_hours']:.2f} GPU h")
    if one["watt_hours"] or one["runs"] > one["unknown"]:
        guess = f" ({one['estimated'] / 1000:.3f} of it estimated)" if one["estimated"] else ""
        parts.append(f"{one['watt_hours'] / 1000:.3f} kWh{guess}")
    if one["money"] is not None:
        parts.append(f"{one['money']:.2f} {one['currency']}")
    if one["co2_grams"] is not None:
        parts.append(f"{one['co2_grams'] / 1000:.3f} kg CO2")
    if one["unknown"]:
        parts.append(f"energy of {one['unknown']} not known")
    return ", ".join(parts)
