"""MLflow keeps prompts as registered models with a tag, and its clients leave them out of searches by that tag."""

from __future__ import annotations

from logbuch.filter import And, Compare, IsNull, Key, Kind, Node, Not, Op, Or

_KEY = Key(Kind.TAG, "mlflow.prompt.is_prompt")
_PROMPTS = Compare(_KEY, Op.EQ, "true")


def apart(tree: Node | None) -> Node:
    """A search that finds prompts only where it asks for them.

    Clients write ``tags.`mlflow.prompt.is_prompt` != 'true'`` and mean all that lack the tag, too.
    """
    if tree is None:
        return Not(_PROMPTS)
    return _widened(tree) if _asks(tree) else And((tree, Not(_PROMPTS)))


def _asks(node: Node) -> bool:
    match node:
        case And(terms) | Or(terms):
            return any(map(_asks, terms))
        case Not(term):
            return _asks(term)
        case Compare(key) | IsNull(key):
            return key == _KEY


def _widened(node: Node) -> Node:
    match node:
        case And(terms):
            return And(tuple(map(_widened, terms)))
        case Or(terms):
            return Or(tuple(map(_widened, terms)))
        case Not(term):
            return Not(_widened(term))
        case Compare(key, Op.NE, value) if key == _KEY:
            return Not(Compare(key, Op.EQ, value))
    return node
