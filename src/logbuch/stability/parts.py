"""Which part a metric plays in a training, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_PARTED = r"(^|[/_.\-\s])({})($|[/_.\-\s@\d])"
_ENTROPY = r"cross[_\-]?entropy|"
_LOSS = re.compile(r"loss|perplexity|" + _ENTROPY + _PARTED.format("ppl|nll|bce|ce|xent|bp[bc]"), re.I)
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
_USED_WELL = re.compile(r"(^|[/_.\-\s])([mh]fu|t?flops)$", re.I)
_GPU = re.compile(r"^system/(.+/)?gpu_\d+_utilization_percentage$")
_LOWER = re.compile(
    r"loss|perplexity|error|hausdorff|misclassif|regret|neg(ative)?_log_likelihood|"
    + _ENTROPY
    + _PARTED.format(
        r"ppl|nll|bce|ce|xent|bp[bc]|r?mse|rmsle|s?mape|mae|mase|wer|cer|eer|fid|kid|lpips|kl|ece|brier|crps|fpr|fnr"
        r"|latency|duration|(run)?time"
    ),
    re.I,
)
_HIGHER = re.compile(
    _PARTED.format(
        r"acc(uracy)?|top[_\-]?\d+|f[12]|fbeta|auc|auroc|auprc|ap|map|miou|iou|dice|jaccard|precision|recall|sensitivity"
        r"|specificity|tpr|tnr|ndcg|mrr|hits?|hit_?rate|mcc|matthews\w*|kappa|pearson\w*|spearman\w*|corr(elation)?"
        r"|(sacre)?bleu|chrf|meteor|rouge\w*|cider|comet|exact_match|em|pass|score|r2|explained_variance"
        r"|psnr|ssim|elbo|log_?likelihood|silhouette|rew(ard)?s?|returns?|elo|win_?rate|success(_rate)?|goodput"
    ),
    re.I,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SYSTEM = "system/"


def lower_is_better(key: str) -> bool | None:
    """The direction in which a metric is better, as its name tells; None where it does not.

    The page knows the same names: ``ui/src/model/names.ts``.
    """
    if _THROUGHPUT.search(key) or _USED_WELL.search(key):
        return False
    if _found(_LOWER, key):
        return True
    return False if _found(_HIGHER, key) else None


def _found(pattern: re.Pattern[str], key: str) -> bool:
    """Whether a pattern fits a key, or one in camel case whose words stand apart."""
    return bool(pattern.search(key) or pattern.search(_HUMP.sub("_", key)))


def is_loss(key: str) -> bool:
    return _found(_LOSS, key) and not key.startswith(SYSTEM)


def is_measured(key: str) -> bool:
    """Whether it tells a speed, a duration or the use of a machine: what depends on the machine and on the hour."""
    return bool(_THROUGHPUT.search(key) or _DURATION.search(key) or _USE.search(key))


def is_evaluation(key: str) -> bool:
    return _found(_EVALUATION, key)


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
