"""Rows of data: the question-and-answer, chat and Alpaca forms of JSON lines, as text with its answers marked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems import Problem

Template = Callable[..., str]


@dataclass(frozen=True)
class Row:
    """One row. ``text`` is all of it but the end-of-sequence token, ``answers`` the character ranges to be learned,
    ``prompt`` what comes before the last answer, ``where`` file and line."""

    text: str
    answers: tuple[tuple[int, int], ...]
    prompt: str
    question: str
    metadata: dict[str, Any]
    where: str

    @property
    def reference(self) -> str:
        """The last answer."""
        begin, end = self.answers[-1]
        return self.text[begin:end]


def instruction(question: str, context: str = "") -> str:
    """The prompt of a question, up to where the answer begins."""
    asked = f"{context}\n\nQuestion: {question}" if context else question
    return f"[INST] {asked} [/INST]"


def read(path: Path, limit: int | None = None, template: Template | None = None) -> list[Row]:
    """The rows of a file of JSON lines; ``template`` is ``tokenizer.apply_chat_template`` where there is one.

    Raises :class:`Problem` for a file that is missing or empty, and for the first row that is wrong, with its line.
    """
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if limit is not None and len(rows) == limit:
                    break
                if line.strip():
                    rows.append(_row(line, f"{path}, line {number}", template))
    except OSError as error:
        made = "python aws_questions.py makes AWS questions and answers"
        raise Problem(f"cannot read the data {path}: {error.strerror}; {made}") from None
    except UnicodeDecodeError as error:
        raise Problem(f"{path} is not UTF-8: {error.reason}") from None
    if not rows:
        raise Problem(f"{path} holds no rows")
    return rows


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of the files, one after the other."""
    found = hashlib.sha256()
    for path in paths:
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _row(line: str, where: str, template: Template | None) -> Row:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise Problem(f"{where}: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise Problem(f"{where}: an object is wanted, not {line.strip()[:40]!r}")
    if "messages" in found:
        return _chat(found, where, template)
    if "instruction" in found:
        asked, given = _text(found, "instruction", where), _text(found, "input", where, needed=False)
        prompt = instruction(f"{asked}\n\n{given}" if given else asked)
        return _single(prompt, _text(found, "output", where), asked, found, where)
    return _question(found, where)


def _question(found: dict[str, Any], where: str) -> Row:
    question, answer = _text(found, "question", where), _text(found, "reference_answer", where)
    prompt = _text(found, "prompt_inference", where, needed=False).rstrip()
    if not prompt:
        prompt = instruction(question, _text(found, "context", where, needed=False))
    whole = _text(found, "prompt_training", where, needed=False)
    if whole and (not whole.startswith(prompt) or answer.strip() not in whole[len(prompt) :]):
        raise Problem(f"{where}: 'prompt_training' is not 'prompt_inference' with the answer")
    return _single(prompt, answer, question, found, where)


def _single(prompt: str, answer: str, question: str, found: dict[str, Any], where: str) -> Row:
    metadata = found.get("metadata")
    text = f"{prompt} {answer.strip()}"
    span = (len(prompt) + 1, len(text))
    return Row(text, (span,), prompt, question, metadata if isinstance(metadata, dict) else {}, where)


def _chat(found: dict[str, Any], where: str, template: Template | None) -> Row:
    messages = found["messages"]
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise Problem(f"{where}: 'messages' is no list of messages")
    for message in messages:
        if message.get("role") not in ("system", "user", "assistant"):
            raise Problem(f"{where}: a message has the role {message.get('role')!r}")
        _text(message, "content", where)
    if not messages or messages[-1]["role"] != "assistant":
        raise Problem(f"{where}: a row without an answer: its last message is not the assistant's")
    render = _by(template) if template is not None else _mistral
    spans = []
    for number, message in enumerate(messages):
        if message["role"] == "assistant":
            begin, end = len(render(messages[:number], True)), len(render(messages[: number + 1], False))
            spans.append((begin, end))
    text, prompt = render(messages, False), render(messages[:-1], True)
    if not text.startswith(prompt):
        raise Problem(f"{where}: the chat template of the tokenizer changes earlier messages; answers cannot be found")
    asked = next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
    metadata = found.get("metadata")
    return Row(text, tuple(spans), prompt, asked, metadata if isinstance(metadata, dict) else {}, where)


def _by(template: Template) -> Callable[[list[dict[str, str]], bool], str]:
    def render(messages: list[dict[str, str]], asking: bool) -> str:
        return template(messages, tokenize=False, add_generation_prompt=asking)

    return render


def _mistral(messages: list[dict[str, str]], asking: bool) -> str:
    """Messages as Mistral's models know them; what the system says stands before the first question."""
    parts, said = [], ""
    for message in messages:
        if message["role"] == "system":
            said += message["content"] + "\n\n"
        elif message["role"] == "user":
            parts.append(f"[INST] {said}{message['content']} [/INST]")
            said = ""
        else:
            parts.append(message["content"].strip())
    return " ".join(parts) + (" " if asking else "")


def _text(found: dict[str, Any], key: str, where: str, *, needed: bool = True) -> str:
    value = found.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        missing = "is missing" if value is None else f"is a {type(value).__name__}, not a text"
        raise Problem(f"{where}: {key!r} {missing}")
    if needed and not value.strip():
        raise Problem(f"{where}: {key!r} is empty")
    return value
