"""Requests that concern many runs at once, and saved views."""

from __future__ import annotations

from logbuch.wire.mlflow import Body
from logbuch.wire.native import TableRequest


class RunsRequest(Body, kw_only=True):
    run_ids: list[str]


class WireTagChange(Body, kw_only=True):
    """Without ``value`` the tag is removed."""

    run_id: str
    key: str
    value: str | None = None


class TagsRequest(Body, kw_only=True):
    changes: list[WireTagChange]


class MoveRequest(RunsRequest, kw_only=True):
    experiment_id: str


class ExportRequest(TableRequest, kw_only=True):
    """The query of a table, as a file. Without ``columns`` all that the experiments' runs have logged; ``format`` is
    csv or parquet. Pages are not cut: ``max_results``, ``page_token`` and ``offset`` have no meaning."""

    format: str = "csv"


class ViewsRequest(Body, kw_only=True):
    experiment_id: str


class CreateView(Body, kw_only=True):
    experiment_id: str
    name: str
    state: str = ""


class ChangeView(Body, kw_only=True):
    view_id: str
    name: str | None = None
    state: str | None = None


class RemoveView(Body, kw_only=True):
    view_id: str


class DefaultView(Body, kw_only=True):
    experiment_id: str
    view_id: str | None = None
