"""A model's folder: what the flavor writes, its loader, environment, signature, example, and the MLmodel file."""

from __future__ import annotations

import datetime
import inspect
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from logbuch.errors import InvalidInput
from logbuch.models import digests, environment, examples
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.inference import infer_signature
from logbuch.models.info import ModelInfo
from logbuch.models.schema import ModelSignature
from logbuch.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What ``save_model`` and ``log_model`` of every flavor take beside the model."""

    signature: ModelSignature | None = None
    input_example: Any = None
    pip_requirements: Sequence[str] | str | None = None
    extra_pip_requirements: Sequence[str] | str | None = None
    code_paths: Sequence[str] | None = None
    metadata: Mapping[str, Any] | None = None


class Origin(msgspec.Struct, frozen=True):
    """Where a logged model comes from."""

    run_id: str | None = None
    artifact_path: str | None = None
    model_id: str | None = None


def save(flavor: Flavor, model: Any, path: str | Path, extras: Extras, origin: Origin | None = None) -> ModelInfo:
    """Writes a model to a folder, which must be empty or missing. What fails leaves nothing behind."""
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"Invalid path {str(path)!r}: it exists and is not an empty folder.")
    if extras.signature is not None and not hasattr(extras.signature, "to_dict"):
        raise InvalidInput(f"Invalid signature of type {type(extras.signature).__name__}: use infer_signature.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _written(flavor, model, folder, extras, origin or Origin())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _written(flavor: Flavor, model: Any, folder: Path, extras: Extras, origin: Origin) -> ModelInfo:
    saved = flavor.write(model, folder)
    _carry(folder, flavor, saved, extras.code_paths or ())
    requirements = environment.chosen(
        (*flavor.packages, *saved.packages), extras.pip_requirements, extras.extra_pip_requirements
    )
    environment.write(folder, requirements)
    flavors = {"python_function": _python_function(flavor, saved)}
    if flavor.name != "python_function":
        flavors[flavor.name] = dict(saved.entry)
    example = None if extras.input_example is None else examples.write(folder, extras.input_example)
    info = ModelInfo(
        flavors=flavors,
        model_uuid=uuid.uuid4().hex,
        model_id=origin.model_id,
        run_id=origin.run_id,
        artifact_path=origin.artifact_path,
        signature=_signature(flavor, folder, flavors, extras) or saved.signature,
        input_example=example,
        utc_time_created=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        metadata=extras.metadata,
        model_size_bytes=sum(file.stat().st_size for file in digests.files(folder)),
        more={"logbuch_version": __version__},
    )
    info.write(folder)
    digests.WRITTEN_HERE.add(digests.digest(folder))
    return info


def _python_function(flavor: Flavor, saved: Saved) -> dict[str, Any]:
    own = dict(saved.entry) if flavor.name == "python_function" else {}
    return own | {
        "loader_module": _loader_name(flavor),
        "python_version": environment.python_version(),
        "env": dict(environment.ENTRY),
        "code": "code",
        **saved.python_function,
    }


def _loader_name(flavor: Flavor) -> str:
    return flavor.loader.__name__.rpartition(".")[2]


def _carry(folder: Path, flavor: Flavor, saved: Saved, code_paths: Sequence[str]) -> None:
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name, source in {f"{_loader_name(flavor)}.py": inspect.getsource(flavor.loader), **saved.code}.items():
        (code / name).write_text(source, encoding="utf-8")
    for path in map(Path, code_paths):
        if path.is_dir():
            shutil.copytree(path, code / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.is_file():
            shutil.copyfile(path, code / path.name)
        else:
            raise InvalidInput(f"Invalid code_paths: there is no file or folder {str(path)!r}.")


def _signature(
    flavor: Flavor, folder: Path, flavors: Mapping[str, Mapping[str, Any]], extras: Extras
) -> ModelSignature | None:
    """The one given, or else that of the example and what the model, loaded again, answers to it."""
    if extras.signature is not None or extras.input_example is None:
        return extras.signature
    data, params = examples.parts(extras.input_example)
    entry = flavors[flavor.name]
    wrapped = flavor.loader.wrap(flavor.loader.load(folder, entry), flavors)
    answer = wrapped.predict(examples.shortened(data), dict(params) if params else None)
    return infer_signature(data, answer, params)
