"""Takes an MLflow database through all later schemas with MLflow's own migrations: python revisions.py FILE FOLDER.

FOLDER gets a copy of each revision, called by its number in the order of MLflow's history.
"""

import logging
import shutil
import sys
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config

logging.disable()
file, folder = Path(sys.argv[1]).absolute(), Path(sys.argv[2])
url = f"sqlite:///{file}"
config = _get_alembic_config(url)
script = ScriptDirectory.from_config(config)
engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
with engine.connect() as connection:
    (begin,) = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalars()
later = [one.revision for one in script.iterate_revisions(script.get_heads(), begin)]
for number, revision in enumerate([begin, *reversed(later)]):
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    shutil.copy(file, folder / f"{number:03}-{revision}.db")
print("MADE", len(later) + 1)
