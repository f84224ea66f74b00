"""The model that a tracker gets: it loads and is served without Storyteller installed, for it carries its code."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import logbuch

_PACKAGE = Path(__file__).parent
_CODE = _PACKAGE / "carried.py"
_MODULE = "storyteller_model"
_REQUIREMENTS = ("torch", "tokenizers", "safetensors", "numpy", "pyyaml", "pandas")


def signature() -> Any:
    """Texts in, texts out, and how to generate; the params' defaults are those of the model's configuration."""
    models = logbuch.models
    text = (models.ColumnSpec("string"),)
    params = (
        models.ParamSpec("max_new_tokens", "long", 64),
        models.ParamSpec("temperature", "double", 0.8),
        models.ParamSpec("top_k", "long", 50),
        models.ParamSpec("top_p", "double", 0.95),
        models.ParamSpec("repetition_penalty", "double", 1.0),
        models.ParamSpec("seed", "long", 0),
    )
    return models.ModelSignature(text, text, params)


def log(folder: Path) -> Any:
    """Logs the model of a folder (see :mod:`storyteller.weights`) to the active run, under the name ``model``."""
    with tempfile.TemporaryDirectory(prefix="storyteller-") as place:
        code = Path(place) / "storyteller"
        shutil.copytree(_PACKAGE, code, ignore=shutil.ignore_patterns("__pycache__", "commands", "configs"))
        return logbuch.pyfunc.log_model(
            name="model",
            python_model=_python_model(Path(place)),
            artifacts={"storyteller": str(folder)},
            code_paths=[str(code)],
            signature=signature(),
            pip_requirements=_requirements(),
        )


def _python_model(place: Path) -> Any:
    """The class of ``carried.py``, from a copy: the source of a class that is installed would not be kept."""
    copy = place / f"{_MODULE}.py"
    shutil.copyfile(_CODE, copy)
    spec = importlib.util.spec_from_file_location(_MODULE, copy)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    spec.loader.exec_module(module)
    return module.StoryModel()


def _requirements() -> list[str]:
    from importlib import metadata

    found = []
    for name in _REQUIREMENTS:
        try:
            found.append(f"{name}=={metadata.version(name).partition('+')[0]}")
        except metadata.PackageNotFoundError:
            continue
    return found
