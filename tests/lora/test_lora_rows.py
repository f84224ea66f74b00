"""Rows in their three forms, and rows that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rows
from problems import Problem


def read(folder: Path, *found: Any, template: Any = None) -> list[rows.Row]:
    path = folder / "rows.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in found))
    return rows.read(path, template=template)


def learned(row: rows.Row) -> list[str]:
    return [row.text[begin:end] for begin, end in row.answers]


def test_questions_and_answers(tmp_path: Path) -> None:
    (row,) = read(tmp_path, {"context": "S3 stores.", "question": "What?", "reference_answer": " It stores. "})
    assert row.text == "[INST] S3 stores.\n\nQuestion: What? [/INST] It stores."
    assert row.prompt == "[INST] S3 stores.\n\nQuestion: What? [/INST]"
    assert learned(row) == [row.reference] == ["It stores."]


def test_prompts_that_are_made_already(tmp_path: Path) -> None:
    made = {"question": "What?", "reference_answer": "Yes.", "prompt_inference": "Q: What? A: "}
    (row,) = read(tmp_path, made | {"prompt_training": "Q: What? A: Yes.</s>", "metadata": {"service": "s3"}})
    assert (row.text, learned(row), row.metadata) == ("Q: What? A: Yes.", ["Yes."], {"service": "s3"})


def test_alpaca(tmp_path: Path) -> None:
    with_input, without = read(
        tmp_path,
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        {"instruction": "Greet.", "input": "", "output": "Hello"},
    )
    assert with_input.text == "[INST] Add.\n\n1 2 [/INST] 3"
    assert without.text == "[INST] Greet. [/INST] Hello"
    assert learned(with_input) == ["3"]


CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A?"},
        {"role": "assistant", "content": "B."},
        {"role": "user", "content": "C?"},
        {"role": "assistant", "content": "D."},
    ]
}


def test_chat(tmp_path: Path) -> None:
    (row,) = read(tmp_path, CHAT)
    assert row.text == "[INST] Be brief.\n\nA? [/INST] B. [INST] C? [/INST] D."
    assert learned(row) == ["B.", "D."]
    assert (row.question, row.text.startswith(row.prompt)) == ("C?", True)


def test_chat_by_the_tokenizers_template(tmp_path: Path) -> None:
    def template(messages: Any, tokenize: bool, add_generation_prompt: bool) -> str:
        assert not tokenize
        told = "".join(f"<{message['role']}>{message['content']}<end>" for message in messages)
        return told + ("<assistant>" if add_generation_prompt else "")

    (row,) = read(tmp_path, CHAT, template=template)
    assert learned(row) == ["B.<end>", "D.<end>"]
    assert row.prompt.endswith("<user>C?<end><assistant>")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("{", "line 2: no JSON"),
        ("[1]", "line 2: an object is wanted"),
        ({"question": "What?"}, "'reference_answer' is missing"),
        ({"question": "What?", "reference_answer": "  "}, "'reference_answer' is empty"),
        ({"question": 5, "reference_answer": "x"}, "'question' is a int"),
        ({"instruction": "Add.", "output": None}, "'output' is missing"),
        ({"messages": "hello"}, "no list of messages"),
        ({"messages": [{"role": "user", "content": "A?"}]}, "a row without an answer"),
        ({"messages": [{"role": "robot", "content": "A?"}]}, "the role 'robot'"),
        ({"messages": []}, "a row without an answer"),
        ({"question": "A?", "reference_answer": "B", "prompt_training": "C"}, "'prompt_training' is not"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, wrong: Any, named: str) -> None:
    with pytest.raises(Problem) as problem:
        read(tmp_path, {"question": "A?", "reference_answer": "B"}, wrong)
    assert named in str(problem.value)
    assert "rows.jsonl, line 2" in str(problem.value)
    assert "\n" not in str(problem.value)


def test_files_that_are_no_data(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"cannot read the data .*No such file.*aws_questions"):
        rows.read(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n\n")
    with pytest.raises(Problem, match="holds no rows"):
        rows.read(tmp_path / "empty.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe4"}')
    with pytest.raises(Problem, match="not UTF-8"):
        rows.read(tmp_path / "latin.jsonl")


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    assert rows.digest([one, two]) != rows.digest([two, one])
    before = rows.digest([one])
    one.write_text("c")
    assert rows.digest([one]) != before
