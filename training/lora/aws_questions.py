"""Questions and answers about AWS from the documentation in botocore's service descriptions.

    python aws_questions.py --output data --rows 2000

Writes ``train.jsonl``, ``validation.jsonl`` and ``test.jsonl``, and ``manifest.json`` with what they hold and their
SHA-256. The same arguments and the same botocore give the same files. Every operation is asked about once, so that no
context of the training returns in the validation; each split has its share of every question type and, as far as whole
rows allow, of every service.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rows as rows_of
from problems import Problem

SYSTEM = "You answer questions about AWS from the given documentation, and from nothing else."
SERVICES = (
    "s3", "lambda", "dynamodb", "ec2", "iam", "sqs", "sns", "cloudwatch", "logs", "ecs", "ecr", "eks", "rds", "kms",
    "secretsmanager", "ssm", "sts", "route53", "cloudformation", "stepfunctions", "apigateway", "athena", "glue",
    "kinesis", "elasticache", "efs", "events", "cloudtrail", "autoscaling", "sagemaker",
)  # fmt: skip
SPLITS = ("train", "validation", "test")
Row = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation of a service: its documentation, parameters and errors as plain sentences."""

    service: str
    full_name: str
    name: str
    documentation: str
    parameters: tuple[tuple[str, str], ...]
    required: tuple[str, ...]
    errors: tuple[tuple[str, str], ...]


def build(
    services: Sequence[str] = SERVICES, count: int | None = None, longest_context: int = 700, seed: int = 42
) -> list[Row]:
    """Rows in the order of services; with ``count`` so many of them, spread evenly over types and services."""
    found: list[Row] = []
    for service in services:
        operations = list(read_operations(service))
        random.Random(f"{seed} {service}").shuffle(operations)
        for number, operation in enumerate(operations):
            row = _ask(operation, number, longest_context)
            if row is not None:
                found.append(row)
    if not found:
        raise Problem("botocore documents no operation of these services")
    return found if count is None or count >= len(found) else _spread(found, count)


def split(found: Sequence[Row], shares: Sequence[float] = (0.8, 0.1, 0.1)) -> dict[str, list[Row]]:
    """The rows by split. Within a question type, services come one after the other and every n-th row goes to a
    split, so that each gets its share of both."""
    parts: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for _, same in sorted(_by_type(found).items()):
        given = [0] * len(SPLITS)
        for number, row in enumerate(same, 1):
            behind = [share * number - have for share, have in zip(shares, given, strict=True)]
            chosen = behind.index(max(behind))
            given[chosen] += 1
            parts[SPLITS[chosen]].append(row)
    return parts


