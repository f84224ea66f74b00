"""Every size limit and validation rule, once. Figures are MLflow 3.18's unless said otherwise."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from logbuch import settings
from logbuch.errors import InvalidInput

METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
TAGS_PER_BATCH = 100
ENTITIES_PER_BATCH = 1000
KEY_LENGTH = 250
PARAM_VALUE_LENGTH = 6000
RUN_TAG_VALUE_LENGTH = 8000
EXPERIMENT_NAME_LENGTH = 500
EXPERIMENT_TAG_VALUE_LENGTH = 20_000
RUN_NAME_LENGTH = 1000
USER_LENGTH = 256
ARTIFACT_LOCATION_LENGTH = 1000
DATASETS_PER_CALL = 1000
DATASET_NAME_LENGTH = 500
DATASET_DIGEST_LENGTH = 36
DATASET_SOURCE_TYPE_LENGTH = 36
DATASET_SCHEMA_LENGTH = 1_048_575
DATASET_SOURCE_LENGTH = 65_535
DATASET_PROFILE_LENGTH = 16_777_215
INPUT_TAG_KEY_LENGTH = 255
INPUT_TAG_VALUE_LENGTH = 500
RUNS_PER_PAGE = 50_000
RUNS_PER_PAGE_DEFAULT = 1000
EXPERIMENTS_PER_PAGE = 50_000
HISTORY_PER_PAGE = 25_000
BULK_INTERVAL_RUNS = 100
BULK_INTERVAL_POINTS = 2500
BUCKETS = 4000
BUCKET_SERIES = 1000
GROUP_KEYS = 5
GROUP_METRICS = 50
GROUP_TEXTS = 8
GROUPS_PER_PAGE = 5000
GROUP_CURVES = 500
GROUP_SERIES = 5000
GROUP_CELLS = 2_000_000
TABLE_COLUMNS = 2000
TABLE_OFFSET = 10_000_000
BULK_RUNS = 1000
VIEWS_PER_EXPERIMENT = 200
VIEW_NAME_LENGTH = 200
VIEW_STATE_LENGTH = 100_000
FILTER_LENGTH = 100_000
FILTER_CLAUSES = 500
FILTER_DEPTH = 40
IN_LIST_LENGTH = 5000
IDS_PER_SEARCH = 10_000
RUN_IDS_PER_SEARCH = 100_000
LIKE_LENGTH = 2000
LIKE_WILDCARDS = 20
ORDER_BY_CLAUSES = 20
JSON_BODY_BYTES = 32 * 1024 * 1024
INGEST_BODY_BYTES = 32 * 1024 * 1024
INGEST_RECORDS = 1000
INGEST_KEYS = 20_000
INGEST_JOURNALS = 1000
REFUSALS_PER_PAGE = 1000
HISTOGRAM_BINS = 1024
HISTOGRAMS_PER_ANSWER = 1000
LOG_LINES = 2_000_000
LOG_BYTES = 256 * 1024 * 1024
LOG_LINES_PER_RECORD = 10_000
LOG_LINE_LENGTH = 32_768
LOG_SOURCE_LENGTH = 40
LOG_OPEN_LINES = 1000
LOG_LINES_PER_PAGE = 10_000
HEADER_BYTES = 64 * 1024
UPLOAD_BYTES = 5 * 2**40
ARTIFACT_SEGMENT_BYTES = 255
MODEL_NAME_LENGTH = 256
MODEL_VERSION = 2**31 - 1
ALIAS_LENGTH = 255
MODEL_TAG_VALUE_LENGTH = 100_000
MODEL_DESCRIPTION_LENGTH = 100_000
MODEL_SOURCE_LENGTH = 2000
MODELS_PER_PAGE = 1000
MODELS_PER_PAGE_DEFAULT = 100
VERSIONS_PER_PAGE = 200_000
LOGGED_MODELS_PER_PAGE = 1000
LOGGED_MODELS_PER_PAGE_DEFAULT = 100
LOGGED_MODEL_DATASETS = 100
MODELS_OF_RUN = 100
"""Models, or versions, of a run that one answer shows."""
ALERTS_PER_PAGE = 1000
ALERTS_PER_PAGE_DEFAULT = 100
ALERTS_PER_RUN = 1000
"""Those that a training raises; so many again may rules raise of its run, whatever it raised itself."""
ALERT_TITLE_LENGTH = 250
ALERT_TEXT_LENGTH = 4000
CONDITION_LENGTH = 400
RULES_PER_EXPERIMENT = 100
ACTIVITY_DAYS = 366
WEBHOOKS = 100
WEBHOOK_URL_LENGTH = 2000
WEBHOOK_SECRET_LENGTH = 200
WEBHOOK_NAME_LENGTH = 256
WEBHOOKS_PER_PAGE = 1000
WEBHOOKS_PER_PAGE_DEFAULT = 100
DELIVERIES_PER_PAGE = 1000
AUDIT_PER_PAGE = 1000
AUDIT_PER_PAGE_DEFAULT = 100
DIGITS = 18
"""Of a whole number in an address or a header: what has more is none that could be meant."""
ARTIFACT_DEPTH = 100
"""Folders of an artifact path: whoever walks them may do so by recursion."""
ARTIFACT_PATH_BYTES = 4000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

RETENTION_TAG = "logbuch.retention"
"""Of an experiment: how long its runs are kept after their end, as ``90d``."""

_UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_PERIOD = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,3})?[wdhms])+")
_PART = re.compile(r"([0-9.]+)([wdhms])")
_KEY = re.compile(r"[/\w.\- :]*")
_ALIAS = re.compile(r"[\w\-]*")
_VERSION_ALIAS = re.compile(r"[vV]\d+")
_MODEL_NAME = re.compile(r"[^/:@?#%\\\x00-\x1f\x7f]+")
_LOGGED_MODEL_NAME = re.compile(r"[^/:.%\"'\x00-\x1f\x7f]+")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}", re.ASCII)


def check_key(key: str, field: str, limit: int = KEY_LENGTH) -> str:
    """A metric, param or tag key: 1 to 250 of alphanumerics, ``_ - . space : /``, and a normal relative path."""
    if not key:
        raise InvalidInput(f"Missing value for required parameter '{field}': a key must not be empty.")
    if len(key) > limit:
        raise InvalidInput(f"'{field}' exceeds the maximum length of {limit} characters: it has {len(key)}.")
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"Invalid value {clip(key)!r} for parameter '{field}': names may only contain alphanumerics, "
            "underscores (_), dashes (-), periods (.), spaces ( ), colons (:) and slashes (/)."
        )
    if posixpath.normpath(key) != key or key in (".", "..") or key.startswith(("/", "../")):
        raise InvalidInput(
            f"Invalid value {clip(key)!r} for parameter '{field}': names must be normal relative paths, "
            f"without empty, '.' or '..' parts."
        )
    return key


def is_storable(text: str) -> bool:
    """Whether both databases can hold a text: no NUL, no lone surrogate. What they cannot hold is not there either."""
    return "\0" not in text and (text.isascii() or text.isprintable() or text == text.encode(errors="ignore").decode())


def check_text(value: str, field: str, limit: int) -> str:
    """Text of at most ``limit`` characters without NUL, which PostgreSQL cannot keep."""
    if len(value) > limit:
        raise InvalidInput(f"'{field}' exceeds the maximum length of {limit} characters: it has {len(value)}.")
    if not is_storable(value):
        raise InvalidInput(f"Invalid value for parameter '{field}': it contains a NUL character or a lone surrogate.")
    return value


def fit_text(value: str, field: str, limit: int) -> str:
    """Text of a param or tag, cut to ``limit`` characters unless MLFLOW_TRUNCATE_LONG_VALUES is off."""
    if len(value) > limit and settings.TRUNCATE_LONG_VALUES.flag():
        value = value[:limit]
    return check_text(value, field, limit)


def check_integer(value: int, field: str) -> int:
    """A signed 64-bit integer."""
    if not INT64_MIN <= value <= INT64_MAX:
        raise InvalidInput(f"Invalid value {value} for parameter '{field}': it does not fit 64 bits.")
    return value


def is_run_id(text: str) -> bool:
    """A run's id: a letter or digit, then up to 255 ASCII letters, digits, ``_`` or ``-``."""
    return _RUN_ID.fullmatch(text) is not None


