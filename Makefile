# Two commands do everything, set-up included: `make demo` and `make test`.
# `make check` is the quick part of the tests, for one's own loop.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MLFLOW3 := .venv-mlflow3
MLFLOW2 := .venv-mlflow2
FASTTRACKML := .venv-fasttrackml
CLIENTS := .venv-clients
AIM := .venv-aim
PAGE := src/logbuch/server/page/index.html
OUTPUT := test-output
PIP := -m pip --disable-pip-version-check --quiet
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/dist/*' 2>/dev/null)

# A registry or a mirror may fail for a moment: what is fetched is asked for again.
AGAIN := again() { "$$@" || { sleep 5; "$$@"; } || { sleep 30; "$$@"; }; }; again
APT := env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 -qq
APT_INSTALL := $(APT) install -y --no-install-recommends

export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_RETRIES := 10
export PIP_DEFAULT_TIMEOUT := 60
export npm_config_fetch_retries := 5

.PHONY: help train-smoke setup compat-envs ui demo wheel test test-long check lint lint-python lint-ui format bench bench-peers clean

help:
	@echo "make demo [ONCE=1]  start the tracker and train small real runs that log to it"
	@echo "make test           everything: format, lint, types, import rules, Python, UI and browser tests"
	@echo "make check          the quick part of it"
	@echo "make train-smoke    train both programs of training/ small, and read back what the tracker has"
	@echo "make test-long      the long fault loops"
	@echo "make wheel          build the package into dist/"
	@echo "make bench          measure side by side with peers; ARGS=--quick for a look, ARGS=--help for the rest"
	@echo "make bench-peers    install the peers, and wrk as root"

# -- set-up ---------------------------------------------------------------------------------------------------------

$(VENV)/.ready: pyproject.toml constraints.txt training/storyteller/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(AGAIN) env -u PIP_CONSTRAINT $(BIN)/python $(PIP) install --upgrade pip
	$(AGAIN) $(BIN)/python $(PIP) install --group test --editable '.[postgres]' --editable training/storyteller
	@touch $@

$(MLFLOW3)/.ready: tests/compat/mlflow3.txt
	$(PYTHON) -m venv $(MLFLOW3)
	$(AGAIN) env -u PIP_CONSTRAINT $(MLFLOW3)/bin/python $(PIP) install --upgrade pip
	$(AGAIN) env -u PIP_CONSTRAINT $(MLFLOW3)/bin/python $(PIP) install torch==2.13.0
	$(AGAIN) env -u PIP_CONSTRAINT $(MLFLOW3)/bin/python $(PIP) install -r $<
	@touch $@

$(MLFLOW2)/.ready: tests/compat/mlflow2.txt
	$(PYTHON) -m venv $(MLFLOW2)
	$(AGAIN) env -u PIP_CONSTRAINT $(MLFLOW2)/bin/python $(PIP) install --upgrade pip
	$(AGAIN) env -u PIP_CONSTRAINT $(MLFLOW2)/bin/python $(PIP) install -r $<
	@touch $@

# A binary of its own: what its package asks for besides is its client's.
$(FASTTRACKML)/.ready:
	$(PYTHON) -m venv $(FASTTRACKML)
	$(AGAIN) env -u PIP_CONSTRAINT $(FASTTRACKML)/bin/python $(PIP) install --no-deps fasttrackml==0.6.0
	@touch $@

# Client libraries that are measured beside ours. Aim is not to be had for every Python: then it is left out, and said.
$(CLIENTS)/.ready:
	$(PYTHON) -m venv $(CLIENTS)
	$(AGAIN) env -u PIP_CONSTRAINT $(CLIENTS)/bin/python $(PIP) install wandb trackio tensorboardX
	@touch $@

# Beside the others pip finds no newer Aim than one of 2021; and without the page of its server, which is not everywhere.
$(AIM)/.ready: benchmarks/aim.txt
	$(PYTHON) -m venv $(AIM)
	$(AGAIN) env -u PIP_CONSTRAINT $(AIM)/bin/python $(PIP) install --only-binary :all: --no-deps -r $< || echo "Aim cannot be installed here."
	@touch $@

$(VENV)/.ready-bench: $(VENV)/.ready
	$(AGAIN) $(BIN)/python $(PIP) install --group bench
	@touch $@

ui/node_modules/.ready: ui/package.json ui/package-lock.json
	cd ui && $(AGAIN) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): ui/node_modules/.ready $(UI_SOURCES)
	cd ui && npm run --silent build
	@touch $@

setup: $(VENV)/.ready $(PAGE)

ui: $(PAGE)

# Chromium drives the browser tests. Debian's is used where it is; as root it is installed.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && { $(AGAIN) $(APT) update; } && \
	  { $(AGAIN) $(APT_INSTALL) chromium fonts-liberation >/dev/null; }; } || \
	  { echo "Chromium is needed for the browser tests: install the package chromium."; exit 1; }

# MLflow's databases are read from MySQL too; MariaDB's server stands for it.
.PHONY: mariadb
mariadb:
	@command -v mariadbd >/dev/null || { [ "$$(id -u)" = 0 ] && { $(AGAIN) $(APT) update; } && \
	  { $(AGAIN) $(APT_INSTALL) mariadb-server-core mariadb-client-core >/dev/null; }; } || \
	  { echo "MariaDB is needed for the tests of MySQL: install mariadb-server-core and mariadb-client-core."; exit 1; }

# A pooler that stands between Logbuch and PostgreSQL.
.PHONY: pgbouncer
pgbouncer:
	@test -x /usr/sbin/pgbouncer || command -v pgbouncer >/dev/null || { [ "$$(id -u)" = 0 ] && { $(AGAIN) $(APT) update; } && \
	  { $(AGAIN) $(APT_INSTALL) pgbouncer >/dev/null; }; } || \
	  { echo "PgBouncer is needed for the tests of poolers: install the package pgbouncer."; exit 1; }

# -- the two commands -------------------------------------------------------------------------------------------------

demo: setup
	$(BIN)/python examples/demo.py $(if $(ONCE),--once)

# Both training programs from data to served model, small; they log to LOGBUCH_TRACKING_URI, or to ./.logbuch.
train-smoke: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m storyteller.smoke
	OMP_NUM_THREADS=1 $(BIN)/python training/lora/smoke.py

compat-envs: $(MLFLOW3)/.ready $(MLFLOW2)/.ready

test: setup chromium mariadb pgbouncer compat-envs lint
	cd ui && npm run --silent test
	@mkdir -p $(OUTPUT)
	$(BIN)/python -m pytest -n 2 --dist loadscope --junitxml=$(OUTPUT)/python.xml

check: setup lint
	cd ui && npm run --silent test
	$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow" tests/unit tests/contract

test-long: setup
	LOGBUCH_TEST_LONG=1 $(BIN)/python -m pytest tests -m "slow" -n 2 --dist loadscope

# -- parts --------------------------------------------------------------------------------------------------------------

lint: lint-python lint-ui

lint-python: $(VENV)/.ready
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lint-ui: ui/node_modules/.ready
	cd ui && npm run --silent lint

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The package that `pip install` takes, with the built page inside.
wheel: setup
	$(BIN)/python -m hatchling build -t wheel

bench: $(VENV)/.ready-bench
	$(BIN)/python -m benchmarks $(ARGS)

# Without wrk a client of our own drives, which bounds what a fast server shows.
bench-peers: $(MLFLOW3)/.ready $(FASTTRACKML)/.ready $(CLIENTS)/.ready $(AIM)/.ready
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && { $(AGAIN) $(APT) update; } && \
	  { $(AGAIN) $(APT_INSTALL) wrk >/dev/null; }; } || \
	  echo "wrk is not installed and will be done without."

clean:
	rm -rf $(VENV) $(MLFLOW2) $(MLFLOW3) $(FASTTRACKML) $(CLIENTS) $(AIM) ui/node_modules src/logbuch/server/page $(OUTPUT) dist
