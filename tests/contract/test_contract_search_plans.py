"""Every plan of a search finds what going through the runs in Python finds, in that order, page by page."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator, Sequence
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logbuch.filter import And, Compare, IsNull, Key, Kind, Node, Not, Op, Or, OrderBy, Part
from logbuch.filter.entities import RUNS, SIZE_OPERATORS
from logbuch.model import Dataset, DatasetInput, Metric, Param, RunStatus, Tag, ViewType
from logbuch.store import Store, batch, experiments, runs, search
from logbuch.store.plans import candidates
from logbuch.store.plans.members import following
from logbuch.store.runs import NewRun
from support.naive import NaiveRun, matches, ordered

NUMBERS = [0.0, -0.0, 1.0, 1.5, -2.0, 1e300, math.inf, -math.inf, math.nan]
TEXTS = ["", "a", "ab", "Ab", "a*b", "a?b", "[a]", "a\\b", "b", "0.5", "1", "-1e3", "nan", "1_0", "x" * 2100 + "y", "ö"]
PATTERNS = ["%", "a%", "%b", "%a%", "_", "a_b", "a*%", "[%", "a\\%", "x%y", "x" * 210 + "%", "A%", "ab", "ö%", "1%"]
KEYS = {Kind.METRIC: ["m", "n", "never"], Kind.PARAM: ["p", "q", "never"], Kind.TAG: ["t", "u", "never"]}
ATTRIBUTES = ["run_id", "run_name", "status", "start_time", "end_time", "duration", "user_id"]
ORDERS = [
    (),
    (OrderBy(Key(Kind.ATTRIBUTE, "start_time")),),
    (OrderBy(Key(Kind.METRIC, "m")),),
    (OrderBy(Key(Kind.METRIC, "m"), False), OrderBy(Key(Kind.TAG, "t"))),
    (OrderBy(Key(Kind.PARAM, "p"), False),),
    (OrderBy(Key(Kind.TAG, "u")), OrderBy(Key(Kind.METRIC, "n"), False)),
    (OrderBy(Key(Kind.ATTRIBUTE, "end_time"), False),),
    (OrderBy(Key(Kind.ATTRIBUTE, "run_name")),),
    (OrderBy(Key(Kind.METRIC, "never")),),
    (OrderBy(Key(Kind.METRIC, "m", Part.MIN)),),
    (OrderBy(Key(Kind.METRIC, "m", Part.MAX), False), OrderBy(Key(Kind.METRIC, "m", Part.MIN))),
    (OrderBy(Key(Kind.METRIC, "m")), OrderBy(Key(Kind.METRIC, "n", Part.MAX))),
    (OrderBy(Key(Kind.TAG, "t")), OrderBy(Key(Kind.PARAM, "p"))),
    (OrderBy(Key(Kind.PARAM, "p")), OrderBy(Key(Kind.METRIC, "m", Part.MIN), False)),
    (OrderBy(Key(Kind.PARAM, "never")),),
    (OrderBy(Key(Kind.ATTRIBUTE, "duration"), False),),
]
PLANS: dict[str, dict[str, float]] = {
    "own choice": {},
    "run after run": {"MANY": 10**9},
    "indexes": {"READ": 0.0, "LOOKED_UP": 1e-6, "CAP": 1000},
    "indexes, all parts read": {"READ": 0.0, "LOOKED_UP": 1e-6, "CAP": 1000, "FEW": -1},
}


@contextlib.contextmanager
def plan(name: str) -> Iterator[None]:
    costs = PLANS[name]
    with (
        mock.patch.object(search, "MANY_RUNS", costs.get("MANY", 1)),
        mock.patch.object(candidates, "READ", costs.get("READ", candidates.READ)),
        mock.patch.object(candidates, "LOOKED_UP", costs.get("LOOKED_UP", candidates.LOOKED_UP)),
        mock.patch.object(candidates, "FEW", costs.get("FEW", candidates.FEW)),
        mock.patch.object(candidates.Scale, "cap", lambda *_: int(costs["CAP"]))
        if "CAP" in costs
        else contextlib.nullcontext(),
    ):
        yield


@pytest.fixture(scope="module")
def logged(module_store: Store) -> tuple[list[str], list[NaiveRun]]:
    """Two experiments of 30 runs each with few keys and few values, so that all cases occur."""
    pick = random.Random(7)
    made = [module_store.write(experiments.create, name) for name in ("first", "second")]
    known = [_log(module_store, made[number % 2], number, pick) for number in range(60)]
    for run in pick.sample(known, 8):
        module_store.write(runs.delete, run.run_id)
        run.attributes["deleted"] = True
    return made, known


def _log(store: Store, experiment: str, number: int, pick: random.Random) -> NaiveRun:
    run_id = f"{pick.getrandbits(64):016x}"
    name = pick.choice(["one", "two", "a%b", f"r{number}"])
    start, end = pick.randrange(20), pick.choice([None, 5, 50])
    new = NewRun(experiment_id=experiment, run_id=run_id, run_name=name, start_time=start, user_id=pick.choice("uv"))
    store.write(runs.create, new)
    status = pick.choice(list(RunStatus))
    store.write(runs.update_run, run_id, status, end)
    run = NaiveRun(
        run_id,
        {
            "experiment": experiment,
            "deleted": False,
            "run_id": run_id,
            "run_name": name,
            "status": status.value,
            "start_time": start,
            "end_time": end,
            "duration": None if end is None else end - start,
            "user_id": new.user_id,
        },
    )
    run.metrics = {key: pick.choice(NUMBERS) for key in ("m", "n") if pick.random() < 0.7}
    run.earlier = {key: pick.choice(NUMBERS) for key in run.metrics if pick.random() < 0.5}
    run.params = {key: pick.choice(TEXTS) for key in ("p", "q") if pick.random() < 0.7}
    run.tags = {key: pick.choice(TEXTS) for key in ("t", "u") if pick.random() < 0.7}
    store.write(
        batch.log_batch,
        run_id,
        [
            Metric(key=key, value=value, timestamp=step, step=step)
            for step, points in enumerate((run.earlier, run.metrics))
            for key, value in points.items()
        ],
        [Param(key=key, value=value) for key, value in run.params.items()],
        [Tag(key=key, value=value) for key, value in run.tags.items()],
    )
    run.tags["mlflow.runName"] = name
    for used in pick.sample(["aws", "imagenet"], pick.choice([0, 0, 1, 2])):
        context = pick.choice([None, "train", "eval"])
        run.datasets.append({"name": used, "digest": f"d{used[0]}"} | ({"context": context} if context else {}))
        tags = (Tag(key="mlflow.data.context", value=context),) if context else ()
        dataset = Dataset(name=used, digest=f"d{used[0]}", source_type="local", source="x")
        store.write(batch.log_inputs, run_id, [DatasetInput(dataset=dataset, tags=tags)])
    return run


LOGGED = [Key(kind, name) for kind, names in KEYS.items() for name in names]
LOGGED += [Key(Kind.METRIC, name, part) for name in ("m", "never") for part in (Part.MIN, Part.MAX)]
OTHERS = [Key(Kind.ATTRIBUTE, name) for name in ATTRIBUTES]
OTHERS += [Key(Kind.DATASET, name) for name in ("name", "digest", "context")]
KEY = st.sampled_from(LOGGED * 4 + OTHERS)
SPECIAL = {
    "status": [status.value for status in RunStatus],
    "run_name": ["one", "two", "r7", "a%b"],
    "user_id": ["u", "v"],
    "name": ["aws", "imagenet", "none"],
    "digest": ["da", "di"],
    "context": ["train", "eval"],
}


@st.composite
def comparisons(draw: st.DrawFn) -> Node:
    key = draw(KEY)
    rules = RUNS.field(key.kind, key.name)
    if draw(st.integers(0, 9)) == 9:
        return IsNull(key, draw(st.booleans()))
    op = draw(st.sampled_from(sorted(rules.operators)))
    texts = st.sampled_from(SPECIAL.get(key.name, TEXTS))
    if op in (Op.IN, Op.NOT_IN):
        return Compare(key, op, tuple(draw(st.lists(texts, min_size=1, max_size=3, unique=True))))
    if op in (Op.LIKE, Op.ILIKE):
        patterns = st.sampled_from(PATTERNS)
        # Both databases fold ASCII alike; what lies beyond is theirs.
        return Compare(key, op, draw(patterns.filter(str.isascii) if op is Op.ILIKE else patterns))
    if key.kind is Kind.ATTRIBUTE and not rules.type.quoted:
        return Compare(key, op, draw(st.integers(-1, 21) | st.sampled_from([5.5, 50, 10**30, -0.5])))
    if not rules.type.quoted or op in SIZE_OPERATORS:
        return Compare(key, op, draw(st.sampled_from(NUMBERS)))
    return Compare(key, op, draw(texts))


def _joined(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    terms = st.lists(children, min_size=2, max_size=3).map(tuple)
    return terms.map(And) | terms.map(And) | terms.map(Or) | children.map(Not)


TREES = st.recursive(comparisons(), _joined, max_leaves=6)


def in_view(run: NaiveRun, view: ViewType) -> bool:
    return view is ViewType.ALL or run.attributes["deleted"] == (view is ViewType.DELETED_ONLY)


def pages(store: Store, query: search.RunQuery, tree: Node | None, order: Sequence[OrderBy], size: int) -> list[str]:
    found: list[str] = []
    token: str | None = ""
    with (
        mock.patch.object(search, "parse_filter", lambda *_: tree),
        mock.patch.object(search, "parse_order_by", lambda *_: tuple(order)),
    ):
        while token is not None:
            rows, token = store.read(search.page, query, size, token)
            found += [row.run_id for row in rows]
        assert store.read(lambda tx: search.Search(tx, query).count()) == len(found)
    return found


@pytest.mark.parametrize("name", PLANS)
@settings(max_examples=60, deadline=None)
@given(
    tree=TREES,
    order=st.sampled_from(ORDERS),
    by_size=st.booleans(),
    both=st.booleans(),
    view=st.sampled_from([ViewType.ACTIVE_ONLY, ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL]),
    size=st.sampled_from([3, 7, 100]),
)
def test_every_plan_finds_what_python_finds(
    module_store: Store,
    logged: tuple[list[str], list[NaiveRun]],
    name: str,
    tree: Node | None,
    order: Sequence[OrderBy],
    by_size: bool,
    both: bool,
    view: ViewType,
    size: int,
) -> None:
    made, known = logged
    wanted = made if both else made[:1]
    seen = [run for run in known if run.attributes["experiment"] in wanted and in_view(run, view)]
    expected = ordered([run for run in seen if matches(run, tree)], order, by_size=by_size)
    # The texts are what the store knows a question by; here they are not read.
    query = search.RunQuery(wanted, repr(tree), [repr(order)], view, by_size=by_size)
    with plan(name):
        found = pages(module_store, query, tree, order, size)
    assert found == [run.run_id for run in expected]


@pytest.mark.parametrize(
    "order", ["metrics.m", "min(metrics.m) DESC", "params.p", "params.p DESC", "tags.t", "start_time", "run_name"]
)
def test_an_offset_leaves_out_what_came_before(
    module_store: Store, logged: tuple[list[str], list[NaiveRun]], order: str
) -> None:
    query = search.RunQuery(logged[0][:1], "NOT params.q = 'a'", [order], by_size=True)
    whole = [row.run_id for row in module_store.read(search.page, query, 100)[0]]
    assert len(whole) > 15
    for skip in range(len(whole) + 2):
        rows, token = module_store.read(lambda tx, skip=skip: search.Search(tx, query).page(4, skip=skip))
        assert [row.run_id for row in rows] == whole[skip : skip + 4]
        assert (token is None) == (skip + 4 >= len(whole))


def test_a_token_of_one_plan_is_good_in_another(module_store: Store, logged: tuple[list[str], list[NaiveRun]]) -> None:
    query = search.RunQuery(logged[0][:1], "params.p IS NOT NULL", ["metrics.m DESC"])
    whole, _ = module_store.read(search.page, query, 100)
    found: list[str] = []
    token: str | None = ""
    for turn in range(100):
        with plan("indexes" if turn % 2 else "run after run"):
            rows, token = module_store.read(search.page, query, 2, token or "")
        found += [row.run_id for row in rows]
        if token is None:
            break
    assert found == [row.run_id for row in whole]
    assert len(found) > 5


def test_a_question_asked_again_sees_what_came_since(store: Store) -> None:
    experiment = store.write(experiments.create, "asked again")
    query = search.RunQuery([experiment], "params.p = 'x' AND NOT tags.t = 'y'", ["metrics.m"])

    def asked() -> tuple[list[str], int]:
        rows, _ = store.read(search.page, query, 100)
        return [row.run_id for row in rows], store.read(lambda tx: search.Search(tx, query).count())

    with plan("indexes"):
        assert asked() == ([], 0)  # no key was ever logged
        for number in range(1, 40):
            run_id = f"r{number:02}"
            store.write(runs.create, NewRun(experiment_id=experiment, run_id=run_id))
            point = Metric(key="m", value=-number, timestamp=1, step=1)
            store.write(batch.log_batch, run_id, [point], [Param(key="p", value="x")])
            if number in (1, 2, 39):
                expected = [f"r{other:02}" for other in range(number, 0, -1)]
                assert asked() == (expected, number)
        store.write(runs.set_tags, "r05", [Tag(key="t", value="y")])
        store.write(runs.delete, "r06")
        assert asked() == ([run_id for run_id in expected if run_id not in ("r05", "r06")], 37)


@pytest.mark.parametrize(
    ("start", "after"),
    [("a", "b"), ("az", "a{"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", ""), ("", "")],
)
def test_what_follows_all_texts_with_a_start(start: str, after: str) -> None:
    assert following(start) == after
