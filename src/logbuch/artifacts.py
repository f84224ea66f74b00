"""Reading artifacts by address, under MLflow's name and place: ``logbuch.artifacts.download_artifacts(...)``."""

from __future__ import annotations

from logbuch.sdk.artifacts.downloads import download_artifacts, list_artifacts, load_dict, load_image, load_text

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]
