"""The commands: each parses, calls and prints."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from storyteller.errors import StorytellerError


def one_line(command: Callable[..., Any]) -> Callable[..., Any]:
    """Ends a command with one line and exit code 1 where the user can mend what is wrong, with 130 at Ctrl-C."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except StorytellerError as error:
            print(f"{sys.argv[0].rpartition('/')[2]}: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            raise SystemExit(130) from None

    return run
