"""The nouns of the model registry: registered models, their versions, and what was changed.

Names and shapes are those MLflow's users know (``version.current_stage``, ``model.aliases["champion"]``). All times
are Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from logbuch.model import DatasetInput, Noun, RunInfo, Tag


class Stage(StrEnum):
    """Where a model version stands on its way to use. ``wire`` is the number that the store keeps."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"

    @property
    def wire(self) -> int:
        return _STAGES.index(self)

    @property
    def active(self) -> bool:
        """Whether the version is in use or about to be."""
        return self in (Stage.STAGING, Stage.PRODUCTION)

    @classmethod
    def from_wire(cls, number: int) -> Stage:
        return _STAGES[number]

    @classmethod
    def named(cls, text: str) -> Stage | None:
        """The stage of a name in any case; None if there is none."""
        return _BY_NAME.get(text.lower())


_STAGES = tuple(Stage)
_BY_NAME = {stage.lower(): stage for stage in Stage}


class ModelVersion(Noun, frozen=True, kw_only=True):
    """One version of a registered model. ``source`` is what was registered, ``location`` where its files lie (the
    store knows it; clients ask for it)."""

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: Stage
    source: str
    location: str = ""
    description: str = ""
    user_id: str = ""
    run_id: str = ""
    run_link: str = ""
    model_id: str = ""
    status: str = "READY"
    status_message: str = ""
    tag_list: tuple[Tag, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.key: tag.value for tag in self.tag_list}


class RegisteredModelAlias(Noun, frozen=True, kw_only=True, gc=False):
    alias: str
    version: str


class RegisteredModel(Noun, frozen=True, kw_only=True):
    """A named line of versions. ``latest_versions`` holds the newest of every stage."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: tuple[ModelVersion, ...] = ()
    tag_list: tuple[Tag, ...] = ()
    alias_list: tuple[RegisteredModelAlias, ...] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.key: tag.value for tag in self.tag_list}

    @property
    def aliases(self) -> Mapping[str, str]:
        """From an alias to the number of its version."""
        return {alias.alias: alias.version for alias in self.alias_list}


class Action(StrEnum):
    """What an entry of the audit trail tells of."""

    MODEL_CREATED = "model created"
    MODEL_RENAMED = "model renamed"
    MODEL_DELETED = "model deleted"
    VERSION_CREATED = "version created"
    VERSION_DELETED = "version deleted"
    STAGE_CHANGED = "stage changed"
    ALIAS_SET = "alias set"
    ALIAS_DELETED = "alias deleted"


class AuditEntry(Noun, frozen=True, kw_only=True):
    """Who changed what, when, from what to what.

    ``name`` is the model's name at that time, ``alias`` the alias that was moved. ``before`` and ``after`` are stages,
    version numbers of an alias, or names; empty where there was nothing.
    """

    id: int
    time: int
    user: str
    address: str
    action: Action
    name: str
    version: str | None = None
    alias: str = ""
    before: str = ""
    after: str = ""


class Caller(Noun, frozen=True, kw_only=True, gc=False):
    """Who asks for a change: the user as the request names them, and the address that it came from."""

    user: str = ""
    address: str = ""
    quiet: bool = False
    """Whether nobody is told of the change: it was made elsewhere, and is only taken over."""
    recorded: bool = False
    """Whether the audit trail tells of the change already: it came with it."""


class Lineage(Noun, frozen=True, kw_only=True):
    """Where a model version comes from. Empty where the run logged none of it, or the version has no run."""

    run: RunInfo | None = None
    experiment_name: str = ""
    git_commit: str = ""
    git_branch: str = ""
    git_repository: str = ""
    git_dirty: str = ""
    datasets: tuple[DatasetInput, ...] = ()
    model_id: str = ""
    logged_model_name: str = ""


class MovedRegistration(Noun, frozen=True, kw_only=True):
    """A registered model with the versions that there are; ``last_version`` is the highest number it ever gave.

    ``history`` is its audit trail, the oldest entry first; empty where its place keeps none.
    """

    model: RegisteredModel
    versions: tuple[ModelVersion, ...] = ()
    last_version: int = 0
    history: tuple[AuditEntry, ...] = ()


class Refusal(Noun, frozen=True, kw_only=True):
    """A part that was not taken over, and why."""

    what: str
    why: str
