"""MLflow's database as a source: SQLite, PostgreSQL or MySQL, of any schema from MLflow 1.30 on.

Which tables and columns there are is looked at, not concluded from a version: what an older MLflow did not keep is not
asked for. MLflow's tables cannot hold an infinite value: ±Inf stands there as the largest double, and NaN as 0 with a
mark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from sqlalchemy import (
    Connection,
    Engine,
    Float,
    MetaData,
    Numeric,
    Select,
    Table,
    bindparam,
    create_engine,
    func,
    inspect,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from logbuch.errors import InvalidInput
from logbuch.limits import clip
from logbuch.logged import LoggedModel, MovedModel
from logbuch.model import (
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Tag,
)
from logbuch.registry import MovedRegistration
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer import columns
from logbuch.transfer.report import Report
from logbuch.transfer.source import SourceFile, SourceRun
from logbuch.transfer.sources.artifacts import DEFAULT_PROXIED, ArtifactFolders
from logbuch.transfer.sources.infinities import restore
from logbuch.transfer.sources.mlflow_models import TABLES, ModelTables
from logbuch.transfer.sources.sqlite_file import SqliteFile

RUNS_AT_ONCE = 200
ROWS_AT_ONCE = 50_000
SORTED_HERE = 200_000
"""Points of a run that are sorted after reading. The database takes as long for that as for reading them, but needs no
memory for it, however many they are."""
_NEEDED = {
    "experiments": {"experiment_id", "name", "lifecycle_stage"},
    "runs": {"run_uuid", "experiment_id", "status", "start_time", "end_time", "lifecycle_stage"},
    "metrics": {"run_uuid", "key", "step", "timestamp", "value"},
    "params": {"run_uuid", "key", "value"},
    "tags": {"run_uuid", "key", "value"},
}
"""Tables and columns without which nothing can be read; every schema since MLflow 1.30 has them."""
_MORE = {
    "experiment_tags": {"experiment_id", "key", "value"},
    "datasets": {"dataset_uuid", "name", "digest", "dataset_source_type", "dataset_source", "dataset_schema"},
    "inputs": {"input_uuid", "source_type", "source_id", "destination_type", "destination_id"},
    "input_tags": {"input_uuid", "name", "value"},
    **TABLES,
}
"""What later schemas have besides."""
_DEFAULT_WORKSPACE = "default"
_LOGBUCH = "log_heads"


class MlflowDatabase:
    """See :class:`logbuch.transfer.source.Source`. ``infinities=False`` leaves the largest doubles as they are."""

    partial = False

    def __init__(self, uri: str, report: Report, *, artifacts: Path | None = None, infinities: bool = True) -> None:
        self.report = report
        url = _url(uri)
        self.name = url.render_as_string(hide_password=True)
        self._file = SqliteFile(_file(url), report) if url.get_backend_name() == "sqlite" else None
        self._engine = _engine(url, self._file)
        self._driver_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._infinities = infinities
        try:
            self._tables = _tables(self._engine, self.name, report)
        except BaseException:
            self.close()
            raise
        base = (
            Path(url.database).absolute().parent if url.get_backend_name() == "sqlite" and url.database else Path.cwd()
        )
        self._folders = ArtifactFolders(base, artifacts, report)
        self._points: dict[str, int] | None = self._counted()
        self._unsorted, self._sorted = _of_points(self._tables["metrics"])
        self._models = ModelTables(self._tables, self._rows, report)

    # -- experiments ---------------------------------------------------------------------------------------------------

    def experiments(self) -> Iterable[Experiment]:
        table = self._tables["experiments"]
        tags: defaultdict[int, list[Tag]] = defaultdict(list)
        for row in self._rows("experiment_tags", "tags of experiments"):
            tags[row["experiment_id"]].append(Tag(key=row["key"], value=row["value"] or ""))
        return [
            Experiment(
                experiment_id=str(row["experiment_id"]),
                name=_full_name(row),
                artifact_location=row.get("artifact_location") or "",
                lifecycle_stage=_stage(row),
                creation_time=row.get("creation_time") or 0,
                last_update_time=row.get("last_update_time") or 0,
                tag_list=tuple(tags[row["experiment_id"]]),
            )
            for row in self._rows("experiments", "experiments", select(table).order_by(table.c.experiment_id))
        ]

    # -- runs ----------------------------------------------------------------------------------------------------------

    def runs(self, experiment: Experiment) -> Iterable[SourceRun]:
        table = self._tables["runs"]
        mine = table.c.experiment_id == int(experiment.experiment_id)
        what = f"runs of experiment {clip(experiment.name)!r}"
        query = select(table).where(mine).order_by(table.c.start_time, table.c.run_uuid)
        rows = list(self._rows("runs", what, query))
        for start in range(0, len(rows), RUNS_AT_ONCE):
            yield from self._whole(rows[start : start + RUNS_AT_ONCE])

    def _whole(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[SourceRun]:
        ids = [row["run_uuid"] for row in rows]
        params = self._pairs("params", Param, ids)
        tags = self._pairs("tags", Tag, ids)
        inputs = self._inputs(ids)
        models = self._models.of_runs(ids)
        for row in rows:
            run_id = row["run_uuid"]
            data = RunData(param_list=tuple(params[run_id]), tag_list=tuple(tags[run_id]))
            used = RunInputs(
                dataset_inputs=tuple(inputs.get(run_id, ())), model_inputs=tuple(models.get((run_id, False), ()))
            )
            made = RunOutputs(model_outputs=tuple(models.get((run_id, True), ())))
            run = Run(info=self._info(row), data=data, inputs=used, outputs=made)
            count = None if self._points is None else self._points.get(run_id, 0)
            yield SourceRun(run, row.get("deleted_time"), count)

    def _info(self, row: Mapping[str, Any]) -> RunInfo:
        try:
            status = RunStatus(row["status"] or RunStatus.RUNNING)
        except ValueError:
            self.report.lost(f"status {row['status']!r} of run {row['run_uuid']}", "it is unknown; RUNNING was taken")
            status = RunStatus.RUNNING
        return RunInfo(
            run_id=row["run_uuid"],
            experiment_id=str(row["experiment_id"]),
            run_name=row.get("name") or "",
            user_id=row.get("user_id") or "",
            status=status,
            start_time=row["start_time"] or 0,
            end_time=row["end_time"],
            lifecycle_stage=_stage(row),
            artifact_uri=row.get("artifact_uri") or "",
        )

    def _pairs(self, name: str, noun: Any, ids: Sequence[str]) -> Mapping[str, list[Any]]:
        table = self._tables[name]
        found: defaultdict[str, list[Any]] = defaultdict(list)
        query = select(table.c.run_uuid, table.c.key, table.c.value).where(table.c.run_uuid.in_(ids))
        query = query.order_by(table.c.run_uuid, table.c.key)
        for row in self._rows(name, f"{name} of runs {ids[0]} to {ids[-1]}", query):
            found[row["run_uuid"]].append(noun(key=row["key"], value=row["value"] or ""))
        return found

    def _inputs(self, ids: Sequence[str]) -> Mapping[str, list[DatasetInput]]:
        if not {"inputs", "datasets", "input_tags"} <= self._tables.keys():
            return {}
        uses, sets, labels = (self._tables[name] for name in ("inputs", "datasets", "input_tags"))
        of_runs = (
            (uses.c.source_type == "DATASET") & (uses.c.destination_type == "RUN") & uses.c.destination_id.in_(ids)
        )
        query = select(uses.c.destination_id, uses.c.input_uuid, sets).join(
            sets, sets.c.dataset_uuid == uses.c.source_id
        )
        what = f"data sets of runs {ids[0]} to {ids[-1]}"
        rows = list(self._rows("inputs", what, query.where(of_runs).order_by(uses.c.destination_id, uses.c.input_uuid)))
        tags: defaultdict[str, list[Tag]] = defaultdict(list)
        for start in range(0, len(rows), RUNS_AT_ONCE):
            part = [row["input_uuid"] for row in rows[start : start + RUNS_AT_ONCE]]
            for row in self._rows("input_tags", what, select(labels).where(labels.c.input_uuid.in_(part))):
                tags[row["input_uuid"]].append(Tag(key=row["name"], value=row["value"]))
        found: defaultdict[str, list[DatasetInput]] = defaultdict(list)
        for row in rows:
            used = DatasetInput(dataset=_dataset(row), tags=tuple(sorted(tags[row["input_uuid"]], key=_key)))
            found[row["destination_id"]].append(used)
        return found

    # -- points --------------------------------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[Incoming]:
        """By key, step and time. The driver's own rows are taken: they are several times quicker."""
        run_id = run.run.info.run_id
        if run.points == 0:
            return
        together = run.points is not None and run.points <= SORTED_HERE
        rest: Sequence[Any] = []
        with self._telling(f"points of run {run_id}"), self._engine.connect() as connection:
            for rows in _parts(connection, self._unsorted if together else self._sorted, {"run": run_id}):
                rows = [*rest, *rows] if rest else rows
                whole, rest = ((), rows) if together else _cut(rows) if len(rows) >= ROWS_AT_ONCE else (rows, ())
                if whole:
                    yield self._columns(whole)
        if rest:  # of a damaged table what was read before
            yield columns.ordered(self._columns(rest)) if together else self._columns(rest)

    def _columns(self, rows: Sequence[Sequence[Any]]) -> Incoming:
        keys, steps, timestamps, values, *odd = zip(*rows, strict=True)
        names = {name: place for place, name in enumerate(dict.fromkeys(keys))}
        index = np.fromiter(map(names.__getitem__, keys), np.int64, len(keys))
        numbers = np.array(
            [0.0 if value is None else value for value in values] if None in values else values, np.float64
        )
        if self._infinities:
            restore(numbers, self.report)
        if odd:
            numbers[np.array(odd[0], np.bool_)] = np.nan
        return Incoming(list(names), index, np.array(steps, np.int64), np.array(timestamps, np.int64), numbers)

    # -- files ---------------------------------------------------------------------------------------------------------

    def files(self, run: SourceRun) -> Iterator[SourceFile]:
        return self._folders.files(run.run)

    def open(self, file: SourceFile) -> BinaryIO:
        return self._folders.open(file)

    # -- models --------------------------------------------------------------------------------------------------------

    def logged_models(self, experiment: Experiment) -> Iterable[MovedModel]:
        return self._models.logged(experiment)

    def model_files(self, model: LoggedModel) -> Iterator[SourceFile]:
        return self._folders.of_model(model)

    def registered_models(self) -> Iterable[MovedRegistration]:
        return self._models.registered()

    # -- the account ---------------------------------------------------------------------------------------------------

    def totals(self) -> Mapping[str, int]:
        found = {}
        for noun in ("experiments", "runs", "params", "tags"):
            with self._telling(f"number of {noun}"), self._engine.connect() as connection:
                query = select(func.count()).select_from(self._tables[noun])
                found[noun] = int(connection.execute(query).scalar_one())
        if self._points is not None:
            found["points"] = sum(self._points.values())
        return found

    def _counted(self) -> dict[str, int] | None:
        """How many points each run has; None where the database is too damaged to tell."""
        table = self._tables["metrics"]
        query = select(table.c.run_uuid, func.count()).group_by(table.c.run_uuid)
        try:
            with self._engine.connect() as connection:
                return {row[0]: int(row[1]) for row in connection.execute(query)}
        except SQLAlchemyError:
            return None

    def close(self) -> None:
        self._engine.dispose()
        if self._file is not None:
            self._file.close()

    def _rows(self, name: str, what: str, query: Select[Any] | None = None) -> Iterator[dict[str, Any]]:
        """The rows of a query, or of a table; none of a table that this schema has not."""
        table = self._tables.get(name)
        if table is None:
            return
        with self._telling(what), self._engine.connect() as connection:
            for row in connection.execute(select(table) if query is None else query).mappings():
                yield dict(row)

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """What the database cannot give is told; what was read of it before goes on."""
        try:
            yield
        except (SQLAlchemyError, self._driver_error) as error:
            self.report.lost(what, _reason(error))


