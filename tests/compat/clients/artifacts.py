"""Artifacts: every way in, every way out, and names that need care in an address."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import mlflow
import numpy
import pandas
from common import failure, tell
from matplotlib.figure import Figure
from PIL import Image

mlflow.set_experiment(sys.argv[1])
client = mlflow.MlflowClient()
here = Path(tempfile.mkdtemp())
seen = {}

# The clients put names into addresses as they are: "#", "?" and "%20" in a name mean something else on every server.
NAMES = [
    "plain.txt",
    "with space.txt",
    "50% off.txt",
    "ünïcode 😀 日本.txt",
    "plus+plus.txt",
    "a&b=c;d.txt",
    "[brackets] (round) {curly}.txt",
    "quo'te.txt",
    "co:lon@at~tilde.txt",
    ".hidden",
    "no suffix",
    "UPPER.TXT",
]


def content(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest() * 3


def tree(run_id: str, path: str | None = None) -> dict[str, int | None]:
    """All files of a run with their sizes, found folder by folder."""
    found: dict[str, int | None] = {}
    for entry in client.list_artifacts(run_id, path):
        found |= {entry.path: None, **tree(run_id, entry.path)} if entry.is_dir else {entry.path: entry.file_size}
    return found


folder = here / "folder to log"
(folder / "deep" / "er still").mkdir(parents=True)
for name in NAMES:
    (folder / name).write_bytes(content(name))
    (folder / "deep" / "er still" / name).write_bytes(content("deep " + name))
(folder / "deep" / "empty").write_bytes(b"")
big = os.urandom(5_000_000)
(here / "big.bin").write_bytes(big)

# -- in --------------------------------------------------------------------------------------------------------------
with mlflow.start_run() as run:
    run_id = run.info.run_id
    mlflow.log_artifacts(str(folder))
    mlflow.log_artifacts(str(folder / "deep"), artifact_path="under a (1) path/100%")
    mlflow.log_artifact(str(here / "big.bin"))
    mlflow.log_artifact(str(here / "big.bin"), artifact_path="copies")
    mlflow.log_artifact(str(folder / "deep"), artifact_path="whole folder")
    mlflow.log_text("Grüße, 世界 😀\n", "texts/grüße.txt")
    mlflow.log_text("<h1>page</h1>", "texts/page.html")
    mlflow.log_text("first", "texts/again.txt")
    mlflow.log_text("second", "texts/again.txt")
    mlflow.log_dict({"a": [1, 2, {"b": "ü"}]}, "config.json")
    mlflow.log_dict({"a": [1, 2], "b": None}, "config.yaml")
    figure = Figure()
    figure.subplots().plot([1, 3, 2])
    mlflow.log_figure(figure, "plots/curve.png")
    mlflow.log_figure(figure, "plots/curve.svg")
    mlflow.log_image(numpy.full((8, 8, 3), 200, dtype=numpy.uint8), "images/grey.png")
    mlflow.log_image(Image.new("RGB", (4, 4), "red"), "images/red.png")
    mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), key="sample", step=3)
    mlflow.log_table({"question": ["a", "b"], "score": [1, 2]}, "table.json")
    mlflow.log_table(pandas.DataFrame({"question": ["ü"], "score": [3]}), "table.json")
    seen["uri"] = mlflow.get_artifact_uri()
    seen["sub_uri"] = mlflow.get_artifact_uri("texts/page.html")
seen["run"] = run_id
seen["experiment"] = run.info.experiment_id

# -- lists -----------------------------------------------------------------------------------------------------------
everything = tree(run_id)
seen["tree"] = sorted(everything)
seen["sizes"] = {path: everything[path] for path in ("big.bin", "copies/big.bin", "deep/empty", "plain.txt")}
seen["list_missing"] = [entry.path for entry in client.list_artifacts(run_id, "nobody")]
seen["list_file"] = [entry.path for entry in client.list_artifacts(run_id, "plain.txt")]
seen["fluent_list"] = sorted(
    entry.path for entry in mlflow.artifacts.list_artifacts(run_id=run_id, artifact_path="texts")
)
empty = client.create_run(run.info.experiment_id).info.run_id
seen["list_empty"] = [entry.path for entry in client.list_artifacts(empty)]

# -- out -------------------------------------------------------------------------------------------------------------
whole = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(here / "whole")))
seen["whole"] = {
    name: (whole / name).read_bytes() == content(name)
    and (whole / "deep" / "er still" / name).read_bytes() == content("deep " + name)
    and (whole / "under a (1) path" / "100%" / "er still" / name).read_bytes() == content("deep " + name)
    for name in NAMES
}
seen["whole_files"] = len([path for path in whole.rglob("*") if path.is_file()])
seen["big"] = (whole / "big.bin").read_bytes() == big == (whole / "copies" / "big.bin").read_bytes()
seen["one_by_one"] = {
    name: Path(client.download_artifacts(run_id, name)).read_bytes() == content(name) for name in NAMES
}
deep = Path(mlflow.artifacts.download_artifacts(artifact_uri=f"runs:/{run_id}/deep", dst_path=str(here / "deep")))
seen["by_runs_uri"] = len([path for path in deep.rglob("*") if path.is_file()])
seen["text"] = mlflow.artifacts.load_text(seen["uri"] + "/texts/grüße.txt")
seen["text_again"] = mlflow.artifacts.load_text(seen["uri"] + "/texts/again.txt")
seen["dict"] = mlflow.artifacts.load_dict(seen["uri"] + "/config.json")
seen["pixel"] = mlflow.artifacts.load_image(seen["uri"] + "/images/red.png").getpixel((0, 0))
table = mlflow.load_table("table.json", run_ids=[run_id], extra_columns=["run_id"])
seen["table"] = table[["question", "score"]].values.tolist()
seen["table_run"] = set(table["run_id"]) == {run_id}
seen["table_of_experiment"] = len(mlflow.load_table("table.json"))
seen["missing"] = failure(mlflow.artifacts.download_artifacts, run_id=run_id, artifact_path="nobody.txt")
seen["missing_run"] = failure(client.list_artifacts, "0" * 32)
if hasattr(client, "delete_artifacts"):
    client.delete_artifacts(run_id, "texts")
    seen["deleted"] = [entry.path for entry in client.list_artifacts(run_id, "texts")]
client.log_text(run_id, "after the end", "late.txt")
seen["late"] = mlflow.artifacts.load_text(seen["uri"] + "/late.txt")
tell(seen)
