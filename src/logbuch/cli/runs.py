"""``logbuch runs``: the runs that a search finds, as a table, CSV, JSON or IDs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli.asking import asks, print_json, shown

if TYPE_CHECKING:
    from logbuch.model import Run

_KINDS = ("params", "metrics", "tags")
_SHOWN, _WIDTH = 4, 40
"""Params and metrics that a table has if none are named, of each so many; and how wide a cell may be."""


def _keys(_context: click.Context, _option: click.Parameter, columns: Sequence[str]) -> Sequence[str]:
    for column in columns:
        kind, _, key = column.partition(".")
        if kind not in _KINDS or not key:
            raise click.BadParameter(f"{column!r}: write params.KEY, metrics.KEY or tags.KEY.")
    return columns


@click.command()
@click.argument("experiment", required=False)
@click.option("--filter", "filter_text", default="", metavar="SEARCH", help="Only runs that this search finds.")
@click.option("--order-by", "order", multiple=True, metavar="KEY",
              help="Such as 'metrics.loss ASC'. May be repeated. Absent: the newest first.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Most runs.")
@click.option("--column", "-c", "columns", multiple=True, metavar="KEY", callback=_keys,
              help="Show this, such as params.lr. May be repeated.")  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with all params and metrics unless some are named.")
@click.option("--ids", is_flag=True, help="Print IDs alone, for other commands.")
@asks
def runs(
    experiment: str | None,
    filter_text: str,
    order: Sequence[str],
    limit: int,
    columns: Sequence[str],
    as_csv: bool,
    ids: bool,
    as_json: bool,
) -> None:
    """List runs: of EXPERIMENT, a name or an ID, or else of all.

    The language of --filter and --order-by is that of the page: docs/reference/search.md.
    """
    if as_csv + ids + as_json > 1:
        raise click.UsageError("Give one of --csv, --ids and --json.")
    found = _found(experiment, filter_text, order, limit + 1)
    some, names = found[:limit], {} if experiment or as_json or ids else _experiments()
    if as_json:
        print_json([_data(run) for run in some])
    elif ids:
        click.echo("".join(f"{run.info.run_id}\n" for run in some), nl=False)
    elif as_csv:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerows(_rows(some, columns or _all(some), names, _exact))
    else:
        _print_table(some, columns or _telling(some), names, more=len(found) > limit)


def _found(experiment: str | None, filter_text: str, order: Sequence[str], most: int) -> list[Run]:
    import logbuch
    from logbuch.sdk import answers
    from logbuch.sdk.connection import connect

    found: list[Run] = logbuch.search_runs(
        [answers.experiment_id(connect(), experiment)] if experiment else None,
        search_all_experiments=not experiment,
        filter_string=filter_text,
        order_by=list(order),
        max_results=most,
        output_format="list",
    )
    return found


def _experiments() -> dict[str, str]:
    import logbuch

    return {one.experiment_id: one.name for one in logbuch.search_experiments(view_type=logbuch.entities.ViewType.ALL)}


def _data(run: Run) -> dict[str, Any]:
    info, data = run.info, run.data
    told: dict[str, Any] = {"run_id": info.run_id, "run_name": info.run_name, "experiment_id": info.experiment_id}
    told |= {"status": info.status, "start_time": info.start_time, "end_time": info.end_time}
    return told | {"params": data.params, "metrics": data.metrics, "tags": data.tags}


# -- columns -----------------------------------------------------------------------------------------------------------


def _values(run: Run, kind: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(run.data, kind)
    return found


def _named(found: Iterable[Run], kind: str) -> list[str]:
    return [f"{kind}.{key}" for key in sorted({key for run in found for key in _values(run, kind)})]


def _all(found: Iterable[Run]) -> list[str]:
    return [*_named(found, "params"), *_named(found, "metrics")]


def _telling(found: Sequence[Run]) -> list[str]:
    """The first params in which the runs differ (of a single run any), and the first metrics but the machine's."""
    few = min(len(found), 2)
    params = [name for name in _named(found, "params") if len({_value(run, name) for run in found}) >= few]
    metrics = [name for name in _named(found, "metrics") if not name.startswith("metrics.system/")]
    return [*params[:_SHOWN], *metrics[:_SHOWN]]


def _value(run: Run, column: str) -> Any:
    kind, _, key = column.partition(".")
    return _values(run, kind).get(key)


# -- what is printed ---------------------------------------------------------------------------------------------------


def _rows(
    found: Iterable[Run], columns: Sequence[str], names: Mapping[str, str], said: Callable[[Any], str]
) -> Iterable[list[str]]:
    """The line of titles and a line a run, with its experiment where ``names`` has those."""
    yield ["run_id", "run_name", *(["experiment"] if names else ()), "status", "started", *columns]
    for run in found:
        info = run.info
        head = [info.run_id, info.run_name or ""]
        if names:
            head.append(names.get(info.experiment_id, info.experiment_id))
        yield [*head, info.status, _moment(info.start_time), *(said(_value(run, column)) for column in columns)]


def _moment(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().isoformat(" ", "seconds")


def _exact(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _brief(value: Any) -> str:
    if value is None or isinstance(value, float):
        return shown(value)
    text = " ".join(str(value).split())
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _print_table(found: Sequence[Run], columns: Sequence[str], names: Mapping[str, str], *, more: bool) -> None:
    if not found:
        click.echo("No runs.")
        return
    rows = list(_rows(found, columns, names, _brief))
    rows[0] = [title.partition(".")[2] or title for title in rows[0]]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if more:
        click.echo(f"… and more than these {len(found)}: see --limit.")