def _url(uri: str) -> URL:
    try:
        url = make_url(uri if "://" in uri else f"sqlite:///{uri}")
    except ArgumentError:
        raise InvalidInput(f"{uri!r} is no database URI.") from None
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
    backend = url.get_backend_name().replace("postgres", "postgresql").replace("postgresqlql", "postgresql")
    if backend not in drivers:
        raise InvalidInput(f"{uri!r}: MLflow databases are read from SQLite, PostgreSQL and MySQL.")
    return url.set(drivername=drivers[backend])


def _file(url: URL) -> Path:
    return Path(url.database or "").absolute()


def _engine(url: URL, file: SqliteFile | None) -> Engine:
    """An engine that cannot write: SQLite opens the file for reading alone, the others begin such transactions."""
    if file is not None:
        return create_engine(file.uri)
    try:
        engine = create_engine(url, isolation_level="REPEATABLE READ")
    except ImportError as error:
        raise InvalidInput(f"Reading {url.get_backend_name()} needs a driver: pip install {error.name}.") from None
    return engine.execution_options(postgresql_readonly=True)


def _tables(engine: Engine, name: str, report: Report) -> dict[str, Table]:
    """The tables that there are, with their columns; InvalidInput for a database that is something else."""
    try:
        known = set(inspect(engine).get_table_names())
        if not known >= _NEEDED.keys():
            if _LOGBUCH in known:
                raise InvalidInput(
                    f"{name} is Logbuch's own: copy it with logbuch backup and restore, "
                    "or take its runs over with logbuch export and logbuch import export."
                )
            what = "is no MLflow database" if known else "is empty"
            raise InvalidInput(f"{name} {what}: it lacks the tables {', '.join(sorted(_NEEDED.keys() - known))}.")
        metadata = MetaData()
        wanted = (_NEEDED.keys() | _MORE.keys()) & known
        metadata.reflect(engine, only=sorted(wanted), resolve_fks=False)
        for column in (column for table in metadata.tables.values() for column in table.c):
            if isinstance(column.type, Float | Numeric):
                column.type = Float()  # MySQL's would come as decimals, rounded
    except SQLAlchemyError as error:
        raise InvalidInput(f"{name} cannot be read: {_reason(error)}") from None
    return _readable({table.name: table for table in metadata.tables.values()}, name, report)


