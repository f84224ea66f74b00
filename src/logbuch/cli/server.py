"""``logbuch server`` and ``logbuch ui``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from logbuch import settings
from logbuch.cli.options import option

_FOLDER = Path(".logbuch")


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that both commands share."""
    for add in reversed(
        (
            option("--backend-store-uri", settings.BACKEND_STORE_URI, metavar="URI"),
            option("--default-artifact-root", settings.ARTIFACT_ROOT, metavar="ROOT"),
            option("--artifacts-destination", settings.ARTIFACTS_DESTINATION, metavar="ROOT"),
            option("--artifact-roots", settings.ARTIFACT_ROOTS, metavar="ROOTS"),
            option("--host", settings.SERVER_HOST, metavar="ADDRESS"),
            option("--port", settings.SERVER_PORT, type=click.IntRange(1, 65535)),
            option("--allowed-hosts", settings.ALLOWED_HOSTS, metavar="NAMES"),
            option("--cors-allowed-origins", settings.CORS_ALLOWED_ORIGINS, metavar="ORIGINS"),
            option("--static-prefix", settings.STATIC_PREFIX, metavar="PATH"),
            option("--workers", settings.WORKERS, type=click.IntRange(1, 64)),
            click.option(
                "--serve-artifacts/--no-serve-artifacts",
                default=True,
                hidden=True,
                help="Accepted as MLflow's; always on.",
            ),
        )
    ):
        command = add(command)
    return command


@click.command()
@_options
def server(**options: Any) -> None:
    """Start the tracking server."""
    _serve(options)


@click.command()
@_options
def ui(**options: Any) -> None:
    """Start the server on this folder's ./.logbuch and show its page."""
    _serve(options)


def _serve(options: dict[str, Any]) -> None:
    from logbuch.server.context import Options
    from logbuch.server.run import Service, serve
    from logbuch.transfer import beside

    installation = beside.hint(Path.cwd())
    if installation is not None:
        click.echo(installation)
    uri = store_uri_of(options["backend_store_uri"] or default_store_uri())
    service = Service(
        store_uri=uri,
        artifact_root=artifact_root(options["artifacts_destination"] or options["default_artifact_root"], uri),
        options=Options(
            host=options["host"],
            port=options["port"],
            static_prefix=_prefix(options["static_prefix"] or ""),
            allowed_hosts=names(options["allowed_hosts"]),
            origins=names(options["cors_allowed_origins"]) or (),
        ),
        workers=options["workers"],
        beside=lambda: _caretaker(uri),
        artifact_roots=names(options["artifact_roots"]) or (),
    )
    sys.exit(serve(service))


def _caretaker(store_uri: str) -> AbstractContextManager[None]:
    """Sends what trainings without a server have left beside a SQLite file."""
    if not store_uri.startswith("sqlite:"):
        return nullcontext()
    from logbuch.sdk.backends import place
    from logbuch.sdk.shipping.caretaker import caretaker

    where = place.understand(store_uri)
    return nullcontext() if isinstance(where, str) else caretaker(*where)


def default_store_uri() -> str:
    """The database of this folder."""
    return f"sqlite:///{_FOLDER / 'logbuch.db'}"


def store_uri_of(text: str) -> str:
    """A bare file name is taken for SQLite's."""
    if "://" in text:
        return text
    if text.startswith("sqlite:") or not text.endswith((".db", ".sqlite")):
        raise click.BadParameter(
            f"{text!r}: use sqlite:///FILE (four slashes for an absolute path) or postgresql://USER@HOST/NAME.",
            param_hint="--backend-store-uri",
        )
    return f"sqlite:///{text}"


def artifact_root(wanted: str | None, store_uri: str) -> str:
    """The default root: as wanted, or beside SQLite's file."""
    if wanted is not None:
        return wanted
    path = urlsplit(store_uri).path.removeprefix("/") if store_uri.startswith("sqlite:") else ""
    return str((Path(unquote(path)).parent if path else _FOLDER) / "artifacts")


def _prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/") or "//" in text or "?" in text or "#" in text):
        raise click.BadParameter(f"{text!r} must begin and not end with a slash.", param_hint="--static-prefix")
    return text


def names(text: str | None) -> tuple[str, ...] | None:
    """The parts of a comma-separated text; None for none."""
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())
