"""Grid and random searches: the best candidate, a table of all, and the best few as child runs."""

from __future__ import annotations

import csv
import io
from typing import Any

from sklearn.model_selection._search import BaseSearchCV

import logbuch
from logbuch.integrations.names import numbers
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun
from logbuch.integrations.sklearn.fitted import tags


def is_search(estimator: Any) -> bool:
    return isinstance(estimator, BaseSearchCV)


def best(estimator: Any) -> Any:
    """The best candidate of a search, refitted; None without it. Any other estimator itself."""
    return getattr(estimator, "best_estimator_", None) if is_search(estimator) else estimator


def log(run: TrainingRun, search: Any, most: int | None) -> None:
    """Logs a search that is done: ``best_…``, cv_results.csv, and at most ``most`` child runs (None: all)."""
    run.params(getattr(search, "best_params_", {}), prefix="best_")
    run.metrics({"best_cv_score": getattr(search, "best_score_", None)})
    results = search.cv_results_
    run.text(_table(results), "cv_results.csv")
    for number in _best(results)[:most]:
        with quietly("a candidate of the search"):
            _log_candidate(run, search, number)


def _table(results: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(results)
    writer.writerows(zip(*results.values(), strict=True))
    return text.getvalue()


def _best(results: Any) -> list[int]:
    """The candidates by rank; of several scores, by the first that ranks them."""
    rank = next((values for name, values in results.items() if name.startswith("rank_test_")), None)
    count = len(results["params"])
    return sorted(range(count), key=lambda number: rank[number]) if rank is not None else list(range(count))


def _log_candidate(run: TrainingRun, search: Any, number: int) -> None:
    measured = {
        name: values[number]
        for name, values in search.cv_results_.items()
        if name != "params" and not name.startswith("param_")
    }
    active = logbuch.active_run()
    with logbuch.start_run(
        nested=True,
        parent_run_id=run.run_id,
        experiment_id=(active.info.experiment_id or None) if active is not None else None,
        tags=tags(search.estimator),
        log_system_metrics=False,
        log_console=False,
    ):
        logbuch.log_params({key: str(value) for key, value in search.cv_results_["params"][number].items()})
        logbuch.log_metrics(numbers(measured))
