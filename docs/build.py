"""Writes the reference pages that are made from tables in the code: ``python docs/build.py``.

A test compares the files with what this makes, so they cannot go stale.
"""

from __future__ import annotations

from pathlib import Path

from logbuch import settings
from logbuch.server.app import TABLES

FOLDER = Path(__file__).parent / "reference"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Each can be given as an environment variable; of several that are set, the first counts. The server's",
        "also exist as options of `logbuch server` and `logbuch ui`.",
        "",
        "| setting | environment | default | meaning |",
        "|-|-|-|-|",
    ]
    for setting in settings.ALL:
        variables = ", ".join(f"`{variable}`" for variable in setting.variables)
        default = f"`{setting.default}`" if setting.default else "–"
        lines.append(f"| {setting.name} | {variables} | {default} | {setting.help} |")
    return "\n".join(lines) + "\n"


def rest_page() -> str:
    lines = [
        "# REST endpoints",
        "",
        "The machine-readable description is served at `/api/logbuch/1/openapi.json`. POST bodies are JSON",
        '(`Content-Type: application/json`). Errors are `{"error_code": …, "message": …}`; errors in a filter add',
        "`position` and `length`. Times are Unix milliseconds. NaN and ±Infinity are the strings `NaN`, `Infinity` and",
        "`-Infinity`.",
        "",
    ]
    for bases, routes in TABLES:
        lines += [f"## {' and '.join(f'`{base}`' for base in bases) if bases[0] else 'At the root'}", ""]
        lines += ["| method | path | what | permission |", "|-|-|-|-|"]
        for route in routes:
            lines.append(f"| {route.method} | `{route.path}` | {route.summary} | {route.permission.value} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n" + BUCKETS


BUCKETS = """
## The binary form of buckets

`POST /api/logbuch/1/metrics/buckets` takes `{"run_ids": […], "keys": […], "x": "step"|"time"|"relative",
"start": null, "end": null, "buckets": 600, "smoothing": 0}` and answers little-endian bytes:

1. a uint32 with the length of the header, which is padded so that what follows is aligned to 8 bytes;
2. the header as JSON: `x`, the names of the `columns`, and for each of the `series` its `run_id`, `key`, number of
   `buckets` and of `points`, `offset`, `x_min` and `x_max`;
3. for each series, `offset` bytes after the header, its columns of `buckets` float64 each: x of the first and of the
   last point, count of finite values, min, max, first, last, mean, smoothed value, and the counts of NaN, +Infinity and
   -Infinity.

Empty buckets are left out; a series with no more points than buckets comes point by point. Groups of runs and their
curves: [groups](groups.md).

## Live changes

`GET /api/logbuch/1/live?experiment_id=1&cursor=…` is a stream of server-sent events: `hello` with the cursor, then
`changes` with the heads of the runs that changed, at most four a second. Every event's id is the cursor, so a browser
that reconnects misses nothing.
"""


PAGES = {"settings.md": settings_page, "rest.md": rest_page}


def main() -> None:
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
