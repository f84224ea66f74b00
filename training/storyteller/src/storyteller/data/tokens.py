"""Stories as tokens on disk: encoded once, then mapped into memory by every training that uses them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from storyteller import tokenizer as tokenizers
from storyteller.data import stories
from storyteller.errors import DataError
from storyteller.files import written

_TOGETHER = 256


@dataclass(frozen=True)
class Corpus:
    """The tokens of a file, each story followed by the token that ends it; ``size`` counts the bytes of the texts,
    ``digest`` is the file's sha256."""

    tokens: npt.NDArray[Any]
    stories: int
    size: int
    digest: str

    @property
    def bytes_per_token(self) -> float:
        return self.size / len(self.tokens)


@dataclass(frozen=True)
class _Facts:
    stories: int
    size: int
    digest: str
    dtype: str


def corpus(file: Path, tokenizer: Tokenizer, cache: Path) -> Corpus:
    """The tokens of a file of stories, from ``cache`` if they were encoded before with the same tokenizer."""
    if not file.is_file():
        raise DataError(f"There is no data file {file}: storyteller-preprocess makes it.")
    digest = digest_of(file)
    known = hashlib.sha256(f"{digest} {tokenizer.to_str()}".encode()).hexdigest()[:20]
    folder = cache / f"{file.stem}-{known}"
    if not folder.is_dir():
        _encode(file, tokenizer, folder, digest)
    facts = _Facts(**json.loads((folder / "facts.json").read_text(encoding="utf-8")))
    tokens = np.memmap(folder / "tokens.bin", dtype=facts.dtype, mode="r")
    return Corpus(tokens, facts.stories, facts.size, facts.digest)


def digest_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _encode(file: Path, tokenizer: Tokenizer, folder: Path, digest: str) -> None:
    end = tokenizers.end_of(tokenizer)
    dtype = "uint16" if tokenizer.get_vocab_size() <= 2**16 else "uint32"
    count = size = 0
    with written(folder) as place:
        place.mkdir()
        with (place / "tokens.bin").open("wb") as out:
            for some in _groups(stories.read(file)):
                for text, encoding in zip(some, tokenizer.encode_batch(some), strict=True):
                    out.write(np.asarray([*encoding.ids, end], dtype=dtype).tobytes())
                    count, size = count + 1, size + len(text.encode())
        if not count:
            raise DataError(f"{file} has no stories.")
        facts = _Facts(count, size, digest, dtype)
        (place / "facts.json").write_text(json.dumps(asdict(facts)), encoding="utf-8")


def _groups(texts: Iterator[str]) -> Iterator[list[str]]:
    while some := [text for _, text in zip(range(_TOGETHER), texts, strict=False)]:
        yield some
