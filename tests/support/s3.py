"""A real S3 server: SeaweedFS in a process of its own."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.ports import free_port

START_SECONDS = 120
KEY, SECRET = "test-key", "test-secret"
_CONFIG = """{"identities": [{"name": "tests", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
 "credentials": [{"accessKey": "%s", "secretKey": "%s"}]}]}"""


@dataclass
class S3:
    """One server with all that it needs, below a folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _numbers: Any = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, url: str | None = None) -> dict[str, str]:
        """What a process needs to reach it; ``url`` for a way through something else."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LOGBUCH_S3_ENDPOINT_URL": url or self.url,
        }

    def start(self) -> S3:
        (self.folder / "config.json").write_text(_CONFIG % (KEY, SECRET))
        (self.folder / "data").mkdir(exist_ok=True)
        ports = {name: free_port() for name in ("master", "volume", "filer")}
        command = [str(Path(sys.executable).parent / "weed"), "server", f"-dir={self.folder / 'data'}", "-s3"]
        command += ["-ip=127.0.0.1", f"-s3.port={self.port}", f"-s3.config={self.folder / 'config.json'}"]
        command += [f"-s3.port.grpc={free_port()}", "-volume.max=500", "-volume.preStopSeconds=0"]
        command += ["-master.volumeSizeLimitMB=256", "-master.telemetry=false"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]  # else both have fixed ports, one server a machine
        for name, port in ports.items():
            command += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
        # Each bucket has volumes of its own: one at a time is enough.
        environment = os.environ | {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
        with (self.folder / "server.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environment)
        self._wait()
        return self

    def _wait(self) -> None:
        """It answers long before it can be written to."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                name = self.new_bucket()
                self.client().put_object(Bucket=name, Key="probe", Body=b"x")
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
            else:
                return

    def client(self) -> Any:
        """botocore's client."""
        from botocore.config import Config
        from botocore.session import get_session

        return get_session().create_client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def new_bucket(self) -> str:
        name = f"bucket-{os.getpid()}-{next(self._numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()  # its orderly end takes 15 s, and nothing of it is wanted any more
            self.process.wait()
