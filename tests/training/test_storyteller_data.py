"""From texts to batches: cleaned, dealt out, encoded, and every token seen once an epoch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from storyteller import tokenizer
from storyteller.commands.download import main as download
from storyteller.commands.generate import main as write
from storyteller.commands.preprocess import main as preprocess
from storyteller.commands.tokenizer import main as learn
from storyteller.data import cleaning, sources, tokens
from storyteller.data import stories as files
from storyteller.data.tokens import Corpus
from storyteller.data.windows import Batch, Deal, Windows, dealt, in_order
from storyteller.errors import DataError
from storyteller.model.loss import IGNORED

NOVEL = """PREFACE

Of no use.

CHAPTER I

It was a _very_ grey
morning.\r\n
She said nothing, and the old
king said nothing, for a long while.

CHAPTER 2. The Sea

Call me what you like; the sea is wide enough for all of us, said he.
"""


def corpus(count: int) -> Corpus:
    return Corpus(np.arange(count, dtype=np.uint16), 1, 4 * count, "")


def test_chapters_become_stories() -> None:
    assert list(cleaning.split(NOVEL)) == [
        "PREFACE\n\nOf no use.",
        "It was a very grey morning.\n\nShe said nothing, and the old king said nothing, for a long while.",
        "Call me what you like; the sea is wide enough for all of us, said he.",
    ]


def test_stories_are_dealt_out_once_and_the_same_way() -> None:
    texts = [("a.txt", NOVEL), ("b.txt", NOVEL.replace("grey", "green"))]
    found = cleaning.prepared(texts, val_fraction=0.3, min_words=8)
    assert (len(found.train), len(found.val), found.short, found.doubles) == (2, 1, 2, 1)
    assert cleaning.prepared(texts, val_fraction=0.3, min_words=8) == found


def test_any_text_comes_back_from_its_tokens(stories: Path) -> None:
    known = tokenizer.load(stories / "tokenizer.json")
    for text in ("a cat saw the old king", "Ünïcode — 🐋\n\n\tend ", "\x00\u200b"):
        assert known.decode(known.encode(text).ids) == text
    assert known.get_vocab_size() <= 300


def test_a_corpus_is_encoded_once(stories: Path, tmp_path: Path) -> None:
    known = tokenizer.load(stories / "tokenizer.json")
    first = tokens.corpus(stories / "val.jsonl", known, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    stamp = (folder / "tokens.bin").stat().st_mtime_ns
    again = tokens.corpus(stories / "val.jsonl", known, tmp_path / "cache")
    assert (folder / "tokens.bin").stat().st_mtime_ns == stamp
    assert first.tokens.tolist() == again.tokens.tolist()
    texts = list(files.read(stories / "val.jsonl"))
    assert first.size == sum(len(text.encode()) for text in texts)
    assert known.decode(first.tokens.tolist(), skip_special_tokens=False) == "".join(
        text + tokenizer.END for text in texts
    )


@pytest.mark.parametrize(("length", "batch", "accumulation"), [(7, 2, 1), (7, 2, 3), (16, 4, 2), (200, 1, 1)])
def test_every_token_is_a_target_each_epoch(length: int, batch: int, accumulation: int) -> None:
    deal = Deal(Windows(corpus(101), length, 5), batch, accumulation)
    for epoch in range(2):
        seen: list[int] = []
        for _ in range(deal.steps_of_epoch(epoch)):
            for part in deal.step():
                kept = part.targets_bt != IGNORED
                seen += part.targets_bt[kept].tolist()
                assert ((part.targets_bt - part.tokens_bt)[kept] == 1).all()
        assert deal.epoch == epoch
        assert set(seen) == set(range(1, 101))


def test_epochs_differ_and_a_resumed_one_goes_on() -> None:
    whole = Deal(Windows(corpus(400), 8, 5), 3, 2)
    steps = [whole.step() for _ in range(20)]
    assert whole.windows.starts(0).tolist()[:5] != whole.windows.starts(1).tolist()[:5]
    first = Deal(Windows(corpus(400), 8, 5), 3, 2)
    for _ in range(11):
        first.step()
    second = Deal(Windows(corpus(400), 8, 5), 3, 2)
    second.go_to(first.epoch, first.taken)
    for expected in steps[11:]:
        for ours, theirs in zip(second.step(), expected, strict=True):
            assert ours.tokens_bt.tolist() == theirs.tokens_bt.tolist()


def test_two_processes_see_what_one_would() -> None:
    alone = Deal(Windows(corpus(150), 8, 5), 4, 2)
    pair = [Deal(Windows(corpus(150), 8, 5), 2, 2, rank, 2) for rank in range(2)]
    for _ in range(2 * alone.steps_of_epoch(0)):
        parts = [deal.step() for deal in pair]
        assert len(parts[0]) == len(parts[1])
        rows = [
            row
            for each in zip(*parts, strict=True)
            for part in each
            for row in part.targets_bt.tolist()
            if row[0] != IGNORED
        ]
        assert rows == [row for part in alone.step() for row in part.targets_bt.tolist()]


def test_an_evaluation_sees_all_in_order() -> None:
    found = list(in_order(Windows(corpus(50), 8, shuffle=False), 3, 0))
    seen = [token for part in found for token in part.targets_bt.flatten().tolist() if token != IGNORED]
    assert seen == list(range(1, 50))
    assert len(list(in_order(Windows(corpus(50), 8, shuffle=False), 3, 1))) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": ""}', "line 2: a row without a text."),
        ('{"txt": "a"}', "line 2: a row without a text."),
        ("[1]", "line 2: a row without a text."),
        ("{", "line 2: no JSON."),
        (b"\xff", "is not UTF-8, soon after line"),
    ],
)
def test_rows_that_are_no_stories(tmp_path: Path, stories: Path, line: str | bytes, said: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_bytes(b'{"text": "one"}\n' + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    with pytest.raises(DataError) as caught:
        tokens.corpus(file, tokenizer.load(stories / "tokenizer.json"), tmp_path / "cache")
    assert said in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_from_files_to_a_vocabulary_by_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = "\n\n".join(f"CHAPTER {n}\n\nThe {n} kings {'went on and on ' * 8}." for n in range(1, 30))
    Path("mine").mkdir()
    Path("mine/novel.txt").write_text(told)
    Path("mine/rows.jsonl").write_text(json.dumps({"text": "And one more, " * 10}) + "\n")
    run = CliRunner().invoke
    assert "2 texts with" in run(download, ["--source", "files", "--file", "mine"]).output
    assert run(preprocess, []).output.startswith("29 stories to train and 1 to validate are in data;")
    assert run(learn, ["--vocab-size", "280"]).output.startswith("A vocabulary of 280 tokens")
    assert len(list(files.read(Path("data/train.jsonl")))) == 29


def test_novels_of_npm_are_found_where_they_are(tmp_path: Path) -> None:
    place = tmp_path / sources.MOBY_DICK
    place.parent.mkdir(parents=True)
    place.write_text("Call me Ishmael.")
    found = dict(sources.novels([tmp_path]))
    assert found["mobydick.txt"] == "Call me Ishmael."


@pytest.mark.parametrize(
    ("command", "arguments", "said"),
    [
        (download, ["--source", "files"], "--source files wants --file."),
        (download, ["--source", "files", "--file", "nowhere"], "There is no nowhere."),
        (preprocess, ["--input", "nowhere"], "There is no nowhere."),
        (write, ["--model", "nowhere"], "nowhere is no model of Storyteller: it has no config.yaml."),
        (write, ["--model", "nowhere", "--device", "moon"], "Invalid --device 'moon': "),
        (learn, ["--input", "nowhere.jsonl"], "There is no data file nowhere.jsonl: storyteller-preprocess makes it."),
    ],
)
def test_commands_say_what_is_missing(
    command: object, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command(arguments)  # type: ignore[operator]
    line = capsys.readouterr().err
    assert said in line and line.count("\n") == 1


def test_a_vocabulary_needs_its_bytes() -> None:
    with pytest.raises(DataError, match="257 are the least"):
        tokenizer.train(["a"], 200)


@pytest.mark.parametrize(("batches", "world"), [(1, 2), (4, 2), (5, 2), (5, 3), (2, 4)])
def test_all_processes_have_as_many_batches_and_each_target_counts_once(batches: int, world: int) -> None:
    some = [Batch(torch.full((1, 2), number), torch.full((1, 2), number)) for number in range(batches)]
    shares = [list(dealt(iter(some), rank, world)) for rank in range(world)]
    assert {len(share) for share in shares} == {-(-batches // world)}
    counted = [int(one.targets_bt[0, 0]) for share in shares for one in share if int(one.targets_bt[0, 0]) >= 0]
    assert sorted(counted) == list(range(batches))
