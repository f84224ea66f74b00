"""Requirements of models, fresh environments, and models that are exported to run without Logbuch."""

from __future__ import annotations

import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest

from logbuch.errors import InvalidInput, InvalidState
from logbuch.serving import environments, requirements
from logbuch.serving.export import SERVER, export


def folder(tmp_path: Path, listed: str = "iniconfig==2.1.0\n") -> Path:
    place = tmp_path / "kept"
    place.mkdir()
    (place / "MLmodel").write_text("flavors: {python_function: {loader_module: x}}\n")
    (place / "requirements.txt").write_text(listed)
    return place


def test_requirements_are_names_with_versions(tmp_path: Path) -> None:
    lines = "# made by hand\nnumpy\nscikit-learn==1.7.2 # pinned\npandas[parquet]>=2,<4; python_version > '3.10'\n\n"
    assert requirements.read(folder(tmp_path, lines)) == [
        "numpy",
        "scikit-learn==1.7.2",
        "pandas[parquet]>=2,<4; python_version > '3.10'",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple", "-e .", "git+https://evil.example/x.git", "./wheel.whl", "../x",
        "x @ https://evil.example/x.whl", "-r other.txt", "--extra-index-url=x", "https://evil.example/x.whl",
        "x==1 --hash=a", "x; python_version > '3' --config-settings=a=b", "x; ${HOME}", "x" + "!" * 60, "x" + "=1" * 30,
    ],
)  # fmt: skip
def test_a_requirement_that_says_where_code_comes_from_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        requirements.read(folder(tmp_path, f"numpy\n{line}\n"))
    assert repr(line) in caught.value.message


def test_constraints_beside_them_are_read(tmp_path: Path) -> None:
    place = folder(tmp_path, "numpy==2.4.6\n-c constraints.txt\n")
    (place / "constraints.txt").write_text("numpy<3\niniconfig==2.1.0\n")
    assert requirements.read(place) == ["numpy==2.4.6", "iniconfig==2.1.0"]


def test_what_has_no_version_is_pinned_to_the_one_here() -> None:
    assert requirements.pinned(["numpy", "pandas==2.3", "no-such-package-at-all"]) == [
        f"numpy=={metadata.version('numpy')}",
        "pandas==2.3",
        "no-such-package-at-all",
    ]


def test_an_export_has_all_that_it_needs(tmp_path: Path) -> None:
    place, target = folder(tmp_path, "numpy\n"), tmp_path / "out"
    export(place, target, image=True)
    assert (target / "model" / "MLmodel").read_bytes() == (place / "MLmodel").read_bytes()
    assert (target / "requirements.txt").read_text() == f"numpy=={metadata.version('numpy')}\n{SERVER}\n"
    assert (target / "start.sh").stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["sh", "-n", str(target / "start.sh")], check=False).returncode == 0
    dockerfile = (target / "Dockerfile").read_text()
    assert all(name in dockerfile for name in ("COPY requirements.txt", "COPY start.sh", "COPY model", "USER serving"))
    assert "logbuch" not in dockerfile + (target / "start.sh").read_text() + (target / "requirements.txt").read_text()


def test_an_export_keeps_the_server_that_the_model_names(tmp_path: Path) -> None:
    export(folder(tmp_path, "mlflow==3.16.0\n"), tmp_path / "out", image=False)
    assert (tmp_path / "out" / "requirements.txt").read_text() == "mlflow==3.16.0\n"
    assert not (tmp_path / "out" / "Dockerfile").exists()


def test_no_shell_reads_what_a_model_lists_or_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(environments, "_own", list)
    monkeypatch.chdir(tmp_path)
    place = folder(tmp_path, "numpy; touch pwned #\n").rename(tmp_path / "a$(touch pwned)`touch pwned`")
    with pytest.raises(InvalidState, match="touch pwned"):
        environments.prepare(place, "uv", say=print)
    (place / "requirements.txt").write_text("numpy==2.4.6\n")
    export(place, tmp_path / "out", image=True)
    assert not any("touch" in (tmp_path / "out" / name).read_text() for name in ("start.sh", "Dockerfile"))
    assert not list(tmp_path.rglob("pwned"))


def test_an_export_overwrites_nothing(tmp_path: Path) -> None:
    place = folder(tmp_path)
    with pytest.raises(InvalidInput, match="not empty"):
        export(place, place, image=False)


def test_an_environment_for_another_python_is_refused_by_virtualenv(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (place / "python_env.yaml").write_text("python: 3.7.1\n")
    with pytest.raises(InvalidState, match=r"wants Python 3\.7"):
        environments.prepare(place, "virtualenv", say=print)
    (place / "python_env.yaml").write_text("python: [\n")
    with pytest.raises(InvalidInput, match="python_env"):
        environments.prepare(place, "virtualenv", say=print)


@pytest.mark.slow
def test_a_fresh_environment_has_the_models_packages_and_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place, said = folder(tmp_path), []
    python = environments.prepare(place, "uv", say=said.append)
    code = "import iniconfig, logbuch, pandas, sys; print(sys.prefix, iniconfig.__file__)"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.count(str(tmp_path / "cache")) == 2
    assert environments.prepare(place, "uv", say=said.append) == python
    assert len(said) == 1


def test_two_that_want_the_same_environment_make_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    waits, made = threading.Event(), []

    def make(place: Path, *rest: object) -> None:
        made.append(place)
        assert waits.wait(60)
        place.mkdir(parents=True)

    monkeypatch.setattr(environments, "_make", make)
    monkeypatch.setattr(environments, "_link", lambda python: None)
    place = folder(tmp_path)

    def say(line: str) -> None:
        if line.startswith("Waiting"):
            waits.set()

    with ThreadPoolExecutor(2) as threads:
        found = [threads.submit(environments.prepare, place, "uv", say=say) for _ in range(2)]
        assert len({future.result() for future in found}) == 1
    assert len(made) == 1


def test_why_there_is_no_environment_is_one_line() -> None:
    said = "  × No solution found:\n  ╰─▶ Because x was not found,\n      nothing is satisfied.\n      ^^^^\n\n"
    assert environments._reason(said) == "× No solution found: ╰─▶ Because x was not found, nothing is satisfied."
    assert len(environments._reason("x" * 10_000)) == 500


@pytest.mark.slow
def test_virtualenv_makes_one_too_and_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)  # that of this repository's own set-up
    monkeypatch.setattr(environments, "_own", list)
    place = folder(tmp_path)
    python = environments.prepare(place, "virtualenv", say=print)
    assert subprocess.run([str(python), "-c", "import iniconfig"], check=False).returncode == 0
    (place / "requirements.txt").write_text("iniconfig==0.0.0.0.1\n")
    with pytest.raises(InvalidState, match="iniconfig"):
        environments.prepare(place, "virtualenv", say=print)
    assert len(list((tmp_path / "cache" / "logbuch" / "environments").iterdir())) == 1
