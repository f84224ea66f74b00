"""From an owner and a relative path to the key of a file: the one place where a path is judged.

A key is ``<location>/<run>/artifacts/<path>`` below the artifact root, so that a person finds a file without Logbuch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from logbuch.errors import InvalidInput
from logbuch.limits import ARTIFACT_DEPTH, ARTIFACT_PATH_BYTES, ARTIFACT_SEGMENT_BYTES, clip

_FORBIDDEN = frozenset(map(chr, range(32))) | {"\\", "\x7f", "\ufffd"}
"""Control characters, the other slash, and what bytes that are not UTF-8 were decoded to."""
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What most segments are made of, and no way out can be."""
TEMPORARY = ".logbuch-upload-"
"""How the names of unfinished uploads begin; no artifact may bear such a name."""


def run_key(location: str, run_id: str, path: str = "") -> str:
    """The key of a run's artifact, or of its artifact folder for an empty path."""
    return join(location, run_id, "artifacts", path)


def join(*parts: str) -> str:
    """One checked key from parts; empty parts are left out."""
    return "/".join(segment for part in parts if part for segment in segments(part))


def below(location: str, names: Sequence[str]) -> str:
    """The key of segments, each of which :func:`segments` has let pass, below a folder that is a key."""
    return "/".join((location, *names) if location else names)


def segments(path: str) -> list[str]:
    """The segments of a relative path; InvalidInput for anything that could lead elsewhere.

    The path has been percent-decoded once. A segment that a second decoding would turn into a way out is refused too.
    """
    if len(path.encode("utf-8", "surrogatepass")) > ARTIFACT_PATH_BYTES:
        raise InvalidInput(f"Invalid path: it has more than {ARTIFACT_PATH_BYTES} bytes.")
    found = path.rstrip("/").split("/")
    if len(found) > ARTIFACT_DEPTH:
        raise InvalidInput(f"Invalid path: it has more than {ARTIFACT_DEPTH} folders.")
    for segment in found:
        if not _allowed(segment):
            raise InvalidInput(f"Invalid path: {clip(path)!r} holds the segment {clip(segment)!r}.")
    return found


def _allowed(segment: str) -> bool:
    """Whether a key may hold a segment: one of plain letters at a glance, any other after a long look."""
    plain = len(segment) <= ARTIFACT_SEGMENT_BYTES and _PLAIN.fullmatch(segment) is not None
    return plain or _harmless(segment)


def _harmless(segment: str) -> bool:
    if segment in ("", ".", "..") or segment.startswith(TEMPORARY) or not _FORBIDDEN.isdisjoint(segment):
        return False
    try:
        if len(segment.encode()) > ARTIFACT_SEGMENT_BYTES:
            return False
    except UnicodeEncodeError:
        return False
    return not _leads_out(segment)


def _leads_out(segment: str) -> bool:
    """Whether a segment would be a way out to something that decoded it again, or cut path parameters off.

    Nothing here does either, and percent signs in names are common: only the ways out themselves are refused.
    """
    parts = segment.replace("\\", "/").split("/")
    if (len(parts) > 1 and parts[0] == "") or any(part.split(";")[0] in (".", "..") for part in parts):
        return True
    decoded = unquote(segment)
    return decoded != segment and _leads_out(decoded)
