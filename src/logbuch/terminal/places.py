"""Where findings begin and end, as people read it."""

from __future__ import annotations

from logbuch.alerts import local_time
from logbuch.stability.findings import Finding, Kind


def place(finding: Finding, x: float) -> str:
    """A finding's ``start`` or ``end``: a step, or the local time where the unit is ms."""
    return local_time(int(x)) if finding.kind is Kind.IDLE_GPU else str(int(x))
