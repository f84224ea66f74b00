"""``logbuch models``: serve a model, predict with it, export it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from logbuch.cli.asking import answers, print_json

_ENVIRONMENTS = click.Choice(["local", "uv", "virtualenv"])


@click.group()
def models() -> None:
    """Serve models, predict with them, export them."""


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of all commands that take a model."""
    for add in (
        click.option("--tracking-uri", metavar="URI", help="The server or folder; by default as for a training."),
        click.option(
            "--model-uri",
            "-m",
            required=True,
            metavar="URI",
            help="runs:/RUN/PATH, models:/NAME/VERSION (or /STAGE, or @ALIAS), models:/m-ID, or a folder.",
        ),
    ):
        command = add(command)
    return command


def _loads(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that load the model."""
    for add in (
        click.option("--allow-pickle", is_flag=True, help="Load models that need pickle: their authors run code here."),
        click.option(
            "--env-manager",
            type=_ENVIRONMENTS,
            default="local",
            show_default=True,
            help="The environment: this one, or a fresh one with the model's requirements.",
        ),
    ):
        command = add(command)
    return command


@models.command()
@_shared
@_loads
@click.option("--host", "-h", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", "-p", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", "-w", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--timeout", "-t", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Seconds an answer may take."
)
@click.option(
    "--allowed-hosts", metavar="NAMES", help="Comma-separated host names that requests may carry; * admits all."
)
@click.option(
    "--max-body-mb", default=64.0, show_default=True, type=click.FloatRange(0.001), help="Largest request, in MB."
)
@click.option(
    "--batch-window-ms",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0, 1000),
    help="How long a prediction waits for others to join it; 0 for not at all.",
)
@click.option(
    "--batch-rows", default=1024, show_default=True, type=click.IntRange(1), help="Most rows of a prediction."
)
@click.option("--queue", default=256, show_default=True, type=click.IntRange(1), help="Most requests that wait.")
def serve(
    model_uri: str, tracking_uri: str | None, allow_pickle: bool, env_manager: str, workers: int, **options: Any
) -> None:
    """Serve a model by MLflow's scoring protocol: POST /invocations."""
    _need_serving()
    from logbuch.web import sockets

    sockets.check(_listening(options))
    _connect(tracking_uri)
    _in_fresh_environment(model_uri, env_manager, allow_pickle)
    with _shared_numbers() if workers > 1 else nullcontext():
        from logbuch.serving import folder as folders
        from logbuch.serving.run import leave
        from logbuch.serving.run import serve as run

        with folders.fetched(model_uri) as place:
            _say(folders.trust(place, model_uri, allow_pickle=allow_pickle))
            code = run(lambda: folders.load(place, model_uri, allow_pickle=allow_pickle), _options(options), workers)
    leave(code)


@models.command()
@_shared
@_loads
@click.option(
    "--input-path",
    "-i",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="By default standard input.",
)
@click.option(
    "--output-path", "-o", type=click.Path(dir_okay=False, path_type=Path), help="By default standard output."
)
@click.option(
    "--content-type", "-t", type=click.Choice(["json", "csv"]), default="json", show_default=True, help="Of the input."
)
def predict(
    model_uri: str,
    tracking_uri: str | None,
    allow_pickle: bool,
    env_manager: str,
    input_path: Path | None,
    output_path: Path | None,
    content_type: str,
) -> None:
    """Predict once, with input and answer as POST /invocations has them."""
    _need_serving()
    from logbuch.serving import folder as folders
    from logbuch.serving.once import predict as predict_once

    _connect(tracking_uri)
    _in_fresh_environment(model_uri, env_manager, allow_pickle)
    with folders.fetched(model_uri) as place:
        _say(folders.trust(place, model_uri, allow_pickle=allow_pickle))
        body = input_path.read_bytes() if input_path is not None else sys.stdin.buffer.read()
        served = folders.load(place, model_uri, allow_pickle=allow_pickle)
        answer = predict_once(served, body, content_type)
    if output_path is None:
        click.echo(answer)
    else:
        output_path.write_bytes(answer)


@models.command()
@_shared
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--image-context", is_flag=True, help="With a Dockerfile.")
@answers
def export(model_uri: str, tracking_uri: str | None, target: Path, image_context: bool, as_json: bool) -> None:
    """Write a model to DIR so that it is served without Logbuch: its files, pinned requirements, a start script."""
    _need_serving()
    from logbuch.models import needs_pickle
    from logbuch.models.loading import verify
    from logbuch.serving import folder as folders
    from logbuch.serving.export import export as export_to

    _connect(tracking_uri)
    with folders.fetched(model_uri) as place:
        verify(place, model_uri)
        reason = needs_pickle(place.folder)
        export_to(place.folder, target, image=image_context)
    if reason is not None:
        click.echo(f"Warning: {reason}: who starts the export runs what the model's authors put there.", err=True)
    if as_json:
        print_json({"path": str(target), "start": str(target / "start.sh")})
    else:
        click.echo(f"{target}: start it with {target / 'start.sh'}")


def _connect(tracking_uri: str | None) -> None:
    if tracking_uri:
        from logbuch.sdk.fluent import set_tracking_uri

        set_tracking_uri(tracking_uri)


def _need_serving() -> None:
    missing = [name for name in ("pandas", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise click.ClickException(f"{missing[0]} is missing: pip install 'logbuch[serving]'")


@contextmanager
def _shared_numbers() -> Iterator[None]:
    """A folder in which several workers keep their numbers together. It must be known before the metrics are
    imported."""
    from logbuch.serving.scratch import scratch

    with scratch("logbuch-serving-") as place:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = place
        yield


def _listening(options: dict[str, Any]) -> Any:
    from logbuch.cli.server import names
    from logbuch.web.options import Listening

    return Listening(options["host"], options["port"], allowed_hosts=names(options["allowed_hosts"]))


def _options(options: dict[str, Any]) -> Any:
    from logbuch.serving.app import Options
    from logbuch.serving.batching import Limits

    return Options(
        _listening(options),
        Limits(options["batch_window_ms"] / 1000, options["batch_rows"], options["queue"]),
        options["timeout"],
        int(options["max_body_mb"] * 1_000_000),
    )


def _in_fresh_environment(model_uri: str, manager: str, allow_pickle: bool) -> None:
    """Unless this environment is wanted: the same command in a fresh one, and the end with its exit code."""
    if manager == "local":
        return
    from logbuch.models.loading import verify
    from logbuch.serving import folder as folders
    from logbuch.serving.environments import prepare, run_in

    with folders.fetched(model_uri) as place:
        verify(place, model_uri)
        folders.trust(place, model_uri, allow_pickle=allow_pickle)
        python = prepare(place.folder, manager, say=_say)
    sys.exit(run_in(python, sys.argv[1:]))


def _say(line: str | None) -> None:
    if line is not None:
        click.echo(line, err=True)
