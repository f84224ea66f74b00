"""Models that Logbuch's SDK logs to a server of the real MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

import logbuch
from logbuch import pyfunc
from support.fresh import fresh
from support.mlflow_server import mlflow_server

__all__ = ["fresh"]


class Doubling(pyfunc.PythonModel):
    def predict(self, context: object, model_input: list[float], params: object = None) -> list[float]:
        return [2 * one for one in model_input]


@pytest.mark.slow
def test_a_model_is_logged_to_mlflow_and_read_back(fresh: object, tmp_path: Path) -> None:
    with mlflow_server(tmp_path / "mlflow") as address:
        logbuch.set_tracking_uri(address)
        with logbuch.start_run() as run:
            info = pyfunc.log_model(name="doubling", python_model=Doubling())
        assert info.model_id is not None
        client = logbuch.LogbuchClient(address)
        client.set_logged_model_tags(info.model_id, {"kept": "yes", "dropped": "soon"})
        client.log_model_params(info.model_id, {"late": "param"})
        client.delete_logged_model_tag(info.model_id, "dropped")
        found = client.get_logged_model(info.model_id)
        assert (found.name, found.status.value, found.source_run_id) == ("doubling", "READY", run.info.run_id)
        assert {one.key: one.value for one in found.param_list} == {"late": "param"}
        assert found.tags["kept"] == "yes"
        assert "dropped" not in found.tags
        assert pyfunc.load_model(f"models:/{info.model_id}").predict([1.0, 2.5]) == [2.0, 5.0]
        client.delete_logged_model(info.model_id)
        assert list(client.search_logged_models([run.info.experiment_id])) == []
