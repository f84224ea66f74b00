"""Configurations as YAML: read, checked key by key, overridden, written."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from storyteller.config import Config
from storyteller.errors import ConfigError

_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", list: "a list of texts"}


def shipped() -> list[str]:
    """The names of the configurations that come with the package."""
    folder = resources.files("storyteller") / "configs"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load(name_or_path: str, overrides: Iterable[str] = ()) -> Config:
    """The configuration of a file, or of one that is shipped; ``overrides`` are texts ``section.key=value``."""
    content = parsed(_text(name_or_path), name_or_path)
    for override in overrides:
        _override(content, override)
    return build(content)


def build(content: Mapping[str, Any]) -> Config:
    """A configuration from plain values; ``ConfigError`` names the key that is unknown or wrong."""
    config: Config = _section(Config, content, "")
    return config


def plain(config: Config) -> dict[str, Any]:
    """The configuration as plain values, every key in it; :func:`build` gives it back."""
    return dataclasses.asdict(config)


def dumped(config: Config) -> str:
    """The configuration as YAML, every key in it; :func:`load` reads it."""
    return yaml.safe_dump(plain(config), sort_keys=False)


def flat(config: Config) -> dict[str, Any]:
    """One level, keys without sections where they are unique (all are but ``seed``): what a tracker shows as params."""
    found: dict[str, Any] = {}
    for section, values in plain(config).items():
        evaluation = values.pop("evaluation", {})
        for key, value in values.items():
            found[key if key not in found else f"{section}_{key}"] = value
        found |= {f"evaluation_{key}": value for key, value in evaluation.items()}
    return found


def parsed(text: str, origin: str) -> dict[str, Any]:
    """The mapping of a YAML text."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"Invalid configuration {origin}: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"Invalid configuration {origin}: it must have sections, such as `model:`.")
    return content


def _text(name_or_path: str) -> str:
    path = Path(name_or_path)
    try:
        if path.is_file():
            return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Configuration {name_or_path} cannot be read: {error}") from None
    # The commands of other places say `configs/base_model.yaml` of the shipped one too.
    name = path.name.removesuffix(".yaml")
    if name in shipped() and str(path.parent) in (".", "configs"):
        return (resources.files("storyteller") / "configs" / f"{name}.yaml").read_text(encoding="utf-8")
    raise ConfigError(f"Unknown configuration {name_or_path!r}: no such file, and shipped are {', '.join(shipped())}.")


def _override(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or "." not in key:
        raise ConfigError(f"Invalid override {override!r}: section.key=value is wanted.")
    *sections, name = key.strip().split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ConfigError(f"Invalid override {override!r}: {section!r} is no section.")
    try:
        content[name] = yaml.safe_load(value)
    except yaml.YAMLError:
        content[name] = value


def _section(kind: Any, content: Any, path: str) -> Any:
    if not isinstance(content, Mapping):
        raise ConfigError(f"Invalid {path or 'configuration'} {content!r}: a section with keys is wanted.")
    hints = typing.get_type_hints(kind)
    for key in content:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(hints)}."
            raise ConfigError(f"Unknown key {_join(path, key)!r}: {hint}")
    return kind(**{key: _value(hints[key], value, _join(path, key)) for key, value in content.items()})


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _value(kind: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _section(kind, {} if value is None else value, path)
    if typing.get_origin(kind) is typing.Literal:
        return _choice(typing.get_args(kind), value, path)
    if typing.get_origin(kind) is list:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
    elif kind is float:
        number = _number(value)
        if number is not None:
            return number
    elif kind is str and value is None:
        return ""
    elif type(value) is kind:
        return value
    raise ConfigError(f"Invalid {path} {value!r}: {_NAMES[typing.get_origin(kind) or kind]} is wanted.")


def _choice(choices: tuple[str, ...], value: Any, path: str) -> str:
    # YAML reads `true` as a truth value: here it is one of the texts.
    chosen = str(value).lower() if isinstance(value, bool) else value
    if chosen not in choices:
        raise ConfigError(f"Invalid {path} {value!r}: one of {', '.join(choices)} is wanted.")
    return str(chosen)


def _number(value: Any) -> float | None:
    """A finite number; YAML 1.1 takes ``3e-4`` for a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
