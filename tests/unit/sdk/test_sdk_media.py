"""Values beyond scalars: histograms, sounds, confusion matrices, curves; from plain lists and from arrays."""

from __future__ import annotations

import io
import json
import math
import random
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logbuch
from logbuch.errors import InvalidInput
from logbuch.sdk.content import audio, classification, histograms
from logbuch.store import histograms as store_histograms
from logbuch.store import open_store

numbers = st.floats(allow_nan=True, allow_infinity=True, width=32)


# -- histograms --------------------------------------------------------------------------------------------------------


@given(st.lists(numbers, max_size=200), st.integers(1, 70))
def test_every_value_is_counted_once(values: list[float], bins: int) -> None:
    plain, array = histograms.of(values, bins), histograms.of(np.array(values, np.float64), bins)
    for found in (plain, array):
        assert len(found.edges) == len(found.counts) + 1 == bins + 1
        assert sum(found.counts) + found.nan + found.infinite == len(values)
        assert all(
            left < right or math.isclose(left, right) for left, right in zip(found.edges, found.edges[1:], strict=False)
        )
    assert (plain.nan, plain.infinite) == (array.nan, array.infinite)


def test_bins_are_numpys() -> None:
    dice = random.Random(3)
    values = [dice.gauss(0, 1) for _ in range(5000)]
    counts, edges = np.histogram(values, 64)
    found = histograms.of(values)
    assert found.counts == counts.tolist()
    assert found.edges == pytest.approx(edges.tolist())
    assert histograms.of(np.array(values)).counts == counts.tolist()
    assert histograms.of(np.histogram(values, 64)) == histograms.Histogram(edges.tolist(), counts.tolist())


def test_tensors_nested_lists_and_single_values() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.arange(10, dtype=torch.bfloat16, requires_grad=True).reshape(2, 5)
    assert sum(histograms.of(tensor, 5).counts) == 10
    assert sum(histograms.of(torch.tensor([True, False]), 2).counts) == 2
    assert histograms.of([[1, 2], (3, 4)], 2).counts == [2, 2]
    assert histograms.of(iter([1, 2]), 2).counts == [1, 1]
    single = histograms.of([7.0] * 3, 4)
    assert (sum(single.counts), single.edges[0], single.edges[-1]) == (3, 6.5, 7.5)
    assert sum(histograms.of([]).counts) == 0
    assert sum(histograms.of([-1.7e308, 1.7e308], 2).counts) <= 2


@pytest.mark.parametrize(
    ("values", "bins"),
    [
        ("text", 64),
        (["1"], 64),
        ([1], 0),
        ([1], 1025),
        (([1], [0.0, math.nan]), 4),
        (([-1], [0, 1]), 4),
        (([1, 2], [0, 2, 1]), 4),
        (object(), 4),
    ],
)
def test_what_is_no_histogram(values: Any, bins: int) -> None:
    with pytest.raises(InvalidInput):
        histograms.of(values, bins)


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str], list[str]]:
    """The files of a run below a folder."""

    def read(folder: str) -> list[str]:
        run = logbuch.last_active_run()
        assert run is not None
        return [file.path for file in logbuch.LogbuchClient().list_artifacts(run.info.run_id, folder)]

    return read


def test_histograms_travel_by_the_journal(tmp_path: Path) -> None:
    with logbuch.start_run() as run:
        for step in range(3):
            logbuch.log_histogram("grad/layer", [step, step + 1, math.nan], step)
        with pytest.raises(InvalidInput, match="key"):
            logbuch.log_histogram("../x", [1])
    assert logbuch.flush(60)
    store = open_store(f"sqlite:///{tmp_path}/.logbuch/logbuch.db", seal=False)
    total, found = store.read(store_histograms.read, run.info.run_id, "grad/layer", 10)
    assert (total, [one.step for one in found], found[2].nan) == (3, [0, 1, 2], 1)
    assert (found[2].edges[0], found[2].edges[-1], sum(found[2].counts)) == (2.0, 3.0, 2.0)
    store.close()


def test_where_a_server_keeps_no_histograms_they_are_files(
    monkeypatch: pytest.MonkeyPatch, listed: Callable[[str], list[str]]
) -> None:
    monkeypatch.setattr("logbuch.sdk.shipping.sender.Sender.knows_journals", lambda self: False)
    with logbuch.start_run() as run:
        logbuch.log_histogram("w", [1, 2], 4, bins=2)
    (path,) = listed("media/histogram")
    assert path.startswith("media/histogram/w+step+4+timestamp+")
    found = logbuch.load_dict(f"runs:/{run.info.run_id}/{path}")
    assert found == {
        "type": "histogram", "edges": [1.0, 1.5, 2.0], "counts": [1.0, 1.0], "nan": 0, "infinite": 0,
    }  # fmt: skip


