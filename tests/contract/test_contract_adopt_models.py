"""Taking models over, on both databases: what is there already stays, and nobody is told."""

from __future__ import annotations

import msgspec
import pytest

from logbuch.limits import MODEL_VERSION
from logbuch.logged import LoggedModel, LoggedModelStatus, MovedModel
from logbuch.registry import (
    Caller,
    ModelVersion,
    MovedRegistration,
    Refusal,
    RegisteredModel,
    RegisteredModelAlias,
    Stage,
)
from logbuch.store import Store, adopt_models, runs
from logbuch.store.delivery import outbox, webhooks
from logbuch.store.registry import aliases, audit, models, versions
from logbuch.store.registry.versions import NewVersion
from logbuch.store.runs import NewRun

ADA = Caller(user="ada")


@pytest.fixture
def run_id(store: Store) -> str:
    return store.write(runs.create, NewRun(experiment_id="0")).info.run_id


def version(number: int, run_id: str, stage: Stage = Stage.NONE) -> ModelVersion:
    return ModelVersion(
        name="net",
        version=str(number),
        creation_timestamp=1,
        last_updated_timestamp=2,
        current_stage=stage,
        source=f"runs:/{run_id}/model",
    )


def registration(*found: ModelVersion, champion: str = "", last: int = 0) -> MovedRegistration:
    names = (RegisteredModelAlias(alias="champion", version=champion),) if champion else ()
    model = RegisteredModel(name="net", creation_timestamp=1, last_updated_timestamp=2, alias_list=names)
    return MovedRegistration(model=model, versions=found, last_version=last)


def take(store: Store, wanted: MovedRegistration) -> list[Refusal]:
    return store.write(adopt_models.take_registered, wanted, ADA)


def test_an_older_copy_changes_no_stage_and_no_alias_and_says_so(store: Store, run_id: str) -> None:
    old = registration(version(1, run_id), version(2, run_id, Stage.STAGING), champion="1")
    assert take(store, old) == []
    assert take(store, old) == []
    store.write(versions.transition, "net", "1", "Production", by=ADA)
    store.write(aliases.set_alias, "net", "champion", "2", ADA)
    before = store.read(audit.entries, "net")[0]
    told = {refusal.what: refusal.why for refusal in take(store, old)}
    assert told == {
        "stage of version 1 of model 'net'": "it is Production there, which stays",
        "alias 'champion' of model 'net'": "it leads to version 2 there, which stays",
    }
    model = store.read(models.get, "net")
    assert {one.version: one.current_stage for one in model.latest_versions} == {
        "1": Stage.PRODUCTION,
        "2": Stage.STAGING,
    }
    assert model.aliases == {"champion": "2"}
    assert store.read(audit.entries, "net")[0] == before


def test_nobody_is_told_of_what_is_taken_over(store: Store, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_WEBHOOK_HOSTS", "deploy.example.com")
    store.write(webhooks.create, "https://deploy.example.com/", (), "", "info", "secret", ADA)
    many = [version(number, run_id, Stage.PRODUCTION) for number in range(1, 51)]
    assert take(store, registration(*many, champion="50")) == []
    assert store.read(outbox.listed) == []
    actions = {entry.action for entry in store.read(audit.entries, "net")[0]}
    assert {"version created", "stage changed", "alias set"} <= actions
    store.write(versions.create, NewVersion(name="net", source=f"runs:/{run_id}/model"), ADA)
    assert len(store.read(outbox.listed)) == 1


@pytest.mark.parametrize("number", [0, MODEL_VERSION + 1, 999999999999999999])
def test_a_number_that_no_version_can_have_is_refused_and_the_rest_is_taken(
    store: Store, run_id: str, number: int
) -> None:
    (refused,) = take(store, registration(version(number, run_id), version(3, run_id), last=number))
    assert refused.what == f"version {number} of model 'net'"
    assert "from 1 to 2147483647" in refused.why
    made = store.write(versions.create, NewVersion(name="net", source=f"runs:/{run_id}/model"), ADA)
    assert made.version == "4"


def logged(status: LoggedModelStatus, *, deleted: bool = False) -> MovedModel:
    model = LoggedModel(
        model_id=f"m-{'a' * 32}",
        experiment_id="0",
        name="net",
        artifact_location="",
        creation_timestamp=1,
        last_updated_timestamp=2,
        status=status,
    )
    return MovedModel(model=model, deleted=deleted)


def test_a_logged_model_that_is_there_stays_as_it_is(store: Store) -> None:
    ready = logged(LoggedModelStatus.READY)
    assert store.write(adopt_models.take_logged, "0", ready) == []
    newer = msgspec.structs.replace(ready.model, last_updated_timestamp=9)
    assert store.write(adopt_models.take_logged, "0", msgspec.structs.replace(ready, model=newer)) == []
    told = store.write(adopt_models.take_logged, "0", logged(LoggedModelStatus.FAILED, deleted=True))
    assert [refusal.what.partition(" of ")[0] for refusal in told] == ["status", "deletion"]
    assert [refusal.why for refusal in told] == [
        "it is READY there, which stays",
        "it is not deleted there, which stays",
    ]
    (found,) = store.read(adopt_models.logged_of, "0")
    assert (found.deleted, found.model.status, found.model.last_updated_timestamp) == (
        False,
        LoggedModelStatus.READY,
        9,
    )


def test_a_logged_model_that_was_not_done_gets_its_outcome(store: Store) -> None:
    for status in (LoggedModelStatus.PENDING, LoggedModelStatus.READY):
        assert store.write(adopt_models.take_logged, "0", logged(status)) == []
    (refused,) = store.write(adopt_models.take_logged, "0", logged(LoggedModelStatus.PENDING))
    assert refused.why == "it is READY there, which stays"
