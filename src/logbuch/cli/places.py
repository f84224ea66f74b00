"""Which store a command is about: the options that say so, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import click

from logbuch import settings
from logbuch.cli.options import option
from logbuch.cli.server import artifact_root, default_store_uri, names, store_uri_of
from logbuch.errors import StoreRefused


class Place(NamedTuple):
    """A database and its artifact roots, the default one first."""

    uri: str
    roots: tuple[str, ...]


def of_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which store is meant."""
    for add in (
        option("--artifact-roots", settings.ARTIFACT_ROOTS, metavar="ROOTS"),
        option("--artifacts-destination", settings.ARTIFACTS_DESTINATION, metavar="ROOT"),
        option("--default-artifact-root", settings.ARTIFACT_ROOT, metavar="ROOT"),
        option("--backend-store-uri", settings.BACKEND_STORE_URI, metavar="URI"),
    ):
        command = add(command)
    return command


def meant(options: Mapping[str, Any]) -> Place:
    """The store that the options name, by default that of this folder."""
    uri = store_uri_of(options["backend_store_uri"] or default_store_uri())
    root = artifact_root(options["artifacts_destination"] or options["default_artifact_root"], uri)
    return Place(uri, (root, *(names(options["artifact_roots"]) or ())))


def file_of(uri: str) -> Path | None:
    """The file of a SQLite database; None for any other."""
    return Path(unquote(uri.removeprefix("sqlite:///").partition("?")[0])) if uri.startswith("sqlite:///") else None


def existing(options: Mapping[str, Any]) -> Place:
    """Like :func:`meant`, for commands that make no database; StoreRefused if there is none."""
    where = meant(options)
    file = file_of(where.uri)
    if file is not None and not file.exists():
        raise StoreRefused(f"There is no database {file}: name it with --backend-store-uri.")
    return where


def need_root(options: Mapping[str, Any], where: Place) -> None:
    """Refuses to go on without the artifacts that a server keeps elsewhere: PostgreSQL does not tell where.

    Else a backup that a timer makes would lack them, and nobody would hear of it.
    """
    named = options["artifacts_destination"] or options["default_artifact_root"]
    if file_of(where.uri) is None and not named and not Path(where.roots[0]).exists():
        raise click.UsageError(
            f"There are no artifacts in {where.roots[0]}: name the server's folder or bucket by "
            "--default-artifact-root, or leave them out by --no-artifacts."
        )
