"""PyTorch's modules of the real client: pickled whole, or an exported program. Both need the caller's consent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logbuch.models.carried import logbuch_model_pytorch as ours
from logbuch.models.foreign import standins


def load(folder: Path, entry: dict[str, Any]) -> Any:
    """The module, on the processor."""
    import torch

    data = folder / (entry.get("model_data") or "data")
    exported = data / "model.pt2"
    with standins.installed():
        if exported.exists():
            return torch.export.load(exported).module()
        return torch.load(data / "model.pth", map_location="cpu", weights_only=False).eval()


wrap = ours.wrap
