"""The documentation says what the code does."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from logbuch.cli.main import cli
from logbuch.filter import RUNS, parse_filter

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def builder() -> object:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["settings.md", "rest.md"])
def test_generated_pages_are_current(name: str) -> None:
    made = builder().PAGES[name]()  # type: ignore[attr-defined]
    assert text(DOCS / "reference" / name) == made, "run: python docs/build.py"


def test_the_examples_of_the_search_language_parse() -> None:
    page = text(DOCS / "reference" / "search.md")
    examples = re.search(r"Examples:\n\n```\n(.*?)```", page, re.DOTALL)
    assert examples is not None
    for line in examples.group(1).splitlines():
        assert parse_filter(line, RUNS) is not None


# -- links -------------------------------------------------------------------------------------------------------------


def links(page: Path) -> list[tuple[Path, str]]:
    """Where a page links to within the repository, and the heading there."""
    found = re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", _FENCED.sub("", text(page)))
    return [(page.parent / target if target else page, anchor) for target, anchor in found]


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page are linked to."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "README.md"
    known = {target.resolve() for target, _ in links(index)}
    pages = [page for page in DOCS.rglob("*.md") if "decisions" not in page.parts and page != index]
    assert [page.name for page in pages if page.resolve() not in known] == []
    assert (ROOT / "README.md", index) in {(ROOT / "README.md", target) for target, _ in links(ROOT / "README.md")}


def test_no_decision_without_a_date() -> None:
    for page in sorted((DOCS / "decisions").glob("*.md")):
        assert re.search(r"^\d{4}-\d{2}-\d{2}$", text(page), re.MULTILINE), page.name


# -- commands ----------------------------------------------------------------------------------------------------------


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each call of ``logbuch`` in a page's blocks of commands."""
    for block in re.findall(r"```bash\n(.*?)```", text(page), re.DOTALL):
        for line in re.sub(r" \[[^\]]*\](?:\.\.\.)?", "", block.replace("\\\n", " ")).splitlines():
            call = re.search(r"(?:^|\$\(|; |&& )(?:[A-Z_]+=\S+ )*logbuch ((?:[^#;|&)]|(?<=\S)#)*)", line)
            if call is not None:
                yield shlex.split(call[1])


def wrong(words: list[str]) -> str:
    """What of a call the command line does not know; nothing if all is well."""
    command: click.Command = cli
    left = list(words)
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        found = command.get_command(click.Context(command), left[0])
        if found is not None:
            left.pop(0)
        elif (found := command.commands.get("folder")) is None:  # what `logbuch export` means without a command
            return left[0]
        command = found
    mixed = command.context_settings.get("allow_interspersed_args", True)
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for word in left:
        if word == "--" or (not mixed and not word.startswith("-")):
            break
        option = word.partition("=")[0]
        if re.match(r"--?[a-z]", option) and option not in options | {"--help", "--version"}:
            return f"{command.name} {option}"
    return ""


def test_every_command_that_a_page_shows_is_there() -> None:
    shown = [(page.name, words) for page in PAGES for words in commands(page)]
    assert len(shown) > 90
    assert [(page, words) for page, words in shown if wrong(words)] == []
    assert wrong(["best", "hello", "--nonsense"]) == "best --nonsense"
    assert wrong(["alerts", "rule"]) == "rule"
