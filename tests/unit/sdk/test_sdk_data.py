from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import logbuch
from logbuch.errors import InvalidInput
from logbuch.sdk.data import Dataset, as_input, from_numpy, from_pandas


def frame() -> pd.DataFrame:
    return pd.DataFrame({"x": [1, 2], "y": [0.5, None], "z": ["a", "b"]})


def test_a_data_frame() -> None:
    dataset = from_pandas(frame(), source="/data/a.csv", name="train", targets="y")
    noun = dataset.to_noun()
    assert (noun.name, noun.source_type, json.loads(noun.source)) == ("train", "local", {"uri": "/data/a.csv"})
    assert json.loads(noun.profile or "") == {"num_rows": 2, "num_elements": 6, "targets": "y"}
    assert [column["name"] for column in json.loads(noun.schema or "")["mlflow_colspec"]] == ["x", "y", "z"]
    with pytest.raises(InvalidInput, match="nope"):
        from_pandas(frame(), targets="nope")


def test_digests_tell_data_apart() -> None:
    changed = frame()
    changed.loc[0, "x"] = 9
    assert from_pandas(frame()).digest == from_pandas(frame()).digest != from_pandas(changed).digest
    assert from_numpy(np.zeros(3)).digest == from_numpy(np.zeros(3)).digest != from_numpy(np.ones(3)).digest
    assert from_numpy(np.zeros((2, 3))).digest != from_numpy(np.zeros((3, 2))).digest
    assert Dataset("a").digest != Dataset("b").digest
    assert len(from_numpy(np.zeros(3)).digest) <= 36


def test_arrays() -> None:
    noun = from_numpy({"a": np.zeros((2, 3), dtype=np.float32)}, targets=np.ones(2)).to_noun()
    schema = json.loads(noun.schema or "")["mlflow_tensorspec"]
    assert schema["features"] == [{"name": "a", "dtype": "float32", "shape": [2, 3]}]
    assert json.loads(noun.profile or "")["features_size"] == {"a": 6}
    assert noun.source_type == "code"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("s3://b/x", "s3"),
        ("https://h/x", "http"),
        ("/a", "local"),
        ("C:\\a", "local"),
        ("file:///a", "local"),
        (None, "code"),
    ],
)
def test_kinds_of_sources(source: str | None, kind: str) -> None:
    assert Dataset("d", source=source).source_type == kind


def test_a_run_notes_its_data() -> None:
    with logbuch.start_run() as run:
        logbuch.log_input(from_pandas(frame(), name="train"), context="training", tags={"k": 1})
        logbuch.log_inputs([Dataset("eval", source="s3://b/e"), Dataset("test")], contexts=["evaluation", None])
    used = logbuch.get_run(run.info.run_id).inputs.dataset_inputs
    assert [item.dataset.name for item in used] == ["train", "eval", "test"]
    assert {tag.key: tag.value for tag in used[0].tags} == {"k": "1", "mlflow.data.context": "training"}


def test_what_is_no_data_set() -> None:
    with pytest.raises(InvalidInput):
        as_input("a path")  # type: ignore[arg-type]
