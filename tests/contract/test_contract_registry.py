"""Registered models and their versions, on both databases."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from logbuch.errors import AlreadyExists, InvalidInput, NotFound
from logbuch.model import Dataset, DatasetInput, Tag
from logbuch.registry import Action, Caller, ModelVersion, Stage
from logbuch.store import Store, batch, erase, open_store, runs
from logbuch.store.registry import aliases, audit, lineage, lookup, models, search, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.runs import NewRun

ANNA = Caller(user="anna", address="10.0.0.7")


@pytest.fixture
def run_id(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0", run_name="best")).info.run_id


@pytest.fixture
def register(store: Store, run_id: str) -> Callable[..., ModelVersion]:
    """Registers a version of a model, which is made where it is missing."""

    def make(name: str = "lora", **more: Any) -> ModelVersion:
        if not store.read(search.models, f"name = '{name}'")[0]:
            store.write(models.create, name)
        return store.write(versions.create, NewVersion(name=name, source=f"runs:/{run_id}/model", **more), ANNA)

    return make


def trail(store: Store, name: str = "lora") -> list[tuple[str, str | None, str, str, str]]:
    entries, _ = store.read(audit.entries, name)
    return [(entry.action, entry.version, entry.alias, entry.before, entry.after) for entry in reversed(entries)]


def test_a_model_is_created_with_tags_and_description(store: Store) -> None:
    made = store.write(models.create, "lora", [Tag(key="team", value="a"), Tag(key="team", value="b")], "adapters")
    assert made == store.read(models.get, "lora")
    assert (made.tags, made.description, made.latest_versions) == ({"team": "b"}, "adapters", ())
    with pytest.raises(AlreadyExists, match="lora"):
        store.write(models.create, "lora")
    with pytest.raises(NotFound, match="other"):
        store.read(models.get, "other")


@pytest.mark.parametrize(
    "name",
    ["", " ", "a/b", "a:b", "a@b", "a?b", "a#b", "a%2fb", "a\\b", "..", ".", " a", "a\n", "a\0", "x" * 257, "\ud800"],
)
def test_a_name_that_would_break_an_address_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidInput):
        store.write(models.create, name)
    store.write(models.create, "good")
    with pytest.raises(InvalidInput):
        store.write(models.rename, "good", name)


@pytest.mark.parametrize("name", ["a b", "ä-ö", "m.1", "$(id)", "x" * 256, "模型"])
def test_other_names_are_good(store: Store, name: str) -> None:
    assert store.write(models.create, name).name == name


def test_numbers_are_never_given_twice(store: Store, register: Callable[..., ModelVersion]) -> None:
    assert [register().version for _ in range(3)] == ["1", "2", "3"]
    store.write(versions.delete_version, "lora", "3")
    assert register().version == "4"
    with pytest.raises(NotFound, match="version=3"):
        store.read(lookup.version, "lora", "3")


def test_many_who_register_at_once_get_numbers_of_their_own(store: Store, store_uri: str, run_id: str) -> None:
    store.write(models.create, "lora")
    found: list[str] = []

    def register_some() -> None:
        other = open_store(store_uri)
        for _ in range(5):
            made = other.write(versions.create, NewVersion(name="lora", source=f"runs:/{run_id}/model"))
            found.append(made.version)
        other.close()

    threads = [threading.Thread(target=register_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=int) == [str(number) for number in range(1, 21)]


def test_a_version_carries_what_was_said_of_it(
    store: Store, run_id: str, register: Callable[..., ModelVersion]
) -> None:
    made = register(tags=(Tag(key="quality", value="good"),), description="first", run_link="http://ci/1")
    assert (made.run_id, made.source, made.location) == (run_id, f"runs:/{run_id}/model", f"runs:/{run_id}/model")
    assert (made.description, made.run_link, made.tags) == ("first", "http://ci/1", {"quality": "good"})
    assert (made.current_stage, made.user_id, made.status) == (Stage.NONE, "anna", "READY")
    changed = store.write(versions.update_version, "lora", "1", "second")
    assert changed.description == "second"
    assert changed.last_updated_timestamp >= made.creation_timestamp
    store.write(versions.set_tag, "lora", "1", Tag(key="quality", value="better"))
    store.write(versions.delete_tag, "lora", "1", "nothing")
    assert store.read(lookup.version, "lora", "1").tags == {"quality": "better"}
    store.write(versions.delete_tag, "lora", "1", "quality")
    assert store.read(lookup.version, "lora", "1").tags == {}


@pytest.mark.parametrize("version", ["x", "", "1.5"])
def test_a_version_is_an_integer(store: Store, register: Callable[..., ModelVersion], version: str) -> None:
    register()
    with pytest.raises(InvalidInput, match="version"):
        store.read(lookup.version, "lora", version)


@pytest.mark.parametrize("version", ["0", "-1", "2", "9" * 40])
def test_a_number_that_no_version_has_is_not_found(
    store: Store, register: Callable[..., ModelVersion], version: str
) -> None:
    register()
    with pytest.raises(NotFound):
        store.read(lookup.version, "lora", version)


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "http://169.254.169.254/latest",
        "s3://bucket/key",
        "dbfs:/x",
        "runs://host/{run}/model",
        "runs:/{run}/../../x",
        "runs:/{run}/%2e%2e/x",
        "runs:/{run}/%252e%252e%252fx",
        "runs:/{run}/a?b",
        "runs:/{run}/a#b",
        "runs:/{run}/a\\b",
        "runs:/{run}//a",
        "runs:/",
        "mlflow-artifacts://host/0/{run}/artifacts/model",
        "mlflow-artifacts:/1/{run}/artifacts/model",
        "mlflow-artifacts:/0/{run}/elsewhere",
        "mlflow-artifacts:/0",
        "models:/lora",
        "models:/lora/1/2",
        "models:/lora@a/1",
        "",
        "x" * 3000,
    ],
)
def test_a_source_outside_this_store_is_refused(
    store: Store, run_id: str, register: Callable[..., ModelVersion], source: str
) -> None:
    register()
    with pytest.raises((InvalidInput, NotFound)):
        store.write(versions.create, NewVersion(name="lora", source=source.replace("{run}", run_id)))
    assert store.read(lookup.by_alias, "lora", "latest").version == "1"


def test_a_source_must_exist_and_be_of_the_run_that_is_named(store: Store, run_id: str) -> None:
    store.write(models.create, "lora")
    other = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
    for source, given, error in (
        ("runs:/nobody/model", "", NotFound),
        (f"runs:/{run_id}/model", other, InvalidInput),
        (f"mlflow-artifacts:/0/{run_id}/artifacts/model", other, InvalidInput),
        ("models:/nobody/1", "", NotFound),
        (f"models:/m-{'0' * 32}", "", NotFound),
    ):
        with pytest.raises(error):
            store.write(versions.create, NewVersion(name="lora", source=source, run_id=given))


def test_a_version_of_a_version_leads_to_the_same_files(
    store: Store, run_id: str, register: Callable[..., ModelVersion]
) -> None:
    register()
    store.write(aliases.set_alias, "lora", "champion", "1")
    store.write(versions.transition, "lora", "1", "Production")
    store.write(models.create, "copy")
    for source in ("models:/lora/1", "models:/lora@champion", "models:/lora/production", "models:/lora/latest"):
        copy = store.write(versions.create, NewVersion(name="copy", source=source))
        assert (copy.source, copy.location, copy.run_id) == (source, f"runs:/{run_id}/model", run_id)
    with pytest.raises(NotFound, match="Staging"):
        store.write(versions.create, NewVersion(name="copy", source="models:/lora/staging"))


def test_stages(store: Store, register: Callable[..., ModelVersion]) -> None:
    for _ in range(3):
        register()
    assert store.write(versions.transition, "lora", "1", "production").current_stage is Stage.PRODUCTION
    store.write(versions.transition, "lora", "2", "PRODUCTION")
    store.write(versions.transition, "lora", "3", "Production", archive_existing=True)
    stages = [store.read(lookup.version, "lora", number).current_stage for number in "123"]
    assert stages == [Stage.ARCHIVED, Stage.ARCHIVED, Stage.PRODUCTION]
    assert [version.version for version in store.read(lookup.latest, "lora")] == ["2", "3"]
    assert [version.version for version in store.read(lookup.latest, "lora", ["Production"])] == ["3"]
    for bad in ("dev", "", "Deleted"):
        with pytest.raises(InvalidInput, match="None, Staging, Production, Archived"):
            store.write(versions.transition, "lora", "1", bad)
    with pytest.raises(InvalidInput, match="Active stage"):
        store.write(versions.transition, "lora", "1", "Archived", archive_existing=True)
    with pytest.raises(NotFound):
        store.write(versions.transition, "lora", "9", "Staging")


def test_aliases(store: Store, register: Callable[..., ModelVersion]) -> None:
    register()
    register()
    store.write(aliases.set_alias, "lora", "champion", "1")
    store.write(aliases.set_alias, "lora", "champion", "2")
    store.write(aliases.set_alias, "lora", "old", "1")
    assert store.read(models.get, "lora").aliases == {"champion": "2", "old": "1"}
    assert store.read(lookup.by_alias, "lora", "champion").version == "2"
    assert store.read(lookup.version, "lora", "2").aliases == ("champion",)
    with pytest.raises(InvalidInput, match="CHAMPION"):
        store.read(lookup.by_alias, "lora", "CHAMPION")
    store.write(aliases.delete_alias, "lora", "old")
    store.write(aliases.delete_alias, "lora", "old")
    store.write(versions.delete_version, "lora", "2")
    with pytest.raises(InvalidInput, match="champion"):
        store.read(lookup.by_alias, "lora", "champion")


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V22", "a b", "a/b", "a@b", "x" * 256, "a\0"])
def test_a_bad_alias_is_refused(store: Store, register: Callable[..., ModelVersion], alias: str) -> None:
    register()
    with pytest.raises(InvalidInput):
        store.write(aliases.set_alias, "lora", alias, "1")


def test_the_trail_tells_every_change_and_who_made_it(store: Store, register: Callable[..., ModelVersion]) -> None:
    store.write(models.create, "lora", by=ANNA)
    register()
    source = register().source
    store.write(aliases.set_alias, "lora", "champion", "1", ANNA)
    store.write(aliases.set_alias, "lora", "champion", "1", ANNA)  # nothing changes, so nothing is noted
    store.write(aliases.set_alias, "lora", "champion", "2", ANNA)
    store.write(versions.transition, "lora", "1", "Production", by=ANNA)
    store.write(versions.transition, "lora", "2", "Production", archive_existing=True, by=ANNA)
    store.write(aliases.delete_alias, "lora", "champion", ANNA)
    store.write(aliases.set_alias, "lora", "left", "2", ANNA)
    store.write(models.rename, "lora", "final", ANNA)
    store.write(versions.delete_version, "final", "2", ANNA)
    told = [
        (Action.MODEL_CREATED, None, "", "", ""),
        (Action.VERSION_CREATED, "1", "", "", source),
        (Action.VERSION_CREATED, "2", "", "", source),
        (Action.ALIAS_SET, "1", "champion", "", "1"),
        (Action.ALIAS_SET, "2", "champion", "1", "2"),
        (Action.STAGE_CHANGED, "1", "", "None", "Production"),
        (Action.STAGE_CHANGED, "2", "", "None", "Production"),
        (Action.STAGE_CHANGED, "1", "", "Production", "Archived"),
        (Action.ALIAS_DELETED, "2", "champion", "2", ""),
        (Action.ALIAS_SET, "2", "left", "", "2"),
        (Action.MODEL_RENAMED, None, "", "lora", "final"),
        (Action.ALIAS_DELETED, "2", "left", "2", ""),
        (Action.VERSION_DELETED, "2", "", "Production", ""),
    ]
    assert trail(store, "final") == told
    entries, _ = store.read(audit.entries, "final")
    assert {(entry.user, entry.address) for entry in entries} == {("anna", "10.0.0.7")}
    assert all(entry.time > 0 for entry in entries)
    store.write(models.delete_model, "final", ANNA)
    assert (Action.MODEL_DELETED, None, "", "", "") in trail(store, "final")
    assert trail(store, "lora") == told[:11], "what was done under the old name is found by it"


def test_the_trail_of_one_version_and_in_pages(store: Store, register: Callable[..., ModelVersion]) -> None:
    for _ in range(4):
        register()
    store.write(versions.transition, "lora", "2", "Staging")
    of_second, _ = store.read(audit.entries, "lora", "2")
    assert [entry.action for entry in of_second] == [Action.STAGE_CHANGED, Action.VERSION_CREATED]
    seen, token = [], ""
    while token is not None:
        page, token = store.read(audit.entries, "", "", 2, token)
        assert len(page) <= 2
        seen += [entry.id for entry in page]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 6


@pytest.mark.parametrize("user", ["x" * 5000, "a\0b", "\ud800", "ж"])
def test_whatever_a_caller_says_of_himself_is_noted(store: Store, user: str) -> None:
    store.write(models.create, "lora", by=Caller(user=user, address="::1"))
    entries, _ = store.read(audit.entries, "lora")
    assert len(entries) == 1
    assert len(entries[0].user) <= 256


def test_rename_and_delete(store: Store, register: Callable[..., ModelVersion]) -> None:
    register()
    store.write(aliases.set_alias, "lora", "champion", "1")
    store.write(models.create, "taken")
    with pytest.raises(AlreadyExists, match="taken"):
        store.write(models.rename, "lora", "taken")
    renamed = store.write(models.rename, "lora", "final")
    assert (renamed.name, renamed.aliases, renamed.latest_versions[0].name) == ("final", {"champion": "1"}, "final")
    with pytest.raises(NotFound):
        store.read(models.get, "lora")
    store.write(models.delete_model, "final")
    for call, arguments in ((models.get, ("final",)), (lookup.version, ("final", "1"))):
        with pytest.raises(NotFound):
            store.read(call, *arguments)
    with pytest.raises(NotFound):
        store.write(models.delete_model, "final")


def test_lineage(store: Store, run_id: str, register: Callable[..., ModelVersion]) -> None:
    register()
    store.write(runs.set_tags, run_id, [Tag(key="mlflow.source.git.commit", value="abc123")])
    used = DatasetInput(
        dataset=Dataset(name="tiny", digest="d1", source_type="local", source="{}"),
        tags=(Tag(key="mlflow.data.context", value="training"),),
    )
    store.write(batch.log_inputs, run_id, [used])
    found = store.read(lineage.of_version, "lora", "1")
    assert found.run is not None
    assert (found.run.run_id, found.experiment_name, found.git_commit) == (run_id, "Default", "abc123")
    assert found.datasets == (used,)


def names(found: tuple[list[Any], str | None]) -> list[str]:
    return [noun.name for noun in found[0]]


def test_searching_models(store: Store) -> None:
    for name, team in (("alpha", "a"), ("beta", "b"), ("Gamma", "a")):
        store.write(models.create, name, [Tag(key="team", value=team)])
    store.write(models.create, "plain")
    assert names(store.read(search.models)) == ["Gamma", "alpha", "beta", "plain"]
    for text, found in (
        ("name = 'beta'", ["beta"]),
        ("name LIKE '%a'", ["Gamma", "alpha", "beta"]),
        ("name ILIKE 'g%'", ["Gamma"]),
        ("name IN ('beta', 'plain')", ["beta", "plain"]),
        ("tags.team = 'a'", ["Gamma", "alpha"]),
        ("tag.team != 'a'", ["beta"]),
        ("tags.team IS NULL", ["plain"]),
        ("NOT tags.team = 'a'", ["beta", "plain"]),
        ("tags.team = 'a' OR name = 'plain'", ["Gamma", "alpha", "plain"]),
        ("creation_timestamp > 0 AND name = 'beta'", ["beta"]),
    ):
        assert names(store.read(search.models, text)) == found, text
    assert names(store.read(search.models, "", ["name DESC"], 2)) == ["plain", "beta"]
    store.write(models.update_model, "beta", "changed")
    newest = names(store.read(search.models, "", ["last_updated_timestamp DESC", "name"]))
    assert newest[0] == "beta"
    for text in ("nonsense = 'x'", "name > 3", "metrics.a > 1"):
        with pytest.raises(InvalidInput):
            store.read(search.models, text)


def test_prompts_are_found_only_by_who_asks_for_them(store: Store) -> None:
    store.write(models.create, "model")
    store.write(models.create, "prompt", [Tag(key="mlflow.prompt.is_prompt", value="true")])
    key = "tags.`mlflow.prompt.is_prompt`"
    assert names(store.read(search.models)) == ["model"]
    assert names(store.read(search.models, "name LIKE '%'")) == ["model"]
    assert names(store.read(search.models, f"name LIKE '%' AND {key} != 'true'")) == ["model"]
    assert names(store.read(search.models, f"{key} = 'true'")) == ["prompt"]
    assert names(store.read(search.models, f"NOT {key} != 'true' OR name = 'model'")) == ["model", "prompt"]


def test_searching_in_pages(store: Store) -> None:
    for number in range(7):
        store.write(models.create, f"m{number}")
    for order in ([], ["name DESC"], ["last_updated_timestamp DESC"], ["timestamp", "name DESC"]):
        whole = names(store.read(search.models, "", order))
        seen, token = [], ""
        while token is not None:
            page, token = store.read(search.models, "", order, 2, token)
            seen += [noun.name for noun in page]
        assert seen == whole
        assert len(seen) == 7
    _, token = store.read(search.models, "", ["name"], 2)
    for bad in (token or "", "bogus", "e30="):
        with pytest.raises(InvalidInput, match="page_token"):
            store.read(search.models, "", ["name DESC"], 2, bad)
    for size in (0, -1, 1001):
        with pytest.raises(InvalidInput, match="max_results"):
            store.read(search.models, "", [], size)


def test_searching_versions(store: Store, run_id: str, register: Callable[..., ModelVersion]) -> None:
    for _ in range(3):
        register("one")
    register("two", tags=(Tag(key="t", value="1"),))
    store.write(versions.transition, "one", "2", "Staging")

    def found(text: str = "", order: tuple[str, ...] = ("name", "version_number")) -> list[str]:
        return [f"{noun.name}/{noun.version}" for noun in store.read(search.versions, text, order)[0]]

    every = ["one/1", "one/2", "one/3", "two/1"]
    assert found() == every
    for text, expected in (
        ("name = 'one'", every[:3]),
        (f"run_id = '{run_id}'", every),
        (f"run_id IN ('{run_id}', 'x')", every),
        ("run_id = 'x'", []),
        (f"source_path = 'runs:/{run_id}/model'", every),
        ("version_number > 1", ["one/2", "one/3"]),
        ("version_number = 1.5", None),
        ("tags.t = '1'", ["two/1"]),
        ("stage = 'Staging'", ["one/2"]),
        ("current_stage LIKE 'S%'", ["one/2"]),
        ("current_stage != 'Staging' AND name = 'one'", ["one/1", "one/3"]),
        ("user_id = 'anna' AND name = 'two'", ["two/1"]),
    ):
        if expected is None:
            with pytest.raises(InvalidInput):
                found(text)
        else:
            assert found(text) == expected, text
    assert found("", ())[0] == "one/2", "what was changed last comes first"
    assert found("", ("version_number DESC", "name")) == ["one/3", "one/2", "one/1", "two/1"]


def test_a_run_that_a_version_was_made_from_cannot_be_erased(
    store: Store, run_id: str, register: Callable[..., ModelVersion]
) -> None:
    register()
    store.write(runs.delete, run_id)
    with pytest.raises(InvalidInput, match="version 1 of the registered model 'lora'"):
        store.write(erase.erase_runs, [run_id])
    assert store.read(runs.get, run_id).info.run_id == run_id
    store.write(versions.delete_version, "lora", "1")
    assert [erased.run_id for erased in store.write(erase.erase_runs, [run_id])] == [run_id]
    with pytest.raises(NotFound):
        store.write(versions.create, NewVersion(name="lora", source=f"runs:/{run_id}/model"))


def test_registering_and_erasing_at_once_never_leave_a_version_without_its_run(store: Store, store_uri: str) -> None:
    store.write(models.create, "lora")
    other = open_store(store_uri)
    for _ in range(8):
        run_id = store.write(runs.create, NewRun(experiment_id="0")).info.run_id
        store.write(runs.delete, run_id)
        made: list[str] = []

        def register_it(run_id: str = run_id, made: list[str] = made) -> None:
            with contextlib.suppress(NotFound):
                made.append(other.write(versions.create, NewVersion(name="lora", source=f"runs:/{run_id}/m")).version)

        thread = threading.Thread(target=register_it)
        thread.start()
        try:
            erased = bool(store.write(erase.erase_runs, [run_id]))
        except InvalidInput:
            erased = False
        thread.join()
        assert erased != bool(made)
    other.close()