def check_run_id(run_id: str, field: str = "run_id") -> str:
    if not is_run_id(run_id):
        raise InvalidInput(f"Invalid value {clip(run_id)!r} for parameter '{field}': it is no run ID.")
    return run_id


def check_experiment_name(name: str) -> str:
    if not name.strip():
        raise InvalidInput("Invalid experiment name: 'name' must be a string that is not empty.")
    return check_text(name, "name", EXPERIMENT_NAME_LENGTH)


def check_model_name(name: str, field: str = "name") -> str:
    """A registered model's name: 1 to 256 characters that stand as they are in ``models:/<name>/<version>``.

    MLflow forbids ``/`` and ``:`` alone; ``@ ? # % \\`` and control characters break such an address as well.
    """
    if not name.strip():
        raise InvalidInput(f"Missing value for required parameter '{field}'.")
    if name in (".", "..") or name != name.strip() or not _MODEL_NAME.fullmatch(name):
        raise InvalidInput(
            f"Invalid model name {clip(name)!r}. Names cannot contain '/', ':', '@', '?', '#', '%', '\\' or control "
            "characters, cannot begin or end with a space, and cannot be '.' or '..'."
        )
    return check_text(name, field, MODEL_NAME_LENGTH)


def check_logged_model_name(name: str, field: str = "name") -> str:
    """A logged model's name: none of ``/ : . % " '``, as MLflow has it."""
    if not name.strip() or not _LOGGED_MODEL_NAME.fullmatch(name):
        raise InvalidInput(
            f"Invalid model name ({clip(name)!r}) provided. Model name must be a non-empty string and cannot contain "
            "the following characters: / : . % \" ' or control characters."
        )
    return check_text(name, field, DATASET_NAME_LENGTH)


