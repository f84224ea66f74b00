"""Train a small classifier of handwritten digits in plain numpy, and log it.

    python examples/train_digits.py --hidden 64 --learning_rate 0.1

Without a hidden layer (``--hidden 0``) it is multinomial logistic regression. The data set (1,797 images of 8 × 8
pixels) ships with scikit-learn. Set LOGBUCH_TRACKING_URI to log to a server; without it runs land in ./.logbuch.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import logbuch

Arrays = dict[str, np.ndarray]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small classifier of handwritten digits.")
    parser.add_argument("--experiment", default="examples/digits")
    parser.add_argument("--run_name", default=None)
    parser.add_argument("--hidden", type=int, default=64, help="units of the hidden layer; 0 for none")
    parser.add_argument("--learning_rate", type=float, default=0.1)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight_decay", type=float, default=1e-4)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--warmup_steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, str]:
    """Pixels in 0 to 1 and labels, shuffled and split 80:20, with a hash of what was loaded."""
    images, labels = load_digits(return_X_y=True)
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()[:12]
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order] / 16.0, labels[order]
    cut = len(images) * 4 // 5
    return images[:cut], labels[:cut], images[cut:], labels[cut:], digest


def create(hidden: int, rng: np.random.Generator) -> Arrays:
    sizes = [64, hidden, 10] if hidden else [64, 10]
    weights = {}
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        weights[f"w{layer}"] = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))
        weights[f"b{layer}"] = np.zeros(fan_out)
    return weights


def forward(weights: Arrays, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last hidden layer's output (or the input) and the logarithms of the class probabilities."""
    top = len(weights) // 2 - 1
    for layer in range(top):
        x = np.maximum(x @ weights[f"w{layer}"] + weights[f"b{layer}"], 0)
    scores = x @ weights[f"w{top}"] + weights[f"b{top}"]
    scores = scores - scores.max(axis=1, keepdims=True)
    return x, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def loss_and_gradients(weights: Arrays, x: np.ndarray, y: np.ndarray, decay: float) -> tuple[float, Arrays]:
    activations, log_probabilities = forward(weights, x)
    top = len(weights) // 2 - 1
    loss = -log_probabilities[np.arange(len(y)), y].mean()
    error = np.exp(log_probabilities)
    error[np.arange(len(y)), y] -= 1
    error /= len(y)
    gradients = {f"w{top}": activations.T @ error, f"b{top}": error.sum(axis=0)}
    if top:
        back = (error @ weights[f"w{top}"].T) * (activations > 0)
        gradients |= {"w0": x.T @ back, "b0": back.sum(axis=0)}
    for name in gradients:
        if name.startswith("w"):
            gradients[name] = gradients[name] + decay * weights[name]
    return float(loss), gradients


def evaluate(weights: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Loss, accuracy and the 10 × 10 confusion counts (rows: true digit)."""
    _, log_probabilities = forward(weights, x)
    predicted = log_probabilities.argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, predicted), 1)
    return float(-log_probabilities[np.arange(len(y)), y].mean()), float((predicted == y).mean()), confusion


def train(options: argparse.Namespace) -> None:
    x, y, x_eval, y_eval, digest = data(options.seed)
    rng = np.random.default_rng(options.seed)
    weights = create(options.hidden, rng)
    velocity = {name: np.zeros_like(value) for name, value in weights.items()}
    steps = options.epochs * (len(x) // options.batch_size)
    logbuch.log_params({key: value for key, value in vars(options).items() if key not in ("experiment", "run_name")})
    logbuch.log_params({"total_parameters": sum(value.size for value in weights.values()), "data_sha256": digest})
    step = 0
    for epoch in range(options.epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - options.batch_size + 1, options.batch_size):
            rows = order[start : start + options.batch_size]
            loss, gradients = loss_and_gradients(weights, x[rows], y[rows], options.weight_decay)
            rate = learning_rate(options, step, steps)
            for name, gradient in gradients.items():
                velocity[name] = options.momentum * velocity[name] - rate * gradient
                weights[name] = weights[name] + velocity[name]
            norm = float(np.sqrt(sum((gradient**2).sum() for gradient in gradients.values())))
            logbuch.log_metrics({"train/loss": loss, "train/grad_norm": norm, "train/learning_rate": rate}, step=step)
            step += 1
        eval_loss, accuracy, confusion = evaluate(weights, x_eval, y_eval)
        logbuch.log_metrics({"eval/loss": eval_loss, "eval/accuracy": accuracy, "epoch": epoch + 1}, step=step)
    save(weights, confusion)


def learning_rate(options: argparse.Namespace, step: int, steps: int) -> float:
    """Linear warm-up, then cosine decay to zero."""
    if step < options.warmup_steps:
        return float(options.learning_rate * (step + 1) / options.warmup_steps)
    done = (step - options.warmup_steps) / max(1, steps - options.warmup_steps)
    return float(options.learning_rate * 0.5 * (1 + np.cos(np.pi * done)))


def save(weights: Arrays, confusion: np.ndarray) -> None:
    logbuch.log_dict({"rows": "true digit", "counts": confusion.tolist()}, "confusion.json")
    errors = confusion.sum(axis=1) - confusion.diagonal()
    lines = [f"| {digit} | {confusion[digit].sum()} | {errors[digit]} |" for digit in range(10)]
    logbuch.log_text("\n".join(["| digit | images | errors |", "|-|-|-|", *lines]), "report.md")
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "weights.npz", **weights)
        logbuch.log_artifacts(folder, artifact_path="model")


def main() -> None:
    options = arguments()
    logbuch.set_experiment(options.experiment)
    name = options.run_name or f"h{options.hidden}_lr{options.learning_rate:g}_s{options.seed}"
    with logbuch.start_run(run_name=name), np.errstate(all="ignore"):
        logbuch.set_tag("phase", "sweep")
        train(options)


if __name__ == "__main__":
    main()
