"""Questions and answers from botocore's service descriptions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import aws_questions
import pytest
import rows
from problems import Problem

SERVICES = ("s3", "sqs", "kms")


def test_rows_have_the_seeds_fields_and_hold_their_answer(tmp_path: Path) -> None:
    found = aws_questions.build(SERVICES, 60, 400)
    assert len(found) == 60
    wanted = {"system", "context", "question", "reference_answer", "prompt_training", "prompt_inference", "metadata"}
    for row in found:
        assert set(row) == wanted
        assert set(row["metadata"]) == {"service", "doc_type", "question_type", "chunk_id"}
        assert row["prompt_training"] == f"{row['prompt_inference']} {row['reference_answer']}"
        assert len(row["context"]) <= 400
        assert "<" not in row["context"]
        if row["metadata"]["question_type"] in ("purpose", "parameter"):
            assert row["reference_answer"] in row["context"]
    aws_questions.write(aws_questions.split(found), tmp_path, 42)
    read = rows.read(tmp_path / "train.jsonl")
    assert len(read) == 48
    assert all(row.text.endswith(row.reference) for row in read)


def test_known_answers() -> None:
    operations = {operation.name: operation for operation in aws_questions.read_operations("sqs")}
    _, question, answer = aws_questions._required(operations["SendMessage"]) or ("", "", "")
    assert question == "Which parameters must a call of SendMessage have?"
    assert answer == "It must have the parameters QueueUrl and MessageBody."


def test_splits_are_stratified_and_share_no_operation() -> None:
    found = aws_questions.build(SERVICES, None, 700)
    parts = aws_questions.split(found)
    whole = Counter(row["metadata"]["question_type"] for row in found)
    for name, share in zip(aws_questions.SPLITS, (0.8, 0.1, 0.1), strict=True):
        counted = Counter(row["metadata"]["question_type"] for row in parts[name])
        for kind, count in whole.items():
            assert abs(counted[kind] - share * count) <= 1, (name, kind)
    chunks = [{row["metadata"]["chunk_id"] for row in parts[name]} for name in aws_questions.SPLITS]
    assert sum(map(len, chunks)) == len(set.union(*chunks)) == len(found)


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert aws_questions.main(["--output", str(tmp_path / folder), "--services", "sqs"]) == 0
    assert aws_questions.main(["--output", str(tmp_path / "other"), "--services", "sqs", "--seed", "7"]) == 0
    one, two, other = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("one", "two", "other"))
    assert one == two
    assert one["splits"]["train"]["sha256"] == rows.digest([tmp_path / "one" / "train.jsonl"])
    assert one["splits"]["train"]["sha256"] != other["splits"]["train"]["sha256"]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Gets a <code>key</code>.</p>", "Gets a key."),
        ("<p>a &lt; b</p> <note> <p>c</p> </note>", "a < b c"),
        ("", ""),
    ],
)
def test_markup_is_taken_away(markup: str, text: str) -> None:
    assert aws_questions.plain(markup) == text


def test_first_sentences() -> None:
    assert aws_questions.first_sentence("Gets v1.2 of a key. Then more.") == "Gets v1.2 of a key."
    assert aws_questions.first_sentence("No end") == "No end"


def test_an_unknown_service_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no service 'gopher'"):
        aws_questions.build(("gopher",))
    assert aws_questions.main(["--services", "gopher", "--output", str(tmp_path / "data")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "data").exists()
