"""Values as the content of files: text, dicts, figures, images, tables."""

from __future__ import annotations

import importlib
import io
import json
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.limits import clip

YAML = (".yaml", ".yml")
_HTML = ".html"


def dictionary(value: Any, name: str) -> bytes:
    """JSON, or YAML where the name says so and PyYAML is installed (JSON is valid YAML without it)."""
    plain = plain_value(value)
    yaml = _yaml(name)
    if yaml is not None:
        return bytes(yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, encoding="utf-8"))
    return json.dumps(plain, indent=2, ensure_ascii=False).encode()


def parse_dictionary(content: bytes, name: str) -> Any:
    """The reverse of :func:`dictionary`."""
    yaml = _yaml(name)
    try:
        return yaml.safe_load(content) if yaml is not None else json.loads(content)
    except Exception:  # noqa: BLE001  PyYAML has a tree of errors of its own
        raise InvalidInput(f"The artifact {name!r} cannot be read as {'YAML' if yaml else 'JSON'}.") from None


def figure(drawing: Any, name: str, save: Mapping[str, Any] | None) -> bytes:
    """A matplotlib or plotly figure in the format of the name's suffix."""
    suffix = PurePosixPath(name).suffix.lower()
    options = dict(save or {})
    if hasattr(drawing, "savefig"):
        target = io.BytesIO()
        drawing.savefig(target, **({"format": suffix.removeprefix(".") or "png"} | options))
        return target.getvalue()
    if hasattr(drawing, "write_html"):
        if suffix == _HTML:
            options = {"include_plotlyjs": True, "auto_open": False} | options
            return _through_file(_HTML, lambda path: drawing.write_html(path, **options))
        return _through_file(suffix, lambda path: drawing.write_image(path, **options))
    raise InvalidInput(f"A figure of matplotlib or plotly is wanted, not a {type(drawing).__name__}.")


class Image:
    """A picture for :func:`log_image` and :func:`log_table`: an array, a PIL image, or the path of a file.

    Arrays are (height, width), or (height, width, channels) with 1, 3 or 4 channels: whole numbers from 0 to 255,
    floats from 0 to 1, or booleans.
    """

    def __init__(self, image: Any) -> None:
        self._picture = as_picture(image)

    def to_pil(self) -> Any:
        return self._picture

    def to_array(self) -> Any:
        import numpy as np

        return np.array(self._picture)

    def save(self, path: str) -> None:
        self._picture.save(path)


def is_picture(value: Any) -> bool:
    return isinstance(value, Image) or type(value).__module__.startswith("PIL.")


def as_picture(image: Any) -> Any:
    """A PIL image from whatever :class:`Image` takes."""
    if isinstance(image, Image):
        return image.to_pil()
    try:
        from PIL import Image as Pillow
    except ImportError:
        raise InvalidInput("Logging images needs the package pillow, which is not installed.") from None
    if isinstance(image, Pillow.Image):
        return image
    if isinstance(image, (str, Path, io.BytesIO)):
        with Pillow.open(image) as opened:
            opened.load()
            return opened.copy()
    if hasattr(image, "detach"):  # a torch tensor, wherever it is
        image = image.detach().cpu().numpy()
    if not hasattr(image, "__array__"):
        raise InvalidInput(f"An image must be an array or a PIL image, not a {type(image).__name__}.")
    return Pillow.fromarray(_bytes_of(image))


def picture(image: Any, suffix: str) -> bytes:
    """A PIL image encoded in the format of a suffix such as ``.png``."""
    from PIL import Image as Pillow

    Pillow.init()
    target = io.BytesIO()
    kind = Pillow.EXTENSION.get(suffix.lower(), "PNG")
    shown = image.convert("RGB") if kind == "JPEG" and image.mode not in ("L", "RGB", "CMYK") else image
    shown.save(target, format=kind)
    return target.getvalue()


def thumbnail(image: Any) -> bytes:
    """A small WebP of at most 256 pixels a side, for galleries."""
    small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    small.thumbnail((256, 256))
    return picture(small, ".webp")


def table(data: Any) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a DataFrame, or of a dict of columns (lists of equal length, or single values)."""
    if hasattr(data, "to_dict") and hasattr(data, "columns"):
        split = data.to_dict(orient="split")
        return [str(column) for column in split["columns"]], [list(row) for row in split["data"]]
    if not isinstance(data, Mapping):
        raise InvalidInput(f"A table must be a dict or a DataFrame, not a {type(data).__name__}.")
    columns = {str(key): _column(value) for key, value in data.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise InvalidInput("The columns of a table must have the same length.")
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def plain_value(value: Any) -> Any:
    """A value as JSON knows it: numbers of numpy and the like become Python's, NaN and infinities None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return plain_value(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return [plain_value(item) for item in value]
    return str(value)


def _yaml(name: str) -> Any:
    """PyYAML, if the name asks for it and it is installed."""
    if PurePosixPath(name).suffix not in YAML:
        return None
    try:
        return importlib.import_module("yaml")
    except ImportError:
        return None


def _column(value: Any) -> Sequence[Any]:
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        return list(value)
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _bytes_of(image: Any) -> Any:
    import numpy as np

    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2 and not (pixels.ndim == 3 and pixels.shape[2] in (3, 4)):
        raise InvalidInput(
            f"An image must have the shape (height, width) or (height, width, 1, 3 or 4), not {pixels.shape}."
        )
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255
    low, high = (pixels.min(), pixels.max()) if pixels.size else (0, 0)
    limit = 255 if np.issubdtype(pixels.dtype, np.integer) else 1
    if low < 0 or high > limit:
        raise InvalidInput(f"The pixels of an image must lie from 0 to {limit}, not from {clip(str(low))} to {high}.")
    if limit == 1:
        pixels = np.rint(np.nan_to_num(pixels) * 255)
    return pixels.astype(np.uint8)


def _through_file(suffix: str, write: Any) -> bytes:
    with tempfile.TemporaryDirectory(prefix="logbuch-") as folder:
        path = Path(folder) / f"figure{suffix}"
        write(str(path))
        return path.read_bytes()