def _readable(found: dict[str, Table], name: str, report: Report) -> dict[str, Table]:
    """Without the tables of an unknown schema, which lack a column that is read: they are told."""
    for table, columns_ in (_NEEDED | _MORE).items():
        lacking = columns_ - set(found[table].c.keys()) if table in found else set()
        if lacking and table in _NEEDED:
            what = f"table {table} lacks {', '.join(sorted(lacking))}"
            raise InvalidInput(f"{name} is of a schema that is not known here: {what}.")
        if lacking:
            report.lost(f"table {table}", f"its schema is not known here: it lacks {', '.join(sorted(lacking))}")
            del found[table]
    return found


def check_room(uri: str) -> tuple[str, Path]:
    """Makes sure that MLflow may write to a database: it is not there yet, empty, or MLflow's.

    Returns its name without a password, and the folder beside it in which MLflow keeps artifacts. InvalidInput for a
    database that is something else; nothing is changed.
    """
    url = _url(uri)
    name = url.render_as_string(hide_password=True)
    file = _file(url) if url.get_backend_name() == "sqlite" else None
    if file is not None and not file.exists():
        return name, file.parent / DEFAULT_PROXIED
    opened = SqliteFile(file, Report()) if file is not None else None
    engine = _engine(url, opened)
    try:
        known = set(inspect(engine).get_table_names())
    except SQLAlchemyError as error:
        raise InvalidInput(f"{name} cannot be read: {_reason(error)}") from None
    finally:
        engine.dispose()
        if opened is not None:
            opened.close()
    if known and not known >= _NEEDED.keys():
        whose = "Logbuch's" if _LOGBUCH in known else "neither empty nor MLflow's"
        raise InvalidInput(f"{name} is {whose}: name a database that MLflow may make its tables in.")
    return name, (Path.cwd() if file is None else file.parent) / DEFAULT_PROXIED


