"""What ``import logbuch`` costs and offers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import logbuch

HEAVY = ("numpy", "pandas", "httpx", "sqlalchemy", "msgspec", "alembic", "psutil", "asyncio", "logging")


def test_importing_pulls_in_nothing_heavy() -> None:
    code = f"import sys, logbuch; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", logbuch.__all__)
def test_every_name_resolves(name: str) -> None:
    assert getattr(logbuch, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(logbuch.__file__)).read_text())
    typed = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for line in node.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert typed == set(logbuch.__all__) == {*logbuch._HOME_OF, *logbuch._MODULES}


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        logbuch.nonsense  # noqa: B018


@pytest.mark.parametrize("name", ["log_model", "shap", "onnx"])
def test_what_only_mlflow_has_is_said(name: str) -> None:
    message = f"^logbuch has no '{name}' yet; use the mlflow package with MLFLOW_TRACKING_URI for it$"
    with pytest.raises(AttributeError, match=message):
        getattr(logbuch, name)
    assert not hasattr(logbuch, name)
    assert name not in dir(logbuch)


@pytest.mark.parametrize("name", sorted(logbuch._WANDBS))
def test_who_comes_from_wandb_hears_what_it_is_called_here(name: str) -> None:
    with pytest.raises(AttributeError, match=f"^logbuch has no '{name}'; what W&B calls so is logbuch.") as caught:
        getattr(logbuch, name)
    here = str(caught.value).split()[-2].removeprefix("logbuch.").partition(".")[0]
    assert here in logbuch.__all__
    assert name not in {*logbuch.__all__, *logbuch._MLFLOWS}
    assert not hasattr(logbuch, name)


def test_mlflows_places() -> None:
    import logbuch.entities
    from logbuch.entities import Metric, Param, RunStatus, RunTag, ViewType
    from logbuch.exceptions import MlflowException
    from logbuch.tracking import MlflowClient

    assert MlflowClient is logbuch.LogbuchClient is logbuch.tracking.MlflowClient
    assert MlflowException is logbuch.LogbuchError
    assert Metric("loss", 0.5, 12, 3).step == 3
    assert Metric("loss", 0.5, 12).step == 0
    assert (Param("a", "1").value, RunTag("t", "2").key) == ("1", "t")
    assert int(ViewType.ACTIVE_ONLY) == 1
    assert RunStatus.to_string(RunStatus.FINISHED) == RunStatus.to_string(3) == "FINISHED"
    assert RunStatus.is_terminated("FAILED")
    assert RunStatus.from_string("RUNNING") in RunStatus.all_status()


def test_the_interpreter_lists_the_names() -> None:
    assert "log_metric" in dir(logbuch)
