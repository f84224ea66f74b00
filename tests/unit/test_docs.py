"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from logbuch.filter import RUNS, parse_filter

ROOT = Path(__file__).parents[2]


def builder() -> object:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "rest.md"])
def test_generated_pages_are_current(name: str) -> None:
    made = builder().PAGES[name]()  # type: ignore[attr-defined]
    assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == made, "run: python docs/build.py"


def test_the_examples_of_the_search_language_parse() -> None:
    page = (ROOT / "docs" / "reference" / "search.md").read_text(encoding="utf-8")
    examples = re.search(r"Examples:\n\n```\n(.*?)```", page, re.DOTALL)
    assert examples is not None
    for line in examples.group(1).splitlines():
        assert parse_filter(line, RUNS) is not None


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_decision_without_a_date() -> None:
    for page in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        assert re.search(r"^\d{4}-\d{2}-\d{2}$", page.read_text(encoding="utf-8"), re.MULTILINE), page.name
