"""One prediction without a server."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from logbuch.errors import BadRequest, LogbuchError
from logbuch.serving import answers, requests
from logbuch.serving.model import Served


def predict(served: Served, body: bytes, content_type: str) -> bytes:
    """What the server would answer to this body; ``content_type`` is ``json`` or ``csv``."""
    media = requests.CSV if content_type == "csv" else requests.JSON
    asked = requests.parse(body, media, served.signature)
    return answers.encode(_predicted(served, asked), wrapped=asked.wrapped)


def _predicted(served: Served, asked: requests.Asked) -> Any:
    try:
        return served.loaded.predict(asked.data, asked.params or None)
    except LogbuchError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  whatever the model does with this input
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise BadRequest(
            f"The model failed on this input: {' '.join(f'{type(error).__name__}: {error}'.split())} "
            f"({Path(place.filename).name}, line {place.lineno})"
        ) from None
