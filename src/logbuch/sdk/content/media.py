"""Values beyond scalars, as files in series over steps; see docs/reference/media.md for their names and formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.sdk.artifacts import files
from logbuch.sdk.connection import Connection
from logbuch.sdk.content import audio, classification, histograms, render
from logbuch.sdk.content.series import place, stem
from logbuch.sdk.writer import RunWriter

FOLDER = "media"
AUDIO, CONFUSION_MATRIX, PR_CURVE, ROC_CURVE = "audio", "confusion-matrix", "pr-curve", "roc-curve"
HISTOGRAM = "histogram"


def log_audio(
    connection: Connection,
    writer: RunWriter,
    sound: Any,
    artifact_file: str | None,
    key: str | None,
    step: int | None,
    timestamp: int | None,
    sample_rate: int | None,
) -> None:
    """Keeps a sound, either as ``artifact_file`` or in the series ``key``."""
    if (artifact_file is None) == (key is None):
        raise InvalidInput("Give either artifact_file or key (with step).")
    if artifact_file is not None and (step is not None or timestamp is not None):
        raise InvalidInput("step and timestamp belong to a key, not to an artifact_file.")
    if isinstance(sound, (str, Path)):
        path = Path(sound)
        if not path.is_file():
            raise InvalidInput(f"No such file: {str(sound)!r}")
        suffix = path.suffix.lower() or ".wav"
        target = artifact_file or stem(f"{FOLDER}/{AUDIO}", str(key), step, timestamp) + suffix
        files.put_file(connection, writer, path, target)
        return
    content, suffix = audio.encode(sound, sample_rate)
    target = artifact_file or stem(f"{FOLDER}/{AUDIO}", str(key), step, timestamp) + suffix
    files.put_content(connection, writer, target, content)


def log_json(
    connection: Connection, writer: RunWriter, kind: str, key: str, step: int | None, timestamp: int | None, value: Any
) -> None:
    """Keeps a value of a kind that is JSON."""
    target = f"{stem(f'{FOLDER}/{kind}', key, step, timestamp)}.json"
    files.put_content(connection, writer, target, render.dictionary({"type": kind, **value}, target))


def log_histogram(
    connection: Connection,
    writer: RunWriter,
    key: str,
    given: Any,
    step: int | None,
    timestamp: int | None,
    bins: int,
) -> None:
    """Keeps a histogram: as a record of the journal, or as a file where the server knows none."""
    number, moment = place(key, step, timestamp)
    found = histograms.of(given, bins)
    if connection.sender.knows_journals():
        writer.histogram(key, number, moment, found.edges, found.counts, found.nan, found.infinite)
    else:
        log_json(connection, writer, HISTOGRAM, key, step, timestamp, found._asdict())


def log_confusion_matrix(
    connection: Connection,
    writer: RunWriter,
    y_true: Any,
    y_pred: Any,
    matrix: Any,
    labels: Sequence[Any] | None,
    key: str,
    step: int | None,
) -> None:
    found = classification.confusion_matrix(y_true, y_pred, matrix, labels)
    log_json(connection, writer, CONFUSION_MATRIX, key, step, None, found)
