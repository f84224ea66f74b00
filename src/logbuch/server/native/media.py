"""What a run has logged beyond scalars: series by kind and key, and histograms. See docs/reference/media.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from logbuch import limits
from logbuch.files import keys
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import histograms, runs
from logbuch.wire import native as wire

IMAGES, FOLDER = "images", "media"
FILE_KINDS = ("audio", "confusion-matrix", "histogram", "pr-curve", "roc-curve")
_NAME = re.compile(
    r"(?P<key>.+)(?P<mark>[+%])step(?P=mark)(?P<step>-?\d{1,19})(?P=mark)timestamp(?P=mark)(?P<time>-?\d{1,19})(?P=mark)"
    r"[0-9a-zA-Z\-]{36}(?P<small>(?P=mark)compressed)?\.(?P<suffix>\w{1,10})"
)
Item = dict[str, Any]


async def listing(context: Context, request: wire.MediaRequest) -> Any:
    folder = await context.read(runs.artifact_folder, request.run_id)
    found: dict[tuple[str, str], list[Item]] = {}
    for kind, place in [("image", IMAGES), *((kind, f"{FOLDER}/{kind}") for kind in FILE_KINDS)]:
        files = await context.files_call(context.files.list, keys.run_key(folder, request.run_id, place), place)
        for key, items in _series(file.path for file in files if not file.is_dir).items():
            found[kind, key] = items
    for key, places in (await context.read(histograms.steps, request.run_id)).items():
        found.setdefault(("histogram", key), []).extend({"step": step, "timestamp": time} for step, time in places)
    return {"media": [_columns(kind, key, items) for (kind, key), items in sorted(found.items())]}


async def columns(context: Context, request: wire.HistogramRequest) -> Any:
    limits.check_page_size(request.limit, "limit", limits.HISTOGRAMS_PER_ANSWER)
    total, found = await context.read(histograms.read, request.run_id, request.key, request.limit)
    return {
        "key": request.key,
        "total": total,
        "steps": [one.step for one in found],
        "timestamps": [one.timestamp for one in found],
        "edges": [one.edges for one in found],
        "counts": [one.counts for one in found],
        "nan": [one.nan for one in found],
        "infinite": [one.infinite for one in found],
    }


def _series(paths: Iterable[str]) -> Mapping[str, list[Item]]:
    """Files by their keys; a small copy joins the file of which it is one."""
    found: dict[str, list[Item]] = {}
    small: dict[str, str] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        if match["small"]:
            small[path.rpartition(match["small"])[0]] = path
            continue
        key = match["key"].replace("~", "/").replace("#", "/")
        item: Item = {"step": int(match["step"]), "timestamp": int(match["time"]), "path": path}
        found.setdefault(key, []).append(item)
    for items in found.values():
        for item in items:
            item["thumbnail"] = small.get(str(item["path"]).rpartition(".")[0])
    return found


def _columns(kind: str, key: str, items: list[Item]) -> Item:
    items.sort(key=lambda item: (item["step"], item["timestamp"]))
    names = ("step", "timestamp", "path", "thumbnail")
    series = {f"{name}s": [item.get(name) for item in items] for name in names}
    return {"kind": kind, "key": key} | series


_READ = Permission.READ
ROUTES = (
    Route(
        "GET",
        "/runs/media",
        wire.MediaRequest,
        _READ,
        listing,
        "A run's pictures, sounds, curves and histograms by key",
    ),
    Route("GET", "/runs/histograms", wire.HistogramRequest, _READ, columns, "Histograms of a key over steps"),
)
