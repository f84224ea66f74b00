"""The real MLflow 3 client sends and fetches large files past the server, or through it where there is no other way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.s3 import S3
from support.servers import Server

PARTS = {
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
}
FORCED = PARTS | {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
}


@pytest.fixture(scope="module", params=["public", "proxied", "disk"])
def server(request: pytest.FixtureRequest, s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    bucket = () if request.param == "disk" else ("--default-artifact-root", f"s3://{s3.new_bucket()}/root")
    settings = s3.environment()
    if request.param == "public":
        settings["LOGBUCH_S3_PUBLIC_ENDPOINT_URL"] = s3.url
    started = Server(folder, f"sqlite:///{folder}/logbuch.db", bucket, settings=settings).start()
    yield started
    started.stop()


@pytest.mark.parametrize("variables", [PARTS, FORCED], ids=["asks", "forced"])
def test_large_files_go_the_way_that_the_server_offers(
    newest: Any, s3: S3, variables: dict[str, str], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    seen = newest.seen("direct.py", name, **variables)
    assert seen["same"] and seen["small"] == "small"
    size = 11 * 1024 * 1024 + 7
    assert seen["listed"] == [["folder/big file.bin", size]]
    direct = [method for method, place in seen["asked"] if place.startswith(f"{s3.port} ")]
    through = [method for method, place in seen["asked"] if "/mlflow-artifacts/artifacts/" in place]
    if name.startswith("public"):
        assert sorted(direct) == ["GET"] * 4 + ["PUT"] * 3  # three parts each way, and the small file
        assert through == ["PUT"]
    else:
        assert direct == []
        assert sorted(through) == ["GET", "GET", "PUT", "PUT"]
