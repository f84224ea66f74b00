"""Which part a metric plays in a training, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_PARTED = r"(^|[/_.\-\s])({})($|[/_.\-\s@\d])"
_LOSS = re.compile(r"loss|perplexity|" + _PARTED.format("ppl|nll|bce|ce"), re.I)
_PERPLEXITY = re.compile(r"perplexity|ppl", re.I)
_EVALUATION = re.compile(_PARTED.format("eval|evaluation|val|valid|validation|test|dev"), re.I)
_GRADIENT = re.compile(r"grad(ient)?s?[/_.\-]?(global[/_.\-]?)?norm", re.I)
_RATE = re.compile(r"learning[_\-]?rate|(^|[/_.\-])lr($|[/_.\-\d])", re.I)
_THROUGHPUT = re.compile(
    r"(tokens|samples|steps|examples|images|it(eration)?s?)_?(/|_per_|p)_?s(ec(ond)?)?$|throughput", re.I
)
_DURATION = re.compile(
    r"(^|[/_.\-\s])(time|seconds|secs|duration|elapsed|latency|runtime)([/_.\-](s|ms|secs?|seconds|mean|avg|total))?$",
    re.I,
)
_USE = re.compile(
    r"(^|[/_.\-\s])([mh]fu|t?flops|((memory|mem|rss|vram)([/_.\-](peak|max|used|usage|allocated|reserved"
    r"|[kmgt]i?b|\w*bytes|percent(age)?))*))$",
    re.I,
)
_GPU = re.compile(r"^system/(.+/)?gpu_\d+_utilization_percentage$")
_LOWER = re.compile(
    r"loss|perplexity|error|" + _PARTED.format("ppl|nll|bce|ce|mse|rmse|mae|mape|wer|cer|fid|kl|latency|duration|time"),
    re.I,
)
_HIGHER = re.compile(
    _PARTED.format(
        r"acc(uracy)?|f1|auc|auroc|ap|map|miou|iou|dice|precision|recall|bleu|rouge\w*|reward|score|r2|psnr|ssim"
        r"|win_?rate|success(_rate)?|throughput|tokens_per_second|exact_match|em"
    ),
    re.I,
)
SYSTEM = "system/"


def lower_is_better(key: str) -> bool | None:
    """The direction in which a metric is better, as its name tells; None where it does not."""
    if _LOWER.search(key):
        return True
    return False if _HIGHER.search(key) else None


def is_loss(key: str) -> bool:
    return bool(_LOSS.search(key)) and not key.startswith(SYSTEM)


def is_measured(key: str) -> bool:
    """Whether it tells a speed, a duration or the use of a machine: what depends on the machine and on the hour."""
    return bool(_THROUGHPUT.search(key) or _DURATION.search(key) or _USE.search(key))


def is_evaluation(key: str) -> bool:
    return bool(_EVALUATION.search(key))


@dataclass(frozen=True, slots=True)
class Parts:
    """The keys of a run that are watched; None or empty where no name fits."""

    loss: str | None = None
    evaluation: str | None = None
    gradients: Sequence[str] = field(default=())
    rates: Sequence[str] = field(default=())
    throughputs: Sequence[str] = field(default=())
    gpus: Sequence[str] = field(default=())


MOST = 8
"""Of each part no more keys are watched: a run may log the gradient norm of every layer."""


def parts(keys: Iterable[str]) -> Parts:
    """What to watch of a run that logs these keys."""
    ordered = sorted(keys, key=lambda key: (len(key), key))
    own = [key for key in ordered if not key.startswith(SYSTEM)]
    losses = [key for key in own if is_loss(key)]
    evaluations = [key for key in losses if is_evaluation(key)]
    trainings = [key for key in losses if not is_evaluation(key)]
    loss = _plainest(trainings) or _plainest(evaluations)
    return Parts(
        loss=loss,
        evaluation=_plainest([key for key in evaluations if key != loss]),
        gradients=_matching(own, _GRADIENT),
        rates=_matching(own, _RATE),
        throughputs=_matching(own, _THROUGHPUT),
        gpus=_matching(ordered, _GPU),
    )


def _matching(keys: Iterable[str], pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(key for key in keys if pattern.search(key))[:MOST]


def _plainest(losses: Sequence[str]) -> str | None:
    """The loss as such, if there is one; a part of it (``loss/policy``) or a perplexity only where nothing else is."""
    for wanted in (r"^(train(ing)?|eval(uation)?|val(id(ation)?)?|test|dev)?[/_.\-]?loss$", r"loss$", r"loss", r""):
        for key in losses:
            if re.search(wanted, key, re.I) and not (wanted and _PERPLEXITY.search(key)):
                return key
    return None
