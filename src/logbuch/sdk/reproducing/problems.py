"""What cannot be restored, or not surely."""

from __future__ import annotations

from logbuch.model import Noun


class Problem(Noun, frozen=True, kw_only=True):
    """One sentence that says what is missing, and one that says what would help.

    With ``stops`` there is nothing that could be run. With ``code`` it would be other code than the run's; it is run
    only if that is asked for. Others are told, and the comparison shows what became of them.
    """

    missing: str
    help: str = ""
    stops: bool = False
    code: bool = False

    def __str__(self) -> str:
        return f"{self.missing} {self.help}".strip()
