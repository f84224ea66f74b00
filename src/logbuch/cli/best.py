"""``logbuch best``: which run was best, why, and is its lead larger than the noise of the seeds?"""

from __future__ import annotations

import click

from logbuch.answers import Baseline, Best, Effect, Group, Importance, Reading
from logbuch.cli.asking import asks, knowing_runs, print_json, shown

_READINGS = {
    Reading.LAST: "by the last value",
    Reading.BEST: "by the best value",
    Reading.SMOOTHED: "by the best of the moving average",
}
MOST_EFFECTS = 8
WIDTH = 24


@click.command()
@click.argument("experiment")
@click.option("--metric", metavar="KEY", help="By this metric; without it the experiment's, or the evaluation loss.")
@click.option("--filter", "filter_", default="", metavar="TEXT", help="Only runs that this finds.")
@click.option("--lower/--higher", default=None, help="Which way is better, where the name does not tell.")
@click.option("--read", "reading", type=click.Choice([word.value for word in Reading]),
              help="A run's last value, the best it ever had, or the best of its moving average.")  # fmt: skip
@click.option("--baseline", metavar="RUN", help="With --keep: hold others against this run; 'none' against none.")
@click.option("--keep", is_flag=True, help="Judge the experiment so from now on: metric, way, reading, baseline.")
@click.option("--why", is_flag=True, help="Say which params explain the metric, and what the best run has of them.")
@asks
def best(
    experiment: str,
    metric: str | None,
    filter_: str,
    lower: bool | None,
    reading: str | None,
    baseline: str | None,
    keep: bool,
    why: bool,
    as_json: bool,
) -> None:
    """Name the best finished run of an experiment, and the runner-up.

    EXPERIMENT is a name or an ID. Runs that differ in nothing but the seed are taken together, and the lead is held
    against their noise. What is kept is used on the page and by everyone.
    """
    from logbuch.sdk.answers import best_run, judge_by, param_importance

    if baseline is not None and not keep:
        raise click.UsageError("--baseline is kept with the experiment: say --keep too.")
    if keep:
        pinned = "" if baseline == "none" else baseline
        with knowing_runs():
            judge_by(experiment, metric=metric, lower=lower, reading=reading, baseline=pinned)
    found = best_run(experiment, metric, filter_, lower=lower, reading=reading)
    reasons = param_importance(experiment, metric, filter_, lower=lower, reading=reading) if why else None
    if as_json:
        print_json(found if reasons is None else {"best": found, "importance": reasons})
    else:
        _print(found)
        if reasons is not None:
            _print_reasons(reasons)


def _print(found: Best) -> None:
    way = "lower" if found.lower else "higher"
    reading = "" if found.reading is Reading.LAST else f" {_READINGS[found.reading]},"
    click.echo(f"{found.metric},{reading} {way} is better, of {found.runs} finished runs:")
    _print_group("best", found.best)
    if found.runner_up is not None:
        _print_group("runner-up", found.runner_up)
    if found.baseline is not None:
        click.echo(_baseline(found.baseline))
    click.echo(_certainty(found))
    if not found.whole:
        click.echo("There were too many runs to read all moving averages: a run whose best value is worse may be best.")


def _print_group(title: str, group: Group) -> None:
    click.echo(f"  {title:<10} {shown(group.values[0])}  {group.names[0]}  {group.run_ids[0]}")
    if len(group.values) > 1:
        spread = "" if group.low is None else f", 95% interval {shown(group.low)} to {shown(group.high)}"
        click.echo(f"  {'':<10} {len(group.values)} seeds: {shown(group.mean)} ± {shown(group.std)}{spread}")


def _baseline(pinned: Baseline) -> str:
    apart = "" if pinned.change is None else f"; the best is {pinned.change:+.6g} from it"
    percent = "" if pinned.ratio is None else f" ({pinned.ratio:+.2%})"
    return f"  {'baseline':<10} {shown(pinned.value)}  {pinned.name}  {pinned.run_id}{apart}{percent}"


def _certainty(found: Best) -> str:
    if found.p_value is None:
        return f"Whether the lead is more than noise is not known: {found.reason}."
    larger = "larger" if found.significant else "not larger"
    return f"The lead is {larger} than the noise of the seeds (Welch's test, p = {found.p_value:.2g})."


def _print_reasons(found: Importance) -> None:
    if found.reason is not None:
        click.echo(f"What explains {found.metric} is not known: {found.reason}.")
    elif found.explained is None or found.explained <= 0:
        click.echo(f"No param explains {found.metric}.")
    else:
        click.echo(f"The params together explain {found.explained:.0%} of {found.metric} ({found.looked_at} runs):")
    effects = found.effects[:MOST_EFFECTS]
    names = max((len(_cut(one.key)) for one in effects), default=0)
    for one in effects:
        click.echo(f"  {_cut(one.key):<{names}}  {_effect(one)}")
    if len(found.effects) > len(effects):
        click.echo(f"  and {len(found.effects) - len(effects)} others, which explain less.")


def _effect(one: Effect) -> str:
    correlation = "" if one.correlation is None else f", correlation {one.correlation:+.2f}"
    usual = "" if one.usual == one.best else f", usually {_cut(one.usual or '–')}"
    return f"{one.share:.0%} ± {one.error:.0%}{correlation}; best run {_cut(one.best or '–')}{usual}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
