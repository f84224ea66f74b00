"""One table of settings: name, environment variables, default, help. Everything configurable stands here."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting. ``variables`` are read in order: Logbuch's own name first, then MLflow's of the same meaning."""

    name: str
    variables: tuple[str, ...]
    default: str | None
    help: str

    def get(self) -> str | None:
        """The value from the environment, else the default. An empty variable counts as absent."""
        for variable in self.variables:
            value = os.environ.get(variable)
            if value:
                return value
        return self.default

    @property
    def chosen(self) -> bool:
        """Whether somebody has set it."""
        return any(os.environ.get(variable) for variable in self.variables)

    def flag(self) -> bool:
        """The value as yes or no: ``1``, ``true``, ``yes`` and ``on`` mean yes, in any case."""
        return (self.get() or "").lower() in ("1", "true", "yes", "on")

    def number(self) -> float:
        """The value as a number; the default where the variable holds no number."""
        for text in (self.get(), self.default):
            try:
                return float(text or "")
            except ValueError:
                continue
        raise ValueError(f"setting {self.name} has no number")


def _setting(name: str, default: str | None, help: str, *also: str) -> Setting:  # noqa: A002
    return Setting(name, (f"LOGBUCH_{name.upper()}", *also), default, help)


TRACKING_URI = _setting(
    "tracking_uri", None, "Where runs go: a server's address, or a folder. Absent: ./.logbuch", "MLFLOW_TRACKING_URI"
)
TRACKING_USERNAME = _setting(
    "tracking_username", None, "User name for Basic authentication", "MLFLOW_TRACKING_USERNAME"
)
TRACKING_PASSWORD = _setting("tracking_password", None, "Password for Basic authentication", "MLFLOW_TRACKING_PASSWORD")
TRACKING_TOKEN = _setting("tracking_token", None, "Bearer token for the server", "MLFLOW_TRACKING_TOKEN")
INSECURE_TLS = _setting("tracking_insecure_tls", "false", "Accept any TLS certificate", "MLFLOW_TRACKING_INSECURE_TLS")
SERVER_CERT_PATH = _setting(
    "tracking_server_cert_path",
    None,
    "File with the certificates to trust for the server",
    "MLFLOW_TRACKING_SERVER_CERT_PATH",
)
CLIENT_CERT_PATH = _setting(
    "tracking_client_cert_path", None, "File with the client's certificate", "MLFLOW_TRACKING_CLIENT_CERT_PATH"
)
EXPERIMENT_NAME = _setting("experiment_name", None, "Experiment of new runs, by name", "MLFLOW_EXPERIMENT_NAME")
EXPERIMENT_ID = _setting("experiment_id", None, "Experiment of new runs, by ID", "MLFLOW_EXPERIMENT_ID")
RUN_ID = _setting("run_id", None, "Run that start_run() resumes", "MLFLOW_RUN_ID")
RUN_NAME = _setting("run_name", None, "Name of a new run", "MLFLOW_RUN_NAME")
RUN_CONTEXT = _setting("run_context", None, "JSON object of tags for new runs", "MLFLOW_RUN_CONTEXT")
TRUNCATE_LONG_VALUES = _setting(
    "truncate_long_values", "true", "Cut params and tags that are too long", "MLFLOW_TRUNCATE_LONG_VALUES"
)
REQUEST_TIMEOUT = _setting(
    "http_request_timeout", "120", "Seconds until a request gives up", "MLFLOW_HTTP_REQUEST_TIMEOUT"
)
MAX_RETRIES = _setting(
    "http_request_max_retries", "4", "Retries of a request that needs an answer", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
)
FINISH_TIMEOUT = _setting(
    "finish_timeout",
    "30",
    "Seconds that the end of a run waits for its records to be sent, at most. The time that a server has already not "
    "answered counts; one that never has is waited for 5 seconds, unless this is set",
)
JOURNAL_FOLDER = _setting(
    "journal_folder", None, "Folder of the journals for servers. Absent: logbuch/journals in the user's state folder"
)
JOURNAL_BYTES = _setting("journal_bytes", "2000000000", "Bytes that the journals in one folder may take on the disk")
JOURNAL_DAYS = _setting("journal_days", "7", "Days that a journal is kept after a server has acknowledged it")
RANKS = _setting(
    "ranks",
    "join",
    "Whether the ranks of a distributed training log to the run of rank 0 (join) or to their own (apart)",
)
CAPTURE_GIT = _setting("capture_git", "true", "Record commit, branch and uncommitted changes with a run")
CAPTURE_PACKAGES = _setting("capture_packages", "true", "Record the versions of the installed packages with a run")
CAPTURE_MACHINE = _setting("capture_machine", "true", "Record system, CPU and GPUs with a run")
# TensorFlow's variables by their names: TF_VAR_* are Terraform's, and may hold secrets.
CAPTURE_ENV = _setting(
    "capture_env",
    "CUDA_VISIBLE_DEVICES,CUDA_LAUNCH_BLOCKING,CUBLAS_WORKSPACE_CONFIG,NVIDIA_VISIBLE_DEVICES,NCCL_*,OMP_*,MKL_*,TORCH_*,"
    "PYTORCH_*,TF_CONFIG,TF_CPP_*,TF_CUDNN_*,TF_DETERMINISTIC_OPS,TF_ENABLE_*,TF_FORCE_*,TF_GPU_*,TF_NUM_*,TF_USE_*,TF_XLA_*,"
    "XLA_FLAGS,JAX_PLATFORMS,PYTHONHASHSEED,PYTHONPATH,TOKENIZERS_PARALLELISM,RANK,LOCAL_RANK,WORLD_SIZE,"
    "MASTER_ADDR,MASTER_PORT,SLURM_JOB_ID,SLURM_JOB_NODELIST,SLURM_NTASKS,SLURM_PROCID",
    "Environment variables to record with a run, comma-separated, * stands for any letters; no others are",
)
CONSOLE = _setting(
    "console",
    "auto",
    "Keep what a program prints with its run: off; wrap: Python's stdout and stderr; auto: in scripts, in notebooks "
    "within with blocks, not at a prompt",
)
REDACT = _setting("redact", "true", "Hide secrets of known forms in console output, diffs and command lines")
SYSTEM_METRICS = _setting(
    "system_metrics",
    "false",
    "Sample CPU, memory, disk, network and GPU during every run",
    "LOGBUCH_ENABLE_SYSTEM_METRICS_LOGGING",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
)
SYSTEM_METRICS_INTERVAL = _setting(
    "system_metrics_interval",
    "10",
    "Seconds between two samples of the system metrics",
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL",
)
SYSTEM_METRICS_SAMPLES = _setting(
    "system_metrics_samples",
    "1",
    "How many samples are averaged into one logged point",
    "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
)
SYSTEM_METRICS_NODE = _setting(
    "system_metrics_node",
    None,
    "Name of this machine within the system metrics of a run on several machines",
    "MLFLOW_SYSTEM_METRICS_NODE_ID",
)
PROGRESS_BARS = _setting(
    "progress_bars",
    "true",
    "Show the progress of transfers that take longer than a second, on a terminal",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR",
)
QUIET = _setting("quiet", "false", "Do not print the address of a run", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT")
SERVER_HOST = _setting("host", "127.0.0.1", "Address that the server listens on", "MLFLOW_HOST")
SERVER_PORT = _setting("port", "5000", "Port that the server listens on", "MLFLOW_PORT")
BACKEND_STORE_URI = _setting(
    "backend_store_uri",
    None,
    "Database: sqlite:///FILE or postgresql://…. Absent: ./.logbuch/logbuch.db",
    "MLFLOW_BACKEND_STORE_URI",
)
ARTIFACT_ROOT = _setting(
    "default_artifact_root",
    None,
    "Folder or s3://BUCKET/PREFIX for artifacts. Absent: an artifacts folder beside the SQLite file",
    "MLFLOW_DEFAULT_ARTIFACT_ROOT",
)
ARTIFACTS_DESTINATION = _setting(
    "artifacts_destination",
    None,
    "MLflow's name for the folder that proxied artifacts are kept in",
    "MLFLOW_ARTIFACTS_DESTINATION",
)
ARTIFACT_ROOTS = _setting(
    "artifact_roots",
    None,
    "Comma-separated further folders and s3:// addresses that an experiment may choose as its artifact_location",
)
S3_ENDPOINT = _setting(
    "s3_endpoint_url", None, "Address of an S3-compatible store, as the server reaches it", "MLFLOW_S3_ENDPOINT_URL"
)
S3_PUBLIC_ENDPOINT = _setting(
    "s3_public_endpoint_url",
    None,
    "Address of the store as clients reach it. With it they transfer large files without the server in between",
)
ALLOWED_HOSTS = _setting(
    "allowed_hosts",
    None,
    "Comma-separated host names that requests may carry; * admits all",
    "MLFLOW_SERVER_ALLOWED_HOSTS",
)
CORS_ALLOWED_ORIGINS = _setting(
    "cors_allowed_origins",
    None,
    "Comma-separated origins of other pages that may call the server",
    "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
)
STATIC_PREFIX = _setting("static_prefix", "", "Path that all addresses begin with", "MLFLOW_STATIC_PREFIX")
HEARTBEAT_SECONDS = _setting(
    "heartbeat_seconds", "15", "Seconds between two signs of life of a training; after three missing ones it is lost"
)
CHECK_RUNS = _setting("check_runs", "true", "Judge the stability of runs in the background as they change")
PUBLIC_URL = _setting("public_url", None, "Address of the page as people reach it, for links in messages")
WEBHOOK_HOSTS = _setting(
    "webhook_hosts",
    None,
    "Comma-separated hosts, as HOST or HOST:PORT, that webhooks may be sent to. Absent: none are",
)
WEBHOOK_PRIVATE = _setting(
    "webhook_private", "false", "Let webhooks go to private addresses too: this machine's and the local network's"
)
SMTP_SERVER = _setting("smtp_server", None, "HOST or HOST:PORT of the mail server for alerts. Absent: no mail is sent")
SMTP_SECURITY = _setting("smtp_security", "starttls", "How to reach the mail server: starttls, tls or none")
SMTP_USERNAME = _setting("smtp_username", None, "User name at the mail server")
SMTP_PASSWORD = _setting("smtp_password", None, "Password at the mail server")
MAIL_FROM = _setting("mail_from", None, "Sender of mail about alerts. Absent: logbuch at the mail server's host")
MAIL_TO = _setting("mail_to", None, "Comma-separated receivers of mail about alerts")
MAIL_LEVEL = _setting("mail_level", "warning", "The least level of an alert that is mailed: info, warning or error")
PRICE_GPU_HOUR = _setting("price_gpu_hour", None, "What an hour of a GPU costs")
PRICE_KILOWATT_HOUR = _setting("price_kilowatt_hour", None, "What a kilowatt hour costs")
CURRENCY = _setting("currency", "EUR", "The currency of the prices")
CO2_GRAMS = _setting("co2_grams", None, "Grams of CO2 that a kilowatt hour stands for")
GPU_WATTS = _setting("gpu_watts", None, "Rated watts of GPUs that Logbuch does not know, to estimate energy by")
WORKERS = _setting("workers", "1", "Server processes", "MLFLOW_WORKERS")

ALL: tuple[Setting, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Setting))
"""The whole table, in the order above; docs/reference/settings.md is checked against it."""