# -- sounds ------------------------------------------------------------------------------------------------------------


def opened(content: bytes) -> tuple[int, int, list[int]]:
    """Sample rate, channels and samples of a WAV file."""
    with wave.open(io.BytesIO(content)) as file:
        frames = file.readframes(file.getnframes())
        return file.getframerate(), file.getnchannels(), np.frombuffer(frames, "<i2").tolist()


@pytest.mark.parametrize("form", [list, np.array])
def test_samples_become_wav(form: Any) -> None:
    content, suffix = audio.encode(form([0.0, 1.0, -1.0, 2.0, math.nan, 0.5]), 8000)
    assert suffix == ".wav"
    assert opened(content) == (8000, 1, [0, 32767, -32767, 32767, 0, 16384])


def test_channels_stand_either_way() -> None:
    sound = [[float(number == channel) for channel in range(2)] for number in range(20)]
    across = [list(row) for row in zip(*sound, strict=True)]
    expected = audio.encode(sound, 44_100)
    assert opened(expected[0])[:2] == (44_100, 2)
    for form in (across, np.array(sound), np.array(across)):
        assert audio.encode(form, 44_100) == expected
    assert opened(audio.encode(np.array([1, -40_000, 40_000]), 10)[0])[2] == [1, -32768, 32767]
    assert opened(audio.encode([1, -40_000], 10)[0])[2] == [1, -32768]
    torch = pytest.importorskip("torch")
    assert audio.encode(torch.tensor(across), 44_100) == expected


@pytest.mark.parametrize(
    ("sound", "rate"),
    [
        ([0.0], None),
        ([0.0], 0),
        (b"garbage", 1),
        ("samples", 1),
        (["x"], 1),
        (np.zeros((9, 9)), 1),
        (np.array(["a"]), 1),
        ([[0.0], [0.0, 1.0]], 1),
        (object(), 8),
    ],
)
def test_what_is_no_sound(sound: Any, rate: Any) -> None:
    with pytest.raises(InvalidInput), logbuch.start_run():
        logbuch.log_audio(sound, key="s", sample_rate=rate)


def test_sounds_of_a_run(tmp_path: Path, listed: Callable[[str], list[str]]) -> None:
    file = tmp_path / "a.flac"
    file.write_bytes(b"fLaC rest")
    with logbuch.start_run() as run:
        logbuch.log_audio([0.0] * 10, key="voice/one", step=3, timestamp=9, sample_rate=8000)
        logbuch.log_audio(file, key="voice/one", step=4)
        logbuch.log_audio(b"ID3 rest", artifact_file="out/x.mp3")
        with pytest.raises(InvalidInput, match="either"):
            logbuch.log_audio(file)
        with pytest.raises(InvalidInput, match="belong to a key"):
            logbuch.log_audio(file, artifact_file="x.flac", step=1)
    assert logbuch.flush(60)
    first, second = sorted(listed("media/audio"))
    assert first.startswith("media/audio/voice~one+step+3+timestamp+9+")
    assert (first[-4:], second[-5:]) == (".wav", ".flac")
    assert logbuch.load_text(f"runs:/{run.info.run_id}/out/x.mp3") == "ID3 rest"


# -- classification ----------------------------------------------------------------------------------------------------


