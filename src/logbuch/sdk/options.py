"""Settings that only the SDK reads; same shape as the table in :mod:`logbuch.settings`."""

from __future__ import annotations

from logbuch.settings import Setting

SYSTEM_METRICS = Setting(
    "system_metrics",
    ("LOGBUCH_SYSTEM_METRICS", "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"),
    "false",
    "Sample CPU, memory, disk, network and GPU during every run",
)
SYSTEM_METRICS_INTERVAL = Setting(
    "system_metrics_interval",
    ("LOGBUCH_SYSTEM_METRICS_INTERVAL", "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"),
    "10",
    "Seconds between two samples of the system metrics",
)
SYSTEM_METRICS_SAMPLES = Setting(
    "system_metrics_samples",
    ("LOGBUCH_SYSTEM_METRICS_SAMPLES", "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING"),
    "1",
    "How many samples are averaged into one logged point",
)
SYSTEM_METRICS_NODE = Setting(
    "system_metrics_node",
    ("LOGBUCH_SYSTEM_METRICS_NODE", "MLFLOW_SYSTEM_METRICS_NODE_ID"),
    None,
    "Name of this machine within the system metrics of a run on several machines",
)
QUIET = Setting(
    "quiet",
    ("LOGBUCH_QUIET", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"),
    "false",
    "Do not print the address of a run",
)

ALL: tuple[Setting, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Setting))
