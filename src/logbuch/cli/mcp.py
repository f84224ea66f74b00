"""``logbuch mcp``: the tracker for agents."""

from __future__ import annotations

import sys

import click

from logbuch.cli.asking import connect_to


@click.command()
@click.option("--tracking-uri", metavar="URI", callback=connect_to, expose_value=False,
              help="A server's address or a folder.")  # fmt: skip
@click.option("--write", is_flag=True, help="Offer tools that tag, rename and annotate runs too.")
@click.option("--http", is_flag=True, help="Serve over HTTP at http://127.0.0.1:PORT/mcp instead of stdin and stdout.")
@click.option("--port", type=click.IntRange(0, 65535), default=5001, show_default=True,
              help="With --http; 0 takes a free one.")  # fmt: skip
def mcp(write: bool, http: bool, port: int) -> None:
    """Serve the tracker to agents by the Model Context Protocol.

    An agent searches runs, asks which was best, what differs and what was stable, and reads curves. It changes nothing
    unless --write is given. Needs the package mcp: pip install 'logbuch[mcp]'.
    """
    try:
        from logbuch.agents.server import LOOPBACK, serve_http, serve_stdio
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        click.echo("logbuch mcp needs the package mcp: pip install 'logbuch[mcp]'", err=True)
        sys.exit(1)
    if not http:
        serve_stdio(write=write)
        return
    try:
        serve_http(
            write=write, port=port, listening=lambda address: click.echo(f"Agents reach it at {address}", err=True)
        )
    except OSError as error:
        click.echo(f"logbuch mcp: {LOOPBACK}:{port} cannot be listened on: {error.strerror}", err=True)
        sys.exit(1)
