"""What the records of a W&B run say, taken together: its head, config, history, summary, machine and output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from logbuch.limits import INT64_MAX, LOG_LINE_LENGTH
from logbuch.store.tx import LogLines
from logbuch.transfer.columns import Columns
from logbuch.transfer.formats import BROKEN, leveldb
from logbuch.transfer.formats.protobuf import Message
from logbuch.transfer.report import Report

_HISTORY, _SUMMARY, _OUTPUT, _CONFIG, _STATS, _RAW, _RUN, _EXIT, _MACHINE = 2, 3, 4, 5, 7, 13, 17, 18, 26
_LINES = 5000
_DEPTH = 100
_MAX_TIME = 2**53
UNKNOWN = "values of the history that are no numbers, and are left out"


class Media(NamedTuple):
    """A value of the history that is no number; ``kind`` is what W&B calls its type."""

    kind: str
    key: str
    step: int
    time: int
    body: Mapping[str, Any]


class Records:
    """One run. Times are Unix ms. With ``head`` reading ends with its first record."""

    def __init__(self, files: Sequence[Path], report: Report, *, head: bool = False) -> None:
        self.report = report
        self.project = ""
        self.texts: dict[str, str] = {}
        self.config: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.metrics = Columns()
        self.media: list[Media] = []
        self.start = self.end = 0
        self.exit_code: int | None = None
        self._samples = 0
        self._chunks: list[tuple[int, int, str]] = []
        for file in files:
            self.exit_code = None
            for number, record in enumerate(leveldb.read(file, report.lost), start=1):
                try:
                    self._take(Message(record))
                except BROKEN as error:
                    report.lost(f"record {number} of {file}", error)
                if head and self.project:
                    return
        self._finish()

    def _take(self, record: Message) -> None:
        for field, take in (
            (_HISTORY, self._history),
            (_STATS, self._stats),
            (_RAW, self._output),
            (_OUTPUT, self._output),
            (_SUMMARY, self._summary),
            (_CONFIG, self._config),
            (_RUN, self._run),
            (_EXIT, self._exit),
            (_MACHINE, self._machine),
        ):
            if field in record:
                take(record.message(field))
                return

    # -- records -------------------------------------------------------------------------------------------------------

    def _run(self, run: Message) -> None:
        for name, field in (("name", 8), ("notes", 9), ("group", 6), ("job_type", 7), ("host", 13), ("sweep", 12)):
            if run.text(field):
                self.texts[name] = run.text(field)
        self.texts["entity"] = run.text(2) or self.texts.get("entity", "")
        if 10 in run:
            self.texts["tags"] = ", ".join(run.texts(10))
        git = run.message(21)
        self.texts |= {name: git.text(field) for name, field in (("repository", 1), ("commit", 2)) if git.text(field)}
        if 17 in run:
            started = _time(run.message(17))
            self.start = min(self.start or started, started)
            self.end = max(self.end, started)
        if 4 in run:
            self._config(run.message(4))
        self.project = run.text(3) or self.project or " "
        self.project = self.project.strip() or self.project

    def _machine(self, found: Message) -> None:
        for name, field in (("user", 13), ("program", 6), ("python", 2), ("os", 1)):
            if found.text(field):
                self.texts[name] = found.text(field)

    def _config(self, found: Message) -> None:
        _merge(self.config, found)

    def _summary(self, found: Message) -> None:
        _merge(self.summary, found)

    def _exit(self, found: Message) -> None:
        self.exit_code = found.integer(1)

    def _history(self, found: Message) -> None:
        row: dict[str, Any] = {}
        for item in found.messages(1):
            _put(row, _path(item), _value(item))
        step = found.message(2).integer(1) if 2 in found else int(row.get("_step", 0))
        if abs(step) > INT64_MAX:
            raise OverflowError(f"{step} is no step")
        time = _moment(float(row.get("_timestamp", 0)) * 1000)
        logged = list(_logged({key: value for key, value in row.items() if not key.startswith("_")}))
        self.end = max(self.end, time)
        for key, value in logged:
            if isinstance(value, float):
                self.metrics.add(key, step, time, value)
            elif isinstance(value, dict):
                self.media.append(Media(str(value["_type"]), key, step, time, value))
            else:
                self.report.note(UNKNOWN)

    def _stats(self, found: Message) -> None:
        time = _time(found.message(2))
        for item in found.messages(3):
            value = _value(item)
            if isinstance(value, (int, float)):
                self.metrics.add(f"system/{item.text(1)}", self._samples, time, value)
        self._samples += 1

    def _output(self, found: Message) -> None:
        self._chunks.append((found.integer(1), _time(found.message(2)), found.text(3)))

    def _finish(self) -> None:
        """Numbers of the summary that the history does not have become a point at the end."""
        last = self.metrics.last_step(without="system/")
        for key, value in _flat(self.summary):
            if isinstance(value, (int, float)) and key not in self.metrics and not key.startswith("_"):
                try:
                    self.metrics.add(key, last, self.end, value)
                except OverflowError as error:
                    self.report.lost(f"{key[:100]!r} of the summary", error)

    # -- the whole -----------------------------------------------------------------------------------------------------

    def params(self) -> Iterator[tuple[str, str]]:
        """The config, what is inside of what joined by dots."""
        for key, value in _flat(self.config):
            if not key.startswith("_wandb"):
                yield key, value if isinstance(value, str) else json.dumps(value)

    def tags(self) -> Iterator[tuple[str, str]]:
        """What is said of the run beside its config, and the texts of its summary."""
        names = {
            "notes": "mlflow.note.content",
            "program": "mlflow.source.name",
            "commit": "mlflow.source.git.commit",
            "repository": "mlflow.source.git.repoURL",
        }
        for name in ("entity", "tags", "group", "job_type", "sweep", "host", "python", "os", *names):
            yield names.get(name, f"wandb.{name}"), self.texts.get(name, "")
        for key, value in _flat(self.summary):
            if isinstance(value, str) and not key.startswith("_") and "._type" not in key and "." not in key:
                yield f"wandb.summary.{key}", value

    def output(self) -> Iterator[LogLines]:
        """The console output by line. What a carriage return has overwritten is gone, as on a screen."""
        open_: dict[int, str] = {}
        origin, times, texts = -1, list[int](), list[str]()
        for stream, time, chunk in self._chunks:
            *lines, rest = (open_.get(stream, "") + chunk).split("\n")
            open_[stream] = rest
            if lines and (stream != origin or len(texts) >= _LINES):
                if texts:
                    yield LogLines("", _stream(origin), times, texts)
                origin, times, texts = stream, [], []
            texts += [_shown(line) for line in lines]
            times += [time] * len(lines)
        if texts:
            yield LogLines("", _stream(origin), times, texts)
        for stream, rest in open_.items():
            if rest:
                yield LogLines("", _stream(stream), [self.end], [_shown(rest)])


def _stream(number: int) -> str:
    return "stdout" if number == 1 else "stderr"


def _shown(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2][:LOG_LINE_LENGTH].replace("\0", "")


def _time(found: Message) -> int:
    """A ``google.protobuf.Timestamp`` in Unix ms."""
    return _moment(found.integer(1) * 1000 + found.integer(2) // 1_000_000)


def _moment(milliseconds: float) -> int:
    """A time that can be kept; ValueError for others."""
    if not 0 <= milliseconds <= _MAX_TIME:
        raise ValueError(f"{milliseconds} ms is no time")
    return round(milliseconds)


def _path(item: Message) -> list[str]:
    found = item.texts(2) or [item.text(1)]
    if len(found) > _DEPTH:
        raise ValueError(f"it is nested deeper than {_DEPTH}")
    return found


def _value(item: Message) -> Any:
    """The value of an item, no deeper than can be walked through and written later."""
    found = json.loads(item.text(16))
    level = [found]
    for _ in range(_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return found
    raise ValueError(f"it is nested deeper than {_DEPTH}")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _logged(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """What a row of the history has: floats, the dicts of media, and whatever else there is."""
    for key, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            yield from _logged(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", float(value) if isinstance(value, (int, float)) else value


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        inner = tree.get(name)
        tree = inner if isinstance(inner, dict) else tree.setdefault(name, {}) if inner is None else {}
    tree[path[-1]] = value


def _merge(tree: dict[str, Any], found: Message) -> None:
    """Applies updates and removals, which a config and a summary have in the same fields."""
    for item in found.messages(1):
        _put(tree, _path(item), _value(item))
    for item in found.messages(2):
        *above, name = _path(item)
        inner: Any = tree
        for step in above:
            inner = inner.get(step, {}) if isinstance(inner, dict) else {}
        if isinstance(inner, dict):
            inner.pop(name, None)


def _flat(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            if "_type" not in value:
                yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