def check_alias(alias: str, field: str = "alias") -> str:
    """An alias of a model version: letters, digits, ``_`` and ``-``; not ``latest``, and not ``v`` and a number."""
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(
            f"Invalid alias name: {clip(alias)!r}. "
            "Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if alias.lower() == "latest":
        raise InvalidInput("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.fullmatch(alias):
        raise InvalidInput(f"Version alias name {alias!r} is reserved.")
    return check_text(alias, field, ALIAS_LENGTH)


def version_number(text: str, field: str = "version") -> int:
    """A model version's number; 0, which no version has, for an integer that cannot be one."""
    try:
        number = int(text[:ALIAS_LENGTH])
    except ValueError:
        raise InvalidInput(f"Parameter '{field}' must be an integer, got {clip(text)!r}.") from None
    return number if 0 < number <= INT64_MAX else 0


def whole_number(text: str) -> int | None:
    """The number that a part of an address is; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None


def check_page_size(value: int, field: str, limit: int) -> int:
    if not 1 <= value <= limit:
        raise InvalidInput(f"Invalid value {value} for parameter '{field}' supplied. It must be from 1 to {limit}.")
    return value


def check_offset(value: int, token: str) -> None:
    """How many rows of a search are left out before a page."""
    if not 0 <= value <= TABLE_OFFSET:
        raise InvalidInput(f"Invalid value {value} for parameter 'offset': it must be from 0 to {TABLE_OFFSET}.")
    if value and token:
        raise InvalidInput("'offset' and 'page_token' cannot be given together: the one or the other.")


def check_ids(ids: Sequence[str], field: str, most: int = IDS_PER_SEARCH) -> None:
    """The IDs that one search may name."""
    if len(ids) > most:
        raise InvalidInput(f"'{field}' names {len(ids)} IDs; at most {most} are allowed.")


def check_batch(metrics: int, params: int, tags: int) -> None:
    """The sizes of one log-batch call."""
    if metrics + params + tags <= min(METRICS_PER_BATCH, PARAMS_PER_BATCH, TAGS_PER_BATCH):
        return
    for count, limit, field in (
        (metrics, METRICS_PER_BATCH, "metrics"),
        (params, PARAMS_PER_BATCH, "params"),
        (tags, TAGS_PER_BATCH, "tags"),
        (metrics + params + tags, ENTITIES_PER_BATCH, "metrics, params and tags together"),
    ):
        if count > limit:
            raise InvalidInput(
                f"A batch logging request can contain at most {limit} {field}. "
                f"Got {count} {field}. Please split up {field} across multiple requests and try again."
            )


def check_unique(keys: Sequence[str]) -> None:
    """Param keys of one batch must differ, even with equal values."""
    if len(set(keys)) != len(keys):
        seen: set[str] = set()
        twice = sorted({key for key in keys if key in seen or seen.add(key)})  # type: ignore[func-returns-value]
        raise InvalidInput(f"Duplicate parameter keys have been submitted: {twice}")


def parse_period(text: str) -> int:
    """Milliseconds of ``30d``, ``12h``, ``1d2h30m``, ``2w``; InvalidInput for anything else."""
    compact = text.replace(" ", "").lower()
    if not _PERIOD.fullmatch(compact):
        raise InvalidInput(f"Invalid period {clip(text)!r}: write it as 30d, 12h or 1d12h (w, d, h, m, s).")
    return int(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact)) * 1000)


def clip(text: str, width: int = 80) -> str:
    """A user's text short enough for a message."""
    return text if len(text) <= width else text[: width - 1] + "…"
