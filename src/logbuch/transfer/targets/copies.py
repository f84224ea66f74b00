"""A file of the source on this disk, for an upload that wants to know its size and may have to begin again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def copied(open_: Callable[[], BinaryIO]) -> Iterator[Path]:
    """A copy that is gone afterwards."""
    with tempfile.NamedTemporaryFile() as copy, open_() as content:
        shutil.copyfileobj(content, copy)
        copy.flush()
        yield Path(copy.name)
