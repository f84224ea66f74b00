"""Python functions of the real client: a class pickled by cloudpickle, or code.

Of ``model_code_path`` only the name counts: it is where the file lay when it was logged, and a copy is in the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.carried import logbuch_model_pyfunc as ours
from logbuch.models.foreign import pickled, standins


def load(folder: Path, entry: dict[str, Any]) -> Any:
    """The object of the user's class, with its context loaded."""
    code = entry.get("code")
    if code:
        sys.path.insert(0, str(folder / code))
    model = (
        _from_code(folder / Path(entry["model_code_path"]).name)
        if entry.get("model_code_path")
        else _unpickled(folder, entry)
    )
    with standins.installed():
        ours.begin(model, folder, entry)
    return model


def _unpickled(folder: Path, entry: dict[str, Any]) -> Any:
    return pickled.load(folder / entry["python_model"])


def _from_code(file: Path) -> Any:
    standins.chosen(None)
    with standins.installed():
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"__name__": "model"})  # noqa: S102
    if standins.chosen.model is None:
        raise InvalidInput(f"The model's code {file.name} calls no set_model.")
    return standins.chosen.model


wrap = ours.wrap
