"""Requests about files: MLflow's multipart uploads and signed addresses, and Logbuch's uploads that can be resumed."""

from __future__ import annotations

from logbuch.wire.mlflow import Body


class CreateMultipart(Body, kw_only=True):
    path: str
    num_parts: int = 1


class Part(Body, kw_only=True):
    part_number: int
    etag: str
    url: str = ""


class CompleteMultipart(Body, kw_only=True):
    path: str
    upload_id: str
    parts: list[Part] = []


class AbortMultipart(Body, kw_only=True):
    path: str
    upload_id: str


class Presign(Body, kw_only=True):
    run_id: str = ""
    path: str
    expiration: int | None = None


class BeginUpload(Body, kw_only=True):
    """``path`` is that of the proxy: ``<experiment>/<run>/artifacts/<path>``."""

    path: str
    size: int
    sha256: str


class EndUpload(Body, kw_only=True):
    """``marks`` are those that the object store gave for parts that went there directly, by number."""

    upload_id: str
    marks: dict[str, str] = {}
