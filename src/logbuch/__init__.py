"""Logbuch, an experiment tracker: ``import logbuch`` and log.

Every public name is fetched at its first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logbuch import (
        artifacts,
        data,
        entities,
        exceptions,
        keras,
        lightgbm,
        models,
        pyfunc,
        pytorch,
        sklearn,
        tracking,
        transformers,
        xgboost,
    )
    from logbuch.errors import LogbuchError
    from logbuch.exceptions import MlflowException
    from logbuch.integrations.autolog import autolog
    from logbuch.sdk.active import ActiveRun
    from logbuch.sdk.alerts import alert
    from logbuch.sdk.answers import best_run, check_run, judge_by, param_importance
    from logbuch.sdk.artifacts.downloads import download_artifacts, list_artifacts, load_dict, load_image, load_text
    from logbuch.sdk.client import LogbuchClient
    from logbuch.sdk.content.render import Image
    from logbuch.sdk.differences import diff_runs
    from logbuch.sdk.fluent import (
        active_run,
        create_experiment,
        delete_experiment,
        delete_experiment_tag,
        delete_run,
        delete_tag,
        delivery,
        end_run,
        flush,
        flush_artifact_async_logging,
        flush_async_logging,
        get_experiment,
        get_experiment_by_name,
        get_parent_run,
        get_run,
        get_tracking_uri,
        is_tracking_uri_set,
        last_active_run,
        list_experiments,
        log_input,
        log_inputs,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        restore_experiment,
        restore_run,
        search_experiments,
        search_runs,
        set_experiment,
        set_experiment_tag,
        set_experiment_tags,
        set_tag,
        set_tags,
        set_tracking_uri,
    )
    from logbuch.sdk.fluentfiles import (
        get_artifact_uri,
        load_table,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_image,
        log_stream,
        log_table,
        log_text,
    )
    from logbuch.sdk.fluentmodels import (
        create_external_model,
        delete_logged_model_tag,
        finalize_logged_model,
        get_logged_model,
        initialize_logged_model,
        log_model_params,
        log_outputs,
        register_model,
        search_logged_models,
        search_model_versions,
        search_registered_models,
        set_logged_model_tags,
        set_model_version_tag,
    )
    from logbuch.sdk.mediacalls import (
        log_audio,
        log_confusion_matrix,
        log_histogram,
        log_pr_curve,
        log_roc_curve,
    )
    from logbuch.sdk.recording.system_metrics import (
        disable_system_metrics_logging,
        enable_system_metrics_logging,
        set_system_metrics_node_id,
        set_system_metrics_samples_before_logging,
        set_system_metrics_sampling_interval,
    )
    from logbuch.sdk.starting import start_run
    from logbuch.sdk.tables import RunTable
    from logbuch.tracking import MlflowClient
    from logbuch.version import __version__

_HOMES = {
    "logbuch.errors": ("LogbuchError",),
    "logbuch.exceptions": ("MlflowException",),
    "logbuch.integrations.autolog": ("autolog",),
    "logbuch.sdk.active": ("ActiveRun",),
    "logbuch.sdk.alerts": ("alert",),
    "logbuch.sdk.answers": ("best_run", "check_run", "judge_by", "param_importance"),
    "logbuch.sdk.differences": ("diff_runs",),
    "logbuch.sdk.client": ("LogbuchClient",),
    "logbuch.sdk.artifacts.downloads": ("download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"),
    "logbuch.sdk.fluent": (
        "active_run",
        "create_experiment",
        "delete_experiment",
        "delete_experiment_tag",
        "delete_run",
        "delete_tag",
        "delivery",
        "end_run",
        "flush",
        "flush_artifact_async_logging",
        "flush_async_logging",
        "get_experiment",
        "get_experiment_by_name",
        "get_parent_run",
        "get_run",
        "get_tracking_uri",
        "is_tracking_uri_set",
        "last_active_run",
        "list_experiments",
        "log_input",
        "log_inputs",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "restore_experiment",
        "restore_run",
        "search_experiments",
        "search_runs",
        "set_experiment",
        "set_experiment_tag",
        "set_experiment_tags",
        "set_tag",
        "set_tags",
        "set_tracking_uri",
    ),
    "logbuch.sdk.fluentfiles": (
        "get_artifact_uri",
        "load_table",
        "log_artifact",
        "log_artifacts",
        "log_dict",
        "log_figure",
        "log_image",
        "log_stream",
        "log_table",
        "log_text",
    ),
    "logbuch.sdk.fluentmodels": (
        "create_external_model",
        "delete_logged_model_tag",
        "finalize_logged_model",
        "get_logged_model",
        "initialize_logged_model",
        "log_model_params",
        "log_outputs",
        "register_model",
        "search_logged_models",
        "search_model_versions",
        "search_registered_models",
        "set_logged_model_tags",
        "set_model_version_tag",
    ),
    "logbuch.sdk.mediacalls": (
        "log_audio",
        "log_confusion_matrix",
        "log_histogram",
        "log_pr_curve",
        "log_roc_curve",
    ),
    "logbuch.sdk.content.render": ("Image",),
    "logbuch.sdk.starting": ("start_run",),
    "logbuch.sdk.recording.system_metrics": (
        "disable_system_metrics_logging",
        "enable_system_metrics_logging",
        "set_system_metrics_node_id",
        "set_system_metrics_samples_before_logging",
        "set_system_metrics_sampling_interval",
    ),
    "logbuch.sdk.tables": ("RunTable",),
    "logbuch.tracking": ("MlflowClient",),
    "logbuch.version": ("__version__",),
}
_MODULES = {
    "artifacts": "logbuch.artifacts",
    "data": "logbuch.data",
    "entities": "logbuch.entities",
    "exceptions": "logbuch.exceptions",
    "keras": "logbuch.keras",
    "lightgbm": "logbuch.lightgbm",
    "models": "logbuch.models",
    "pyfunc": "logbuch.pyfunc",
    "pytorch": "logbuch.pytorch",
    "sklearn": "logbuch.sklearn",
    "tracking": "logbuch.tracking",
    "transformers": "logbuch.transformers",
    "xgboost": "logbuch.xgboost",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ActiveRun",
    "Image",
    "LogbuchClient",
    "LogbuchError",
    "MlflowClient",
    "MlflowException",
    "RunTable",
    "__version__",
    "active_run",
    "alert",
    "artifacts",
    "autolog",
    "best_run",
    "check_run",
    "create_experiment",
    "create_external_model",
    "data",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_logged_model_tag",
    "delete_run",
    "delete_tag",
    "delivery",
    "diff_runs",
    "disable_system_metrics_logging",
    "download_artifacts",
    "enable_system_metrics_logging",
    "end_run",
    "entities",
    "exceptions",
    "finalize_logged_model",
    "flush",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_logged_model",
    "get_parent_run",
    "get_run",
    "get_tracking_uri",
    "initialize_logged_model",
    "is_tracking_uri_set",
    "judge_by",
    "keras",
    "last_active_run",
    "lightgbm",
    "list_artifacts",
    "list_experiments",
    "load_dict",
    "load_image",
    "load_table",
    "load_text",
    "log_artifact",
    "log_artifacts",
    "log_audio",
    "log_confusion_matrix",
    "log_dict",
    "log_figure",
    "log_histogram",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_model_params",
    "log_outputs",
    "log_param",
    "log_params",
    "log_pr_curve",
    "log_roc_curve",
    "log_stream",
    "log_table",
    "log_text",
    "models",
    "param_importance",
    "pyfunc",
    "pytorch",
    "register_model",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_logged_models",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_logged_model_tags",
    "set_model_version_tag",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "sklearn",
    "start_run",
    "tracking",
    "transformers",
    "xgboost",
]

_MLFLOWS = """
    ActiveModel add_trace azure bedrock catboost clear_active_model client config delete_prompt_alias doctor dspy
    evaluate genai get_active_model_id get_artifact_store get_assessment get_current_active_span
    get_last_active_trace_id get_registry_uri get_trace langchain last_logged_model litellm llama_index
    load_model load_prompt log_assessment log_expectation log_feedback log_model log_trace metrics onnx openai
    override_feedback paddle projects prophet register_prompt run search_prompts search_sessions search_traces
    sentence_transformers set_active_model set_prompt_alias set_registry_uri set_trace_tag shap spacy spark start_span
    start_span_no_context statsmodels tensorflow trace tracing update_current_trace validate_evaluation_results
""".split()
"""Names of ``import mlflow`` that this version lacks."""

_WANDBS = {
    "init": "start_run",
    "log": "log_metrics",
    "finish": "end_run",
    "summary": "log_metrics",
    "watch": "pytorch.watch",
    "save": "log_artifact",
    "Audio": "log_audio",
    "Histogram": "log_histogram",
    "Table": "log_table",
    "Artifact": "log_artifact",
}
"""Names of ``import wandb``, and what does that here."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found: Any = importlib.import_module(_MODULES[name])
    elif name in _HOME_OF:
        found = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in _MLFLOWS:
        raise AttributeError(f"logbuch has no {name!r} yet; use the mlflow package with MLFLOW_TRACKING_URI for it")
    elif name in _WANDBS:
        raise AttributeError(f"logbuch has no {name!r}; what W&B calls so is logbuch.{_WANDBS[name]} here")
    else:
        raise AttributeError(f"module 'logbuch' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
