"""How well an adapter answers, against its base model: loss and perplexity by category, and answers side by side.

    python evaluate.py models/standard_r8_qkvo --data data/test.jsonl
    python evaluate.py --base SmolLM2-135M --data data/test.jsonl

The first logs to the run that has trained the adapter; the second makes a run of the base model alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rows as rows_of
import tracking
from answering import answer, side_by_side
from config import Parser, TrainingConfig, number
from encoding import Collator, Encoded, encode
from loading import choose_numbers, load_base, load_tokenizer
from losses import Total, add, row_losses
from peft import PeftModel
from problems import Problem
from rows import Row
from runlog import RunLog
from utils import setup_mlflow

_LONGEST = 80
"""Characters of a category in a metric's name."""

Figures = dict[str, dict[str, Total]]
"""Losses by model, ``adapter`` or ``base``, and category; ``all`` is every row."""

ALL = ""
"""No category has this name."""


@dataclass(frozen=True)
class Subject:
    """What is evaluated: ``networks`` by name, each entered for as long as it is used."""

    model: Any
    tokenizer: Any
    adapted: bool

    @property
    def names(self) -> tuple[str, ...]:
        return ("base", "adapter") if self.adapted else ("base",)

    @contextmanager
    def network(self, name: str) -> Iterator[Any]:
        if name == "base" and self.adapted:
            with self.model.disable_adapter():
                yield self.model
        else:
            yield self.model


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        config = _config(given)
        experiment_id = None if given.no_mlflow else setup_mlflow(config)
        with _run(given, experiment_id) as log:
            evaluate(given, config, log)
            log.flush()
    except Problem as problem:
        print(f"evaluate.py: {problem}", file=sys.stderr)
        return 2
    return 0


def evaluate(given: argparse.Namespace, config: TrainingConfig, log: RunLog) -> None:
    subject = load(given, config)
    path = Path(given.data)
    template = subject.tokenizer.apply_chat_template if getattr(subject.tokenizer, "chat_template", None) else None
    data = encode(rows_of.read(path, given.limit, template), subject.tokenizer, config.max_seq_length, given.too_long)
    figures = {name: measure(subject, name, data, given.by, given.batch_size) for name in subject.names}
    asked = data.rows[: given.answers]
    answers = {}
    for name in subject.names:
        with subject.network(name) as network:
            answers[name] = answer(network, subject.tokenizer, asked, given.answer_tokens)
    report = f"# {path.name}\n\n{table(figures)}\n# Answers\n\n{side_by_side(asked, answers)}"
    log.data(path, "evaluation", len(data.rows))
    log.metrics(metrics(path.stem, figures), 0)
    log.text(report, f"evaluation/{name_part(path.stem)}.md")
    _log_answers(log, asked, answers, f"evaluation/{name_part(path.stem)}-answers.json")
    print(report if given.show_answers else table(figures))


def load(given: argparse.Namespace, config: TrainingConfig) -> Subject:
    numbers = choose_numbers(config)
    tokenizer = load_tokenizer(str(given.adapter or config.model_name))
    base = load_base(config, numbers, tokenizer)
    if numbers.device == "cuda" and not numbers.use_4bit:
        base = base.to("cuda")
    model = PeftModel.from_pretrained(base, str(given.adapter)) if given.adapter else base
    return Subject(model.eval(), tokenizer, adapted=bool(given.adapter))


def measure(subject: Subject, name: str, data: Encoded, by: str, batch_size: int) -> dict[str, Total]:
    """The losses of one model by category, which is the rows' metadata of this name."""
    collate = Collator(subject.tokenizer.pad_token_id)
    found: dict[str, Total] = defaultdict(Total)
    with subject.network(name) as network:
        for begin in range(0, len(data.examples), batch_size):
            batch = collate(data.examples[begin : begin + batch_size])
            sums, counts = row_losses(network, {key: value.to(network.device) for key, value in batch.items()})
            for row, loss, count in zip(data.rows[begin:], sums.tolist(), counts.tolist(), strict=False):
                add(found[ALL], [loss], [count])
                add(found[category(row, by)], [loss], [count])
    return dict(found)


def category(row: Row, by: str) -> str:
    return str(row.metadata.get(by) or "other")


def name_part(text: str) -> str:
    """A text as one part of a metric's name: letters, digits, ``_ - .`` and ``:``; all else is ``_``."""
    clean = re.sub(r"[^\w.:\-]", "_", text[:_LONGEST])
    return clean if clean.strip(".") else "_"


def name_parts(kinds: Iterable[str]) -> dict[str, str]:
    """Categories as parts of names, each a different one: ``what?`` is ``what_``, and ``what!`` then ``what__2``."""
    found: dict[str, str] = {}
    for kind in sorted(kinds, key=lambda kind: (name_part(kind) != kind, kind)):
        part, number = name_part(kind), 2
        while part in found.values():
            part, number = f"{name_part(kind)}_{number}", number + 1
        found[kind] = part
    return found


