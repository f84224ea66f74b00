"""One prediction without a server."""

from __future__ import annotations

from logbuch.serving import answers, requests
from logbuch.serving.model import Served


def predict(served: Served, body: bytes, content_type: str) -> bytes:
    """What the server would answer to this body; ``content_type`` is ``json`` or ``csv``."""
    media = requests.CSV if content_type == "csv" else requests.JSON
    asked = requests.parse(body, media, served.signature)
    return answers.encode(served.loaded.predict(asked.data, asked.params or None), wrapped=asked.wrapped)
