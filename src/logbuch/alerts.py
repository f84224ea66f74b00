"""Alerts and the rules that raise them: the nouns, and the language in which a rule says what it waits for.

A condition is a line of text: ``eval/loss is nan``, ``train/loss > 8``, ``gpu < 20 for 15m``, ``no point for 10m``,
``run failed``, ``run unstable``. See docs/reference/alerts.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from operator import ge, gt, le, lt

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import Noun

GPU = "system/*gpu_*_utilization_percentage"
"""The metrics that ``gpu`` stands for in a condition."""
WILDCARDS = 5
OPERATORS: dict[str, Callable[[float, float], bool]] = {"<=": le, ">=": ge, "<": lt, ">": gt}
_WORDS = {"under": "<", "below": "<", "over": ">", "above": ">"}
_EXAMPLES = "'eval/loss is nan', 'train/loss > 8', 'gpu < 20 for 15m', 'no point for 10m', 'run failed'"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_PERIOD = r"(?:\s+for\s+(?P<period>[0-9][0-9.a-z ]*))"
_SILENT = re.compile(rf"no points?(?:\s+of\s+(?P<metric>\S.*?))?{_PERIOD}", re.I)
_LIMIT = re.compile(
    rf"(?P<metric>\S[^<>]*?)\s*(?P<sign><=|>=|<|>|\s(?:under|below|over|above)\s)\s*(?P<value>{_NUMBER})\s?%?{_PERIOD}?",
    re.I,
)
_NAN = re.compile(r"(?P<metric>\S.*?)\s+(?:is\s+)?nan", re.I)
_RUN = re.compile(r"(?:run\s+)?(?:is\s+)?(?P<word>[a-z]+)", re.I)
_UNITS = re.compile(r"\s*(weeks?|days?|hours?|minutes?|mins?|seconds?|secs?)(?![a-z])")


class Level(StrEnum):
    """How grave an alert is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Kind(StrEnum):
    """What a condition looks at."""

    NOT_FINITE = "nan"
    LIMIT = "limit"
    SILENT = "silent"
    STATUS = "status"
    VERDICT = "verdict"


STATUSES = ("failed", "lost", "killed", "finished")
VERDICTS = ("unstable", "diverged", "overfitting", "stalled")
"""``unstable`` holds for a run that diverged too."""


class Condition(Noun, frozen=True, kw_only=True):
    """What a rule waits for. ``seconds`` is how long it has to last; 0: not at all."""

    kind: Kind
    metric: str = ""
    sign: str = ""
    value: float = 0.0
    seconds: float = 0.0
    word: str = ""

    def __str__(self) -> str:
        """The condition as it is written; :func:`parse` reads it again."""
        metric = "gpu" if self.metric == GPU else self.metric
        lasting = f" for {duration(self.seconds)}" if self.seconds else ""
        match self.kind:
            case Kind.NOT_FINITE:
                return f"{metric} is nan"
            case Kind.LIMIT:
                return f"{metric} {self.sign} {self.value:.15g}{lasting}"
            case Kind.SILENT:
                return f"no point{f' of {metric}' if metric else ''}{lasting}"
            case _:
                return f"run {self.word}"

    def exceeded(self, value: float) -> bool:
        """Whether a value is beyond the limit; what is no number never is."""
        return not math.isnan(value) and OPERATORS[self.sign](value, self.value)


class Rule(Noun, frozen=True, kw_only=True):
    """A condition that the runs of an experiment are watched for, since ``creation_time`` (ms)."""

    rule_id: str
    experiment_id: str
    condition: str
    level: Level
    created_by: str
    creation_time: int


class Alert(Noun, frozen=True, kw_only=True):
    """Something that somebody should know of a run; ``rule_id`` is null where the training itself raised it.

    ``time`` is when it happened, by the clock of who raised it; times are ms.
    """

    alert_id: str
    run_id: str
    run_name: str
    experiment_id: str
    time: int
    level: Level
    title: str
    text: str
    rule_id: str | None = None
    acknowledged_time: int | None = None
    acknowledged_by: str = ""


def local_time(time: int) -> str:
    """A time (Unix ms) as it is here; one beyond the calendar, which any client may send, as its number."""
    try:
        return datetime.fromtimestamp(time / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(time)


def parse(text: str) -> Condition:
    """The condition of a text; InvalidInput for what is none."""
    limits.check_text(text, "condition", limits.CONDITION_LENGTH)
    line = " ".join(text.split())
    if found := _SILENT.fullmatch(line):
        return Condition(kind=Kind.SILENT, metric=_metric(found["metric"] or ""), seconds=_seconds(found["period"]))
    if found := _LIMIT.fullmatch(line):
        sign = found["sign"].strip().lower()
        return Condition(
            kind=Kind.LIMIT,
            metric=_metric(found["metric"]),
            sign=_WORDS.get(sign, sign),
            value=_finite(found["value"]),
            seconds=_seconds(found["period"]) if found["period"] else 0.0,
        )
    if found := _NAN.fullmatch(line):
        return Condition(kind=Kind.NOT_FINITE, metric=_metric(found["metric"]))
    found = _RUN.fullmatch(line)
    word = found["word"].lower() if found else ""
    if word in STATUSES or word in VERDICTS:
        return Condition(kind=Kind.STATUS if word in STATUSES else Kind.VERDICT, word=word)
    raise InvalidInput(f"Invalid condition {limits.clip(line)!r}. Conditions look like {_EXAMPLES}.")


def parse_level(text: str) -> Level:
    """The level of a word; InvalidInput for any other."""
    try:
        return Level(text)
    except ValueError:
        raise InvalidInput(
            f"Invalid value {limits.clip(text)!r} for parameter 'level': it is info, warning or error."
        ) from None


def matches(pattern: str, key: str) -> bool:
    """Whether a metric is meant by a pattern, in which ``*`` stands for any text; in linear time."""
    first, *parts = pattern.split("*")
    if not parts:
        return key == pattern
    *middle, last = parts
    if not key.startswith(first):
        return False
    at = len(first)
    for part in middle:
        at = key.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return key.endswith(last) and len(key) - len(last) >= at


def duration(seconds: float) -> str:
    """A period as conditions write it: ``1h30m``."""
    left, parts = round(seconds * 1000), []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    if left:
        parts.append(f"{left / 1000:g}s")
    return "".join(parts)


def _metric(text: str) -> str:
    name = text.strip()
    if name.lower() == "gpu":
        return GPU
    if name.count("*") > WILDCARDS:
        raise InvalidInput(f"A condition's metric may hold at most {WILDCARDS} '*': {limits.clip(name)!r}.")
    if name:
        limits.check_key(name.replace("*", "x"), "condition")
    return name


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidInput(f"The limit {limits.clip(text)} of a condition is beyond the largest number.")
    return value


def _seconds(text: str) -> float:
    """Seconds of ``10m``, ``10 min``, ``1 hour``; InvalidInput for less than a second or more than a year."""
    short = _UNITS.sub(lambda found: found[1][0], text.strip().lower())
    seconds = limits.parse_period(short) / 1000
    if not 1 <= seconds <= 366 * 86_400:
        raise InvalidInput(f"The period {limits.clip(text)!r} of a condition must be from 1 second to 366 days.")
    return seconds
