"""Everything that a client does with experiments."""

from __future__ import annotations

import sys

import mlflow
from common import experiment, failure, tell
from mlflow.entities import ViewType

PREFIX = sys.argv[1]
client = mlflow.MlflowClient()
seen = {"version": mlflow.__version__, "uri": mlflow.get_tracking_uri()}

mlflow.set_tracking_uri(mlflow.get_tracking_uri())
seen["set_new"] = experiment(mlflow.set_experiment(f"{PREFIX}/set"))
seen["set_again"] = experiment(mlflow.set_experiment(f"{PREFIX}/set"))
seen["set_by_id"] = experiment(mlflow.set_experiment(experiment_id=seen["set_new"]["id"]))

made = mlflow.create_experiment(f"{PREFIX} ümläut 😀", tags={"team": "a b", "ж": "значение"})
seen["made"] = made
seen["by_id"] = experiment(mlflow.get_experiment(made))
seen["by_name"] = experiment(mlflow.get_experiment_by_name(f"{PREFIX} ümläut 😀"))
seen["by_wrong_name"] = experiment(mlflow.get_experiment_by_name(f"{PREFIX} nobody"))
seen["taken"] = failure(mlflow.create_experiment, f"{PREFIX}/set")
seen["wrong_id"] = failure(mlflow.get_experiment, "987654321")
seen["empty_name"] = failure(mlflow.create_experiment, "")
seen["outside"] = failure(mlflow.create_experiment, f"{PREFIX} outside", artifact_location="s3://bucket/elsewhere")

client.set_experiment_tag(made, "mlflow.note.content", "# Notes\nwith *marks*")
client.set_experiment_tag(made, "team", "c")
mlflow.set_experiment(f"{PREFIX}/set")
mlflow.set_experiment_tag("fluent", "1")
mlflow.set_experiment_tags({"two": "2", "three": "3"})
if hasattr(client, "delete_experiment_tag"):
    client.delete_experiment_tag(seen["set_new"]["id"], "two")
seen["tagged"] = experiment(client.get_experiment(made))
seen["tagged_fluent"] = experiment(client.get_experiment(seen["set_new"]["id"]))

client.rename_experiment(made, f"{PREFIX}/renamed")
seen["renamed"] = experiment(client.get_experiment(made))
seen["rename_taken"] = failure(client.rename_experiment, made, f"{PREFIX}/set")

with mlflow.start_run(experiment_id=made) as inside:
    pass
client.delete_experiment(made)
seen["deleted"] = experiment(client.get_experiment(made))
seen["run_of_deleted"] = client.get_run(inside.info.run_id).info.lifecycle_stage
seen["deleted_name_is_taken"] = failure(mlflow.create_experiment, f"{PREFIX}/renamed")
seen["set_deleted"] = failure(mlflow.set_experiment, f"{PREFIX}/renamed")
seen["run_in_deleted"] = failure(client.create_run, made)
client.restore_experiment(made)
seen["restored"] = experiment(client.get_experiment(made))
seen["run_of_restored"] = client.get_run(inside.info.run_id).info.lifecycle_stage

listed = [mlflow.create_experiment(f"{PREFIX}-list-{number}", tags={"n": str(number)}) for number in range(7)]
client.delete_experiment(listed[3])


def names(**query: object) -> list[str]:
    return [found.name.removeprefix(f"{PREFIX}-list-") for found in mlflow.search_experiments(**query)]


MINE = f"name LIKE '{PREFIX}-list-%'"
seen["search"] = {
    "default": names(filter_string=MINE),
    "by_name": names(filter_string=MINE, order_by=["name DESC"]),
    "deleted": names(filter_string=MINE, view_type=ViewType.DELETED_ONLY),
    "all": names(filter_string=MINE, view_type=ViewType.ALL, order_by=["name"]),
    "tag": names(filter_string=f"tags.n = '5' AND {MINE}"),
    "not_tag": names(filter_string=f"tags.n != '5' AND {MINE}", order_by=["name"]),
    "ilike": names(filter_string=f"name ILIKE '{PREFIX.upper()}-LIST-%'", order_by=["name"]),
    "limit": names(filter_string=MINE, order_by=["name"], max_results=2),
    "created": len(names(filter_string=f"creation_time > 0 AND {MINE}")),
    "nothing": names(filter_string=f"name = '{PREFIX} nobody'"),
}
pages, token = [], None
while True:
    page = client.search_experiments(filter_string=MINE, order_by=["name ASC"], max_results=2, page_token=token)
    pages.append([found.name.removeprefix(f"{PREFIX}-list-") for found in page])
    token = page.token
    if not token:
        break
seen["pages"] = pages
seen["bad_filter"] = failure(mlflow.search_experiments, filter_string="nonsense === 1")
seen["bad_order"] = failure(mlflow.search_experiments, order_by=["nonsense"])
tell(seen)
