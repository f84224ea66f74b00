"""A model as a folder that is served without Logbuch, by MLflow's scoring server, or as the context of an image."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from logbuch.errors import InvalidInput
from logbuch.serving import requirements

SERVER = "mlflow==3.17.2"
"""The scoring server that the export starts; the one that Logbuch's models are tested with."""

START = """\
#!/bin/sh
# Serves the model in ./model. HOST and PORT choose where, WORKERS how many processes.
# Needs the packages in requirements.txt: python -m pip install -r requirements.txt
set -eu
cd "$(dirname "$0")"
exec mlflow models serve --model-uri ./model --env-manager local \\
  --host "${HOST:-127.0.0.1}" --port "${PORT:-5001}" --workers "${WORKERS:-1}"
"""

DOCKERFILE = """\
FROM python:{version}-slim
RUN useradd --create-home serving
WORKDIR /srv
COPY requirements.txt .
RUN python -m pip install --no-cache-dir -r requirements.txt
COPY start.sh .
COPY model model
USER serving
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD python -c \\
  "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/ping')"
CMD ["sh", "./start.sh"]
"""


def export(folder: Path, target: Path, *, image: bool) -> None:
    """Writes ``model/``, ``requirements.txt`` with pinned versions and ``start.sh`` to a new or empty folder, and
    with ``image`` a Dockerfile."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InvalidInput(f"{str(target)!r} is not empty: name a new folder.")
    listed = requirements.pinned(requirements.read(folder))
    if not any(requirements.name(line) == "mlflow" for line in listed):
        listed.append(SERVER)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, target / "model", ignore=shutil.ignore_patterns("__pycache__"))
    (target / requirements.FILE).write_text("\n".join(listed) + "\n", encoding="utf-8")
    start = target / "start.sh"
    start.write_text(START, encoding="utf-8")
    start.chmod(0o755)
    if image:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        (target / "Dockerfile").write_text(DOCKERFILE.format(version=version), encoding="utf-8")