def test_curves_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    dice = np.random.default_rng(5)
    truth = dice.integers(0, 2, 500)
    scores = np.round(truth * 0.3 + dice.random(500), 2)
    (pr,) = classification.pr_curve(truth, scores, None)["curves"]
    assert pr["average_precision"] == pytest.approx(metrics.average_precision_score(truth, scores))
    precision, recall, thresholds = metrics.precision_recall_curve(truth, scores)
    assert pr["precision"] == pytest.approx(precision[:-1][::-1].tolist())
    assert pr["recall"] == pytest.approx(recall[:-1][::-1].tolist())
    assert pr["thresholds"] == pytest.approx(thresholds[::-1].tolist())
    (roc,) = classification.roc_curve(truth.tolist(), scores.tolist(), None)["curves"]
    assert roc["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))
    fpr, tpr, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert roc["fpr"] == pytest.approx(fpr.tolist())
    assert roc["tpr"] == pytest.approx(tpr.tolist())
    assert (roc["thresholds"][0], roc["label"], roc["positives"]) == (None, "1", int(truth.sum()))


def test_several_classes_have_a_curve_each_and_long_ones_are_thinned() -> None:
    dice = np.random.default_rng(6)
    scores = dice.random((3000, 3))
    names = ["ham", "spam", "eggs"]
    truth = [names[number] for number in scores.argmax(axis=1)]
    curves = classification.roc_curve(truth, scores, names)["curves"]
    assert [curve["label"] for curve in curves] == names
    assert all(len(curve["fpr"]) == classification.POINTS and curve["fpr"][-1] == 1.0 for curve in curves)
    by_number = classification.roc_curve(scores.argmax(axis=1), scores, names)["curves"]
    assert by_number == curves


def test_a_class_that_never_occurs_harms_nothing() -> None:
    (curve,) = classification.pr_curve([0, 0], [0.1, 0.2], [0, 1])["curves"]
    assert (curve["average_precision"], curve["positives"]) == (0.0, 0)
    (curve,) = classification.roc_curve([1, 1], [0.1, 0.2], [0, 1])["curves"]
    assert curve["fpr"] == [0.0, 0.0, 0.0]


def test_confusion_matrices() -> None:
    found = classification.confusion_matrix(["a", "b", "b", "c"], np.array(["a", "b", "a", "c"]), None, None)
    assert found == {"labels": ["a", "b", "c"], "matrix": [[1, 0, 0], [1, 1, 0], [0, 0, 1]]}
    some = classification.confusion_matrix([0, 1, 2], [0, 1, 1], None, [1, 0])
    assert some == {"labels": ["1", "0"], "matrix": [[1, 0], [0, 1]]}
    given = classification.confusion_matrix(None, None, np.array([[3, 1], [0, 2]]), None)
    assert given == {"labels": ["0", "1"], "matrix": [[3, 1], [0, 2]]}
    assert classification.confusion_matrix([1, "a"], ["a", 1], None, None)["labels"] == ["1", "a"]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (classification.confusion_matrix, ([1], None, None, None)),
        (classification.confusion_matrix, ([1], [1], [[1]], None)),
        (classification.confusion_matrix, ([1], [1, 2], None, None)),
        (classification.confusion_matrix, (None, None, [[1, 2]], None)),
        (classification.confusion_matrix, (None, None, [[1, "x"], [1, 2]], None)),
        (classification.confusion_matrix, (None, None, [[1]], ["a", "b"])),
        (classification.confusion_matrix, ([1], [1], None, [1, 1])),
        (classification.confusion_matrix, (7, 8, None, None)),
        (classification.pr_curve, ([], [], None)),
        (classification.pr_curve, ([1], [1, 2], None)),
        (classification.pr_curve, ([1], [math.nan], None)),
        (classification.pr_curve, ([1], ["x"], None)),
        (classification.pr_curve, ([1, 2, 3], [1, 2, 3], None)),
        (classification.pr_curve, ([0, 1], [[0.1, 0.2], [0.3]], None)),
    ],
)
def test_bad_classifications_are_errors_at_once(call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInput):
        call(*arguments)


def test_classifications_of_a_run(listed: Callable[[str], list[str]]) -> None:
    with logbuch.start_run() as run:
        logbuch.log_confusion_matrix([0, 1], [0, 1], step=2)
        logbuch.log_pr_curve([0, 1], [0.2, 0.8], key="eval/pr", step=2)
        logbuch.log_roc_curve([0, 1], [0.2, 0.8])
    assert logbuch.flush(60)
    (matrix,) = listed("media/confusion-matrix")
    (curve,) = listed("media/pr-curve")
    assert len(listed("media/roc-curve")) == 1
    assert curve.startswith("media/pr-curve/eval~pr+step+2+")
    read = json.loads(logbuch.load_text(f"runs:/{run.info.run_id}/{matrix}"))
    assert read == {"type": "confusion-matrix", "labels": ["0", "1"], "matrix": [[1, 0], [0, 1]]}


def test_logging_plain_lists_imports_no_numpy(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from logbuch.sdk.content import audio, classification, histograms\n"
        "histograms.of([1.0, 2.0])\n"
        "audio.encode([0.0], 8000)\n"
        "classification.roc_curve([0, 1], [0.1, 0.9], None)\n"
        "assert 'numpy' not in sys.modules, 'numpy'\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
