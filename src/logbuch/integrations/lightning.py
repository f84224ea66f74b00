"""PyTorch Lightning: a logger for its Trainer, and ``autolog``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import logbuch
from logbuch.integrations import sessions
from logbuch.integrations.library import Library
from logbuch.integrations.quiet import quietly
from logbuch.integrations.run import TrainingRun

# The package has two names, and a program uses one of them.
if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning.callbacks import Callback
    from pytorch_lightning.loggers.logger import Logger, rank_zero_experiment
    from pytorch_lightning.utilities import rank_zero_only
else:
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities import rank_zero_only

if TYPE_CHECKING:
    from logbuch.integrations.watching import Watch


class LogbuchLogger(Logger):  # type: ignore[misc]
    """A logger for ``Trainer(logger=…)``.

    It logs to the active run; without one, to a new run of ``experiment_name``, which begins at its first use and ends
    with the training. ``run_id`` goes on with a run. ``log_model`` keeps checkpoints below ``checkpoints/``: ``True``
    those that are left when the training ends, ``"all"`` each one as it is saved. ``prefix`` stands before the metrics'
    names, with a slash. Of several processes only the first one logs. ``experiment`` is the
    :class:`logbuch.LogbuchClient`, to be used with ``run_id``.
    """

    def __init__(
        self,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tracking_uri: str | None = None,
        tags: Mapping[str, Any] | None = None,
        save_dir: str | None = None,
        log_model: Literal[True, False, "all"] = False,
        prefix: str = "",
        run_id: str | None = None,
    ) -> None:
        super().__init__()
        self._experiment_name, self._run_name, self._tracking_uri = experiment_name, run_name, tracking_uri
        self._tags, self._save_dir, self._log_model = dict(tags or {}), save_dir, log_model
        self._prefix = f"{prefix}{self.group_separator}" if prefix else ""
        self._given_id = run_id
        self._run: TrainingRun | None = None
        self._checkpoints: Any = None
        self._kept: dict[str, float] = {}

    @property
    @rank_zero_experiment  # type: ignore[untyped-decorator]
    def experiment(self) -> logbuch.LogbuchClient:
        """The client; a stand-in that does nothing on other ranks than the first."""
        self._training()
        return logbuch.LogbuchClient()

    @property
    def run_id(self) -> str | None:
        """The run's ID; None on other ranks than the first."""
        return self._training().run_id if rank_zero_only.rank == 0 else None

    @property
    def name(self) -> str:
        """The experiment's name, which is the folder of checkpoints in ``save_dir``."""
        return self._experiment_name or "logbuch"

    @property
    def version(self) -> str | None:
        return self.run_id

    @property
    def save_dir(self) -> str | None:
        """The folder for checkpoints; None for the Trainer's."""
        return self._save_dir

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        self._training().metrics(metrics, step=step, prefix=self._prefix)

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: Mapping[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        self._training().params(vars(params) if isinstance(params, Namespace) else dict(params or {}))

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Keeps the model's layers as model.txt."""
        self._training().text(f"{model}\n", "model.txt")

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_image(self, key: str, images: Sequence[Any], step: int | None = None) -> None:
        """Keeps pictures of one step; see :func:`logbuch.log_image`."""
        run_id = self._training().run_id
        for number, image in enumerate(images):
            with quietly("an image"):
                name = key if len(images) == 1 else f"{key}/{number}"
                logbuch.LogbuchClient().log_image(str(run_id), image, key=name, step=step)

    @rank_zero_only  # type: ignore[untyped-decorator]
    def log_table(self, key: str, data: Any) -> None:
        """Appends rows, of a dict of columns or a DataFrame, to the table ``<key>.json``."""
        with quietly("a table"):
            logbuch.LogbuchClient().log_table(str(self._training().run_id), data, f"{key}.json")

    def watch(
        self, model: Any, log_freq: int = 100, what: Literal["gradients", "parameters", "all"] = "gradients"
    ) -> Watch:
        """Logs gradients or parameters now and then; see :func:`logbuch.pytorch.watch`."""
        from logbuch.integrations.watching import watch

        if rank_zero_only.rank == 0:
            self._training()
        return watch(model, log_freq, what)

    @rank_zero_only  # type: ignore[untyped-decorator]
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        if self._log_model:
            self._checkpoints = checkpoint_callback
        if self._log_model == "all":
            self._keep_checkpoints()

    @rank_zero_only  # type: ignore[untyped-decorator]
    def finalize(self, status: str) -> None:
        if self._run is None:
            return
        self._keep_checkpoints()
        error = (
            None if status in ("success", "finished") else sys.exc_info()[1] or RuntimeError(f"it ended as {status}")
        )
        self._run.end(error)

    def _training(self) -> TrainingRun:
        if self._run is None:
            with quietly("the training"):
                if self._tracking_uri is not None:
                    logbuch.set_tracking_uri(self._tracking_uri)
                if self._experiment_name is not None and self._given_id is None and logbuch.active_run() is None:
                    logbuch.set_experiment(self._experiment_name)
            self._run = TrainingRun(self._run_name, self._tags, self._given_id)
        return self._run

    def _keep_checkpoints(self) -> None:
        """Keeps the checkpoints that are there and have changed since they were kept."""
        if self._checkpoints is None:
            return
        callback = self._checkpoints
        with quietly("checkpoints"):
            for name in dict.fromkeys([*callback.best_k_models, callback.best_model_path, callback.last_model_path]):
                file = Path(name)
                if name and file.exists() and self._kept.get(name) != file.stat().st_mtime:
                    self._kept[name] = file.stat().st_mtime
                    self._training().artifact(name, "checkpoints")


class _Settings(Callback):  # type: ignore[misc]
    """Logs with which settings and optimizers a training runs."""

    def __init__(self, logger: LogbuchLogger) -> None:
        self._logger = logger

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        names = ("max_epochs", "max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val", "num_devices")
        with quietly("the Trainer's settings"):
            found = {name: getattr(trainer, name, None) for name in names}
            for number, optimizer in enumerate(trainer.optimizers):
                end = f"_{number}" if number else ""
                found[f"optimizer_name{end}"] = type(optimizer).__name__
                plain = {key: value for key, value in optimizer.defaults.items() if isinstance(value, (int, float))}
                found |= {f"optimizer_{key}{end}": value for key, value in plain.items()}
            self._logger.log_hyperparams(found)


def patch(library: Library, module: str) -> None:
    """Gives every Trainer a logger when it begins to fit, unless it has one that logs to the same place."""

    def fit(original: Callable[..., Any], trainer: Any, *args: Any, **kwargs: Any) -> Any:
        with quietly("a training"):
            if not trainer.fast_dev_run and not any(map(_logs_here, trainer.loggers)):
                options = library.options
                logger = LogbuchLogger(tags=options.get("extra_tags"), log_model=options.get("checkpoint", False))
                trainer.loggers = [*trainer.loggers, logger]
                trainer.callbacks.append(_Settings(logger))
        with sessions.entered():
            return original(trainer, *args, **kwargs)

    library.patches.replace(sys.modules[module].Trainer, "fit", fit)


def _logs_here(logger: Any) -> bool:
    same = str(getattr(logger, "_tracking_uri", "")).rstrip("/") == logbuch.get_tracking_uri().rstrip("/")
    return isinstance(logger, LogbuchLogger) or (type(logger).__name__ == "MLFlowLogger" and same)
