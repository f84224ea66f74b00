"""TensorBoard's events: scalars, histograms, pictures, sounds and texts, of old summaries and of tensors.

The messages: https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from logbuch.limits import HISTOGRAM_BINS
from logbuch.transfer.formats.protobuf import Message, Torn

SCALAR, HISTOGRAM, IMAGE, AUDIO, TEXT, HPARAMS = "scalars", "histograms", "images", "audio", "text", "hparams"
PR_CURVE = "pr_curves"
_PR_ROWS = 6
_STRING, _BFLOAT16, _HALF, _BOOL = 7, 14, 19, 10
_DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 4: "u1", 5: "<i2", 6: "i1", 9: "<i8", 10: "?", 17: "<u2", 19: "<f2"}
_DTYPES |= {22: "<u4", 23: "<u8"}
_VALUES = {1: (5, "<f4"), 2: (6, "<f8"), 3: (7, "int"), 4: (7, "int"), 5: (7, "int"), 6: (7, "int"), 9: (10, "int")}
_VALUES |= {10: (11, "int"), 17: (7, "int"), 22: (16, "int"), 23: (17, "int")}


class Value(NamedTuple):
    """One value of an event: its tag, its kind (TensorBoard's name of the plugin), and its message."""

    tag: str
    kind: str
    message: Message


class Event(NamedTuple):
    time: float
    """Unix seconds."""
    step: int
    values: Sequence[Value]
    other: str
    """What the event holds instead: ``graph``, or nothing."""


class Plugins:
    """Which plugin each tag is of. TensorBoard's writers say it with the first value of a tag alone."""

    def __init__(self) -> None:
        self._by_tag: dict[str, tuple[str, memoryview]] = {}

    def of(self, tag: str, value: Message) -> tuple[str, memoryview]:
        """The plugin's name and data; empty where nobody has said it."""
        plugin = value.message(9).message(1)
        if plugin.text(1):
            self._by_tag[tag] = (plugin.text(1), plugin.bytes(2))
        return self._by_tag.get(tag, ("", memoryview(b"")))


def event(data: bytes, plugins: Plugins) -> Event:
    """An event. Raises Torn for bytes that are none."""
    found = Message(data)
    values = [_value(one, plugins) for one in found.message(5).messages(1)] if 5 in found else []
    return Event(found.double(1), found.integer(2), values, "graph" if 4 in found or 9 in found else "")


def _value(value: Message, plugins: Plugins) -> Value:
    tag = value.text(1)
    name, _ = plugins.of(tag, value)
    for field, kind in ((2, SCALAR), (5, HISTOGRAM), (4, IMAGE), (6, AUDIO)):
        if field in value:
            return Value(tag, kind, value)
    if name:
        return Value(tag, name, value)
    tensor = value.message(8)
    return Value(tag, TEXT if tensor.integer(1) == _STRING else SCALAR, value)


# -- kinds -------------------------------------------------------------------------------------------------------------


def scalar(value: Message) -> float | None:
    """The number of a scalar; None for a tensor that is none."""
    if 2 in value:
        return value.double(2)
    found = numbers(value.message(8))
    return float(found[0]) if len(found) == 1 else None


def histogram(value: Message) -> tuple[list[float], list[float]] | None:
    """Edges and counts; None for an empty histogram."""
    if 5 in value:
        found = value.message(5)
        limits, counts = found.numbers(6, "<f8"), found.numbers(7, "<f8")
        low, high = found.double(1), found.double(2)
        if len(limits) != len(counts):
            raise Torn("a histogram has not as many borders as counts")
        full = np.flatnonzero(counts)
        if not len(full):
            return None
        limits, counts = limits[full[0] : full[-1] + 1], counts[full[0] : full[-1] + 1]
        edges = np.concatenate([[low], limits[:-1], [max(high, low)]])
    else:
        rows = numbers(value.message(8))
        if not len(rows):
            return None
        if len(rows) % 3:
            raise Torn("a histogram has no rows of three")
        table = rows.reshape(-1, 3)
        edges, counts = np.append(table[:, 0], table[-1, 1]), table[:, 2]
    return _fitted(np.maximum.accumulate(np.nan_to_num(edges)), counts)


def _fitted(edges: NDArray[Any], counts: NDArray[Any]) -> tuple[list[float], list[float]]:
    """With as many bins as are kept: neighbours are joined."""
    while len(counts) > HISTOGRAM_BINS:
        if len(counts) % 2:
            counts, edges = np.append(counts, 0.0), np.append(edges, edges[-1])
        counts, edges = counts.reshape(-1, 2).sum(axis=1), edges[::2]
    if edges[0] == edges[-1]:
        edges, counts = np.array([edges[0] - 0.5, edges[0] + 0.5]), np.array([counts.sum()])
    return edges.tolist(), np.maximum(counts, 0.0).tolist()


def pictures(value: Message) -> list[bytes]:
    """The files of a picture's value; a tensor has width and height in front."""
    if 4 in value:
        return [bytes(value.message(4).bytes(4))]
    return [bytes(one) for one in value.message(8).blobs(8)[2:]]


def sounds(value: Message) -> list[bytes]:
    """The files of a sound's value; a tensor of two columns has labels in the second."""
    if 6 in value:
        return [bytes(value.message(6).bytes(4))]
    tensor = value.message(8)
    step = 2 if len(shape(tensor)) == 2 else 1
    return [bytes(one) for one in tensor.blobs(8)[::step]]


def pr_curve(value: Message, label: str) -> dict[str, Any]:
    """A PR curve as docs/reference/media.md describes it.

    The tensor has six rows: true and false positives, true and false negatives, precision and recall, at thresholds
    that are spread evenly from 0 to 1 (tensorboard/plugins/pr_curve/summary.py).
    """
    tensor = value.message(8)
    rows, sizes = numbers(tensor), shape(tensor)
    if len(sizes) != 2 or sizes[0] != _PR_ROWS or sizes[1] < 1 or len(rows) != sizes[0] * sizes[1]:
        raise Torn("a PR curve has no six rows")
    if not np.isfinite(rows).all():
        raise Torn("a PR curve holds what is no number")
    true, false, rest, missed, precision, recall = rows.reshape(sizes)[:, ::-1]
    kept = true + false > 0  # above the highest score nothing is called positive, and there is no precision
    if not kept.any():
        raise Torn("a PR curve is of no samples")
    precision, recall = precision[kept], recall[kept]
    return {
        "label": label,
        "thresholds": np.linspace(1.0, 0.0, sizes[1])[kept].tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "average_precision": float((np.diff(recall, prepend=0.0) * precision).sum()),
        "positives": round(true[-1] + missed[-1]),
        "total": round(true[-1] + false[-1] + rest[-1] + missed[-1]),
    }


def text(value: Message) -> str:
    """The text of a value; a table has a tab between cells."""
    tensor = value.message(8)
    cells = tensor.texts(8)
    sizes = shape(tensor)
    if len(sizes) != 2 or sizes[1] < 1:
        return "\n".join(cells)
    return "\n".join("\t".join(cells[at : at + sizes[1]]) for at in range(0, len(cells), sizes[1]))


def shape(tensor: Message) -> list[int]:
    """The sizes of a tensor's dimensions."""
    return [one.integer(1) for one in tensor.message(2).messages(2)]


def numbers(tensor: Message) -> NDArray[Any]:
    """All numbers of a tensor as float64. A single stored one stands for all."""
    kind = tensor.integer(1)
    content = tensor.bytes(4)
    if kind == _BFLOAT16:
        raw = np.frombuffer(content, "<u2") if len(content) else _halves(tensor)
        found: NDArray[Any] = (raw.astype(np.uint32) << 16).view(np.float32)
    elif len(content) and kind in _DTYPES:
        if len(content) % np.dtype(_DTYPES[kind]).itemsize:
            raise Torn("a tensor is cut short")
        found = np.frombuffer(content, _DTYPES[kind])
    elif kind == _HALF:
        found = _halves(tensor).view(np.float16)
    elif kind in _VALUES:
        field, how = _VALUES[kind]
        found = np.array(tensor.integers(field)) if how == "int" else tensor.numbers(field, how)
    else:
        raise Torn(f"a tensor holds no numbers, but kind {kind}")
    wanted = int(np.prod(shape(tensor), dtype=np.int64))
    if len(found) == 1 and 1 < wanted <= HISTOGRAM_BINS * 3:
        found = np.repeat(found, wanted)
    return found.astype(np.float64)


def _halves(tensor: Message) -> NDArray[np.uint16]:
    """The bits of numbers of 16 bits, which are stored as whole numbers."""
    bits = tensor.integers(13)
    if any(not 0 <= one < 1 << 16 for one in bits):
        raise Torn("a number of 16 bits has more")
    return np.array(bits, np.uint16)


# -- hyperparameters ---------------------------------------------------------------------------------------------------


class Session(NamedTuple):
    """What the hparams plugin says of a run; ``status`` is 1 for success, 2 for failure, 3 for running."""

    params: Mapping[str, str]
    group: str = ""
    start: float | None = None
    end: float | None = None
    status: int = 0


def session(plugin: memoryview) -> Session:
    """The session of a value's plugin data: its beginning or its end."""
    found = Message(plugin)
    if 4 in found:
        end = found.message(4)
        return Session({}, end=end.double(2) or None, status=end.integer(1))
    begin = found.message(3)
    pairs = ((one.text(1), _shown(one.message(2))) for one in begin.messages(1))
    return Session(dict(pairs), begin.text(4), begin.double(5) or None)


def _shown(value: Message) -> str:
    """A ``google.protobuf.Value``; whole numbers are doubles there."""
    if 2 in value:
        number = value.double(2)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    if 4 in value:
        return str(bool(value.integer(4)))
    return value.text(3)


def suffix(content: bytes) -> str:
    """What a picture's or sound's file is called by."""
    for mark, name in ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"GIF8", "gif"), (b"BM", "bmp")):
        if content.startswith(mark):
            return name
    if content[:4] == b"RIFF":
        return "webp" if content[8:12] == b"WEBP" else "wav"
    return {b"fLaC": "flac", b"OggS": "ogg"}.get(content[:4], "bin")
