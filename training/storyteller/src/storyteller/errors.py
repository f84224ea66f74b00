"""What ends a command with one line instead of a traceback."""

from __future__ import annotations


class StorytellerError(Exception):
    """Something that the user can mend; the text says what."""


class ConfigError(StorytellerError):
    """A configuration that cannot be: the text names the key and the value."""


class DataError(StorytellerError):
    """Data, a tokenizer or a checkpoint that is missing or cannot be read."""


class TrainingError(StorytellerError):
    """A training that cannot go on: a loss that is no number, a full disk, too little memory."""
