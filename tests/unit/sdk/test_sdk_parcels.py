from __future__ import annotations

from logbuch.sdk.shipping.parcels import pack
from logbuch.sdk.shipping.records import Kind, Record


def record(kind: Kind, key: str, value: object = "v", run: str = "r") -> Record:
    return Record(kind, run, (key, value, 0, 0) if kind is Kind.METRIC else (key, value))


def test_one_batch_a_run_holds_all_kinds() -> None:
    records = [record(Kind.METRIC, "m", 1.0), record(Kind.PARAM, "p"), record(Kind.TAG, "t"), record(Kind.TAG, "t")]
    (parcel,) = pack(records)
    assert parcel.batch is not None
    assert (len(parcel.batch.metrics), len(parcel.batch.params), len(parcel.batch.tags)) == (1, 1, 2)
    assert parcel.records == records


def test_runs_are_kept_apart() -> None:
    parcels = pack([record(Kind.METRIC, "m", 1.0, run) for run in "abab"])
    assert [parcel.batch.run_id for parcel in parcels if parcel.batch] == ["a", "b"]


def test_limits_of_a_batch() -> None:
    metrics = pack([record(Kind.METRIC, "m", float(number)) for number in range(2001)])
    assert [len(parcel.records) for parcel in metrics] == [1000, 1000, 1]
    params = pack([record(Kind.PARAM, str(number)) for number in range(101)])
    assert [len(parcel.records) for parcel in params] == [100, 1]
    mixed = pack([record(Kind.TAG, "t")] * 100 + [record(Kind.METRIC, "m", 1.0)] * 1000)
    assert [len(parcel.records) for parcel in mixed] == [1000, 100]


def test_a_param_stands_once_in_a_batch() -> None:
    parcels = pack([record(Kind.PARAM, "p", "1"), record(Kind.PARAM, "p", "2")])
    assert len(parcels) == 2


def test_calls_stand_alone_behind_what_came_before() -> None:
    call = Record(Kind.CALL, "a", (None,))
    parcels = pack([record(Kind.METRIC, "m", 1.0, "a"), call, record(Kind.METRIC, "m", 2.0, "a")])
    assert [parcel.batch is None for parcel in parcels] == [False, True, False]