def write(parts: dict[str, list[Row]], folder: Path, seed: int) -> dict[str, Any]:
    """Writes the splits, the training rows in random order, and returns the manifest."""
    import botocore

    folder.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, Any] = {"botocore": botocore.__version__, "seed": seed, "splits": {}}
    for name, part in parts.items():
        shuffled = random.Random(f"{seed} {name}").sample(part, len(part))
        path = folder / f"{name}.jsonl"
        _replace(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in shuffled))
        types = Counter(row["metadata"]["question_type"] for row in part)
        services = Counter(row["metadata"]["service"] for row in part)
        manifest["splits"][name] = {
            "rows": len(part),
            "question_types": dict(sorted(types.items())),
            "services": dict(sorted(services.items())),
            "sha256": rows_of.digest([path]),
        }
    _replace(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    return manifest


def read_operations(service: str) -> Iterator[Operation]:
    """The operations of a service that are documented, by name."""
    from botocore.exceptions import UnknownServiceError
    from botocore.loaders import Loader

    try:
        model = Loader().load_service_model(service, "service-2")
    except UnknownServiceError:
        raise Problem(f"botocore knows no service {service!r}") from None
    full_name = model["metadata"].get("serviceAbbreviation") or model["metadata"]["serviceFullName"]
    shapes = model["shapes"]
    for name, operation in sorted(model["operations"].items()):
        documentation = plain(operation.get("documentation", ""))
        taken = shapes.get(operation.get("input", {}).get("shape"), {})
        raised = [error["shape"] for error in operation.get("errors", ())]
        if len(documentation) >= 40:
            yield Operation(
                service,
                full_name,
                name,
                documentation,
                tuple(
                    (key, first_sentence(plain(member.get("documentation", ""))))
                    for key, member in taken.get("members", {}).items()
                ),
                tuple(taken.get("required", ())),
                tuple((key, first_sentence(plain(shapes[key].get("documentation", "")))) for key in raised),
            )


def plain(markup: str) -> str:
    """Documentation without its markup, on one line."""
    text = re.sub(r"<(script|style).*?</\1>", " ", markup, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return re.sub(r"\s+([.,;:)])", r"\1", re.sub(r"\s+", " ", text)).strip()


def first_sentence(text: str) -> str:
    """Up to the first full stop that a new sentence follows."""
    found = re.match(r".*?[^.\s][^.\s][.!?](?=\s+[A-Z]|$)", text)
    return found.group() if found else text


# -- questions ---------------------------------------------------------------------------------------------------------


def _ask(operation: Operation, number: int, longest: int) -> Row | None:
    """One question about an operation; types take turns, and one that does not apply leaves its turn to the next."""
    for turn in range(len(_TYPES)):
        kind, make = _TYPES[(number + turn) % len(_TYPES)]
        made = make(operation)
        if made is not None and len(made[0]) <= longest:
            return _row(operation, kind, *made)
    return None


def _row(operation: Operation, kind: str, context: str, question: str, answer: str) -> Row:
    prompt = rows_of.instruction(question, context)
    return {
        "system": SYSTEM,
        "context": context,
        "question": question,
        "reference_answer": answer,
        "prompt_training": f"{prompt} {answer}",
        "prompt_inference": prompt,
        "metadata": {
            "service": operation.service,
            "doc_type": "api_reference",
            "question_type": kind,
            "chunk_id": f"{operation.service}/{operation.name}",
        },
    }


Made = tuple[str, str, str] | None
"""Context, question and answer; None if the operation gives no such question."""


def _purpose(operation: Operation) -> Made:
    answer = first_sentence(operation.documentation)
    if len(answer) < 30 or len(answer) > 300:
        return None
    context = f"{operation.full_name}, {operation.name}: {operation.documentation}"
    return context, f"What does {operation.name} of {operation.full_name} do?", answer


def _required(operation: Operation) -> Made:
    if not 1 <= len(operation.required) <= 6 or len(operation.parameters) < 2:
        return None
    listed = "; ".join(
        f"{name} ({'required' if name in operation.required else 'optional'})" for name, _ in operation.parameters[:20]
    )
    context = (
        f"{operation.full_name}, {operation.name}: {first_sentence(operation.documentation)} Parameters: {listed}."
    )
    if not all(f"{name} (required)" in context for name in operation.required):
        return None
    named = [name for name, _ in operation.parameters if name in operation.required]
    one = "the parameter" if len(named) == 1 else "the parameters"
    return context, f"Which parameters must a call of {operation.name} have?", f"It must have {one} {_listed(named)}."


def _parameter(operation: Operation) -> Made:
    described = [(name, text) for name, text in operation.parameters if 30 <= len(text) <= 200]
    if not described:
        return None
    name, text = described[len(operation.name) % len(described)]
    listed = " ".join(f"{key}: {said}" for key, said in described[:6])
    context = f"{operation.full_name}, parameters of {operation.name}. {listed}"
    if text not in context:
        return None
    return context, f"What is the parameter {name} of {operation.name}?", text


def _errors(operation: Operation) -> Made:
    if not 2 <= len(operation.errors) <= 8:
        return None
    named = [name for name, _ in operation.errors]
    listed = " ".join(f"{name}: {said or 'not described.'}" for name, said in operation.errors)
    context = f"{operation.full_name}, {operation.name}: {first_sentence(operation.documentation)} Errors. {listed}"
    return context, f"Which errors can {operation.name} answer with?", f"It can answer with {_listed(named)}."


_TYPES: tuple[tuple[str, Callable[[Operation], Made]], ...] = (
    ("purpose", _purpose),
    ("required_parameters", _required),
    ("parameter", _parameter),
    ("errors", _errors),
)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _by_type(found: Sequence[Row]) -> dict[str, list[Row]]:
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        kinds[row["metadata"]["question_type"]].append(row)
    return kinds


def _spread(found: Sequence[Row], count: int) -> list[Row]:
    """``count`` rows at even distances, after sorting by type: each type and service keeps its share."""
    ordered = [row for _, same in sorted(_by_type(found).items()) for row in same]
    return [ordered[number * len(ordered) // count] for number in range(count)]


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--output", default="data", help="folder that the files go to")
    parser.add_argument("--services", default=",".join(SERVICES), help="names by which botocore knows them")
    parser.add_argument("--rows", type=int, default=None, help="how many in all; by default every operation gives one")
    parser.add_argument("--max_context_chars", type=int, default=700, help="longer contexts are left out")
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args(arguments)
    try:
        found = build(given.services.split(","), given.rows, given.max_context_chars, given.seed)
        manifest = write(split(found), Path(given.output), given.seed)
    except ImportError:
        print("aws_questions.py needs the package botocore", file=sys.stderr)
        return 2
    except (Problem, OSError) as error:
        print(f"aws_questions.py: {error}", file=sys.stderr)
        return 2
    for name, about in manifest["splits"].items():
        print(f"{name}: {about['rows']} rows, {about['question_types']}, sha256 {about['sha256'][:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
