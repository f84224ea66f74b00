"""Tables as CSV that a spreadsheet opens without harm."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterable, Sequence
from typing import Any

from starlette.responses import Response, StreamingResponse


def answer(name: str, parts: AsyncIterable[bytes]) -> Response:
    """The answer that a browser saves as a file of this name."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts, headers=headers, media_type="text/csv; charset=utf-8")


def lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as CSV; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