def _of_points(table: Table) -> tuple[Select[Any], Select[Any]]:
    """The points of a run as they lie, and by key, step and time."""
    names = [name for name in ("key", "step", "timestamp", "value", "is_nan") if name in table.c]
    query = select(*(table.c[name] for name in names)).where(table.c.run_uuid == bindparam("run"))
    return query, query.order_by(table.c.key, table.c.step, table.c.timestamp)


def _parts(connection: Connection, query: Select[Any], values: Mapping[str, str]) -> Iterator[Sequence[Any]]:
    """The rows of a query, so many at once. SQLite's driver gives plain tuples, which are several times quicker."""
    found = connection.execution_options(stream_results=connection.dialect.name != "sqlite").execute(query, values)
    if connection.dialect.name == "sqlite":
        cursor: Any = found.cursor
        yield from iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])
    else:
        yield from found.partitions(ROWS_AT_ONCE)


def _cut(rows: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Cuts rows where the point in time changes: what was logged at the same step and time stays together."""
    last = rows[-1][:3]
    at = len(rows)
    while at and rows[at - 1][:3] == last:
        at -= 1
    return rows[:at], rows[at:]


def _full_name(row: Mapping[str, Any]) -> str:
    """Experiments of other workspaces bear theirs in front: a name is unique in one workspace alone."""
    workspace = row.get("workspace") or _DEFAULT_WORKSPACE
    return str(row["name"]) if workspace == _DEFAULT_WORKSPACE else f"{workspace}/{row['name']}"


def _stage(row: Mapping[str, Any]) -> LifecycleStage:
    return LifecycleStage.DELETED if row["lifecycle_stage"] == "deleted" else LifecycleStage.ACTIVE


def _dataset(row: Mapping[str, Any]) -> Dataset:
    return Dataset(
        name=row["name"],
        digest=row["digest"],
        source_type=row["dataset_source_type"],
        source=row["dataset_source"],
        schema=row["dataset_schema"],
        profile=row["dataset_profile"],
    )


def _key(tag: Tag) -> str:
    return tag.key


def _reason(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"{text} by another program; try again when it is done" if "is locked" in text else text