def metrics(stem: str, figures: Figures) -> dict[str, float]:
    """``test/loss``, ``test/base_loss``, ``test/errors/loss``, … and the same of perplexity. Those of a base model
    alone are called as an adapter's are, so that a table of runs has them in one column."""
    found = {}
    stem, parts = name_part(stem), name_parts({kind for totals in figures.values() for kind in totals} - {ALL})
    for name, totals in figures.items():
        before = "base_" if name == "base" and len(figures) > 1 else ""
        for kind, total in totals.items():
            place = stem if kind == ALL else f"{stem}/{parts[kind]}"
            found[f"{place}/{before}loss"] = total.mean
            found[f"{place}/{before}perplexity"] = total.perplexity
    return found


def table(figures: Figures) -> str:
    names = list(figures)
    head = ["category", "tokens", *(f"{name} {what}" for name in names for what in ("loss", "perplexity"))]
    lines = [f"| {' | '.join(head)} |", "|" + "-|" * len(head)]
    for kind, total in sorted(figures["base"].items(), key=lambda item: (item[0] != ALL, item[0])):
        shown = [f"{one:.4f}" for name in names for one in (figures[name][kind].mean, figures[name][kind].perplexity)]
        shown_kind = " ".join(kind.split()).replace("|", "\\|") or "all"
        lines.append(f"| {' | '.join([shown_kind, str(total.tokens), *shown])} |")
    return "\n".join(lines) + "\n"


def _log_answers(log: RunLog, asked: Sequence[Row], answers: dict[str, list[str]], path: str) -> None:
    if asked:
        columns = {
            "question": [row.question for row in asked],
            "reference": [row.reference for row in asked],
            **answers,
        }
        log.table(columns, path)


@contextmanager
def _run(given: argparse.Namespace, experiment_id: str | None) -> Iterator[RunLog]:
    """The run of the training, which stays as it ended; one of its own for a base model, or where the training had
    none that is still there."""
    trained = tracking.noted_run(Path(given.adapter)) if given.adapter else None
    if experiment_id is None:
        yield RunLog()
    elif trained is not None and tracking.is_there(trained):
        yield RunLog(trained)
    else:
        started = None
        with tracking.quietly("an evaluation"):
            started = _own_run(given, experiment_id)
        if started is None:
            yield RunLog()
            return
        with started:
            yield RunLog(started.info.run_id)


def _own_run(given: argparse.Namespace, experiment_id: str) -> Any:
    name = f"{Path(given.adapter).name}-evaluation" if given.adapter else "base"
    started = tracking.mlflow.start_run(experiment_id=experiment_id or None, run_name=name)
    if not given.adapter:
        tracking.log_params({"model_name": given.base})
    return started


def _config(given: argparse.Namespace) -> TrainingConfig:
    """The settings of the training, where there was one."""
    if bool(given.adapter) == bool(given.base):
        raise Problem("give either the folder of an adapter or --base MODEL")
    known: dict[str, Any] = {}
    if given.adapter:
        try:
            adapter = json.loads((Path(given.adapter) / "adapter_config.json").read_text(encoding="utf-8"))
            begun = json.loads((Path(given.adapter) / "training_config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Problem(f"{given.adapter} is no folder of train_lora.py: {error}") from None
        known = {key: begun[key] for key in ("max_seq_length", "use_4bit", "precision", "mlflow_experiment_name")}
        known["model_name"] = adapter["base_model_name_or_path"]
    else:
        known = {"model_name": given.base}
    chosen = {"mlflow_experiment_name": given.mlflow_experiment_name, "max_seq_length": given.max_seq_length}
    return TrainingConfig(**known | {key: value for key, value in chosen.items() if value is not None})


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("adapter", nargs="?", help="folder that train_lora.py has written")
    parser.add_argument("--base", metavar="MODEL", help="evaluate a model without an adapter")
    parser.add_argument("--data", default="data/test.jsonl", help="rows; the metrics are named after the file")
    parser.add_argument("--by", default="question_type", help="metadata that the categories come from")
    parser.add_argument("--limit", type=number(int, 1), default=None, help="the first rows only")
    parser.add_argument("--batch_size", type=number(int, 1), default=4)
    parser.add_argument("--max_seq_length", type=number(int, 8), default=None, help="else that of the training")
    parser.add_argument("--too_long", choices=("error", "drop"), default="error", help="what happens to longer rows")
    parser.add_argument("--answers", type=number(int, 0), default=8, help="rows that are answered")
    parser.add_argument("--answer_tokens", type=number(int, 1), default=64)
    parser.add_argument("--show_answers", action="store_true", help="print the answers too")
    parser.add_argument("--mlflow_experiment_name", default=None, help="experiment of a new run")
    parser.add_argument("--no_mlflow", action="store_true", help="log nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
