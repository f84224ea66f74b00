"""Which store a command is about: the options that say so, and what they mean together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from logbuch import settings
from logbuch.cli.options import option
from logbuch.cli.server import artifact_root, default_store_uri, names, store_uri_of


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
