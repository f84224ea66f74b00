"""Where a server listens, and by which names it may be called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listening:
    """How a server is reached. ``allowed_hosts`` and ``origins`` are exact names; None means the defaults."""

    host: str = "127.0.0.1"
    port: int = 5000
    static_prefix: str = ""
    allowed_hosts: tuple[str, ...] | None = None
    origins: tuple[str, ...] = ()

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach the server."""
        return self.host not in ("127.0.0.1", "localhost", "::1")

    @property
    def address(self) -> str:
        """The server's address for a browser on this machine."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self.port}{self.static_prefix}"
