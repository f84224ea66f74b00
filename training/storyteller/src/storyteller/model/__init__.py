"""The network. Shapes stand behind an underscore in the names of tensors:

b stories of a batch, t positions that are asked for, s positions that can be seen (t and those in the cache), c width
of the stream, h heads, g heads of keys and values, e width of a head, f width of the feed-forward, x experts,
n = b·t tokens, a = n·k tokens times the experts of each, v vocabulary.
"""

from __future__ import annotations

from storyteller.model.model import Storyteller

__all__ = ["Storyteller"]
