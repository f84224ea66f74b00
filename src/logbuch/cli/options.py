"""Options of commands that are settings too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from logbuch import settings


def option(name: str, setting: settings.Setting, **more: Any) -> Callable[[Any], Any]:
    """An option that may also be given by the setting's environment variables."""
    default = setting.default
    shown = more.pop("help", setting.help)
    return click.option(
        name, default=default, envvar=list(setting.variables), help=shown, show_default=default is not None, **more
    )
