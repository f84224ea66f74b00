"""The ``view`` parameter of native requests."""

from __future__ import annotations

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import ViewType

_VIEWS = {"active": ViewType.ACTIVE_ONLY, "deleted": ViewType.DELETED_ONLY, "all": ViewType.ALL}


def view_type(name: str) -> ViewType:
    """The view of a name; InvalidInput for an unknown one."""
    if name not in _VIEWS:
        raise InvalidInput(f"Invalid value {limits.clip(name)!r} for parameter 'view': it is active, deleted or all.")
    return _VIEWS[name]
