"""Alerts of a training: ``logbuch.alert``; and the calls of those who look after them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from logbuch import limits
from logbuch.alerts import Alert, Level, Rule
from logbuch.sdk import answers
from logbuch.sdk.alertlimit import limiter
from logbuch.sdk.connection import connect
from logbuch.sdk.notes import say
from logbuch.sdk.target import target

logger = logging.getLogger("logbuch")
_PAGE = limits.ALERTS_PER_PAGE


def alert(title: str, text: str = "", level: str = Level.WARNING, run_id: str | None = None) -> None:
    """Raises an alert about the active run, or about the run of an ID: it is kept like a metric, also while no server
    can be reached, and is shown on the page and sent where the server is told to.

    ``level`` is "info", "warning" or "error". Never raises: what does not fit is cut, and what cannot be is said on the
    console. The same title comes at most once a minute, and 20 alerts at once, then two a minute; what is held back is
    counted, in the next alert of that title and in the run's tag ``logbuch.alerts_held_back``.
    """
    try:
        _raise(title, text, level, run_id)
    except Exception as error:  # an alert must not end a training
        logger.debug("an alert failed", exc_info=True)
        say(f"logbuch: the alert {limits.clip(_text(title))!r} was not raised: {error}")


def _raise(title: str, text: str, level: str, run_id: str | None) -> None:
    shown = _fitting(" ".join(_text(title).split()), limits.ALERT_TITLE_LENGTH) or "Alert"
    _, writer = target(run_id)
    before = limiter.admit(writer.run_id, shown)
    if before is None:
        return
    more = f"\n({before} more of this title were held back since the last one.)" if before else ""
    words = _fitting(_text(text), limits.ALERT_TEXT_LENGTH - len(more)) + more
    writer.alert(_level(level), shown, words)


def _level(given: Any) -> str:
    word = _text(given).lower()
    word = {"warn": "warning"}.get(word, word)
    return word if word in list(Level) else Level.WARNING


def _text(given: Any) -> str:
    try:
        return str(given)
    except Exception:  # noqa: BLE001  whatever it is, it cannot say what it is
        return f"<{type(given).__name__}>"


def _fitting(text: str, limit: int) -> str:
    """What both databases can hold of a text, cut to a limit."""
    kept = text.replace("\0", "").encode(errors="replace").decode()
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


# -- looking after them ------------------------------------------------------------------------------------------------


def list_alerts(
    experiment: str | None = None, run_id: str | None = None, *, open_only: bool = False, max_results: int = 100
) -> list[Alert]:
    """Alerts of an experiment (its name or ID), of a run, or of all; the newest first."""
    connection = connect()
    body: dict[str, Any] = {"max_results": str(max(1, min(max_results, _PAGE)))}
    if experiment is not None:
        body["experiment_id"] = [answers.experiment_id(connection, experiment)]
    if run_id is not None:
        body["run_id"] = [run_id]
    if open_only:
        body["open"] = "true"
    found: list[Alert] = []
    while True:
        page = answers.ask(connection, "/alerts", body)
        found += msgspec.convert(page["alerts"], list[Alert])
        if len(found) >= max_results or not page.get("next_page_token"):
            return found[:max_results]
        body["page_token"] = page["next_page_token"]


def acknowledge(alert_ids: Sequence[str] = (), experiment: str | None = None, run_id: str | None = None) -> int:
    """Notes that somebody has seen alerts: these, or all open ones of an experiment or run. How many were still open.
    ``NotFound`` for an alert that does not exist."""
    connection = connect()
    body: dict[str, Any] = {"alert_ids": list(alert_ids), "run_id": run_id or ""}
    if experiment is not None:
        body["experiment_id"] = answers.experiment_id(connection, experiment)
    return int(answers.ask(connection, "/alerts/acknowledge", body, "POST")["acknowledged"])


def list_rules(experiment: str | None = None) -> list[Rule]:
    """The rules for alerts of an experiment (its name or ID; None: the current one)."""
    connection = connect()
    body = {"experiment_id": answers.experiment_id(connection, experiment)}
    return msgspec.convert(answers.ask(connection, "/alerts/rules", body)["rules"], list[Rule])


def add_rule(condition: str, experiment: str | None = None, level: str = Level.WARNING) -> Rule:
    """Lets a server watch the runs of an experiment for a condition such as "eval/loss is nan"; see
    docs/reference/alerts.md. ``InvalidInput`` for what is no condition."""
    connection = connect()
    body = {
        "experiment_id": answers.experiment_id(connection, experiment),
        "condition": condition,
        "level": str(level),
    }
    return msgspec.convert(answers.ask(connection, "/alerts/rules/create", body, "POST")["rule"], Rule)


def remove_rule(rule_id: str) -> None:
    """Takes a rule away; ``NotFound`` if there is none."""
    answers.ask(connect(), "/alerts/rules/delete", {"rule_id": rule_id}, "POST")
