"""Every kind of file that the page shows, opened in a real browser from the tree of a run's artifacts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from support import files
from support.pages import until
from support.seeds import artifact
from support.servers import Server

NewPage = Callable[..., Page]
PICTURES = ("png", "jpeg", "gif", "webp", "bmp")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><rect width="16" height="16"/></svg>'
TABLE = {"columns": ["prompt", "score"], "data": [["why", 0.5], ["ünïcode", None]]}
PATCH = "--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-lr = 1\n+lr = 2\n"
PAGE = """<h1 id=h>Plot</h1><script>
const said = ["drawn"];
try { parent.document.title = "taken"; said.push("taken"); } catch { said.push("apart"); }
fetch("/health").then(() => said.push("network"), () => said.push("no network"))
  .then(() => { document.getElementById("h").textContent = said.join(", "); });
</script>"""
LONG = "".join(f"line {number}\n" for number in range(300_000))

MANY = "number,square\n" + "".join(f"{number},{number * number}\n" for number in range(1, 451))
LARGE = "number,text\n" + "".join(f"{number},{'x' * 60}\n" for number in range(1, 40_001))

TEXTS = {
    "many.csv": MANY,
    "large.csv": LARGE,
    "rows.csv": 'name,note\nfirst,"a, ""quoted"" cell"\nsecond,"two\nlines"\n',
    "rows.tsv": "name\tvalue\nfirst\t0.25\n",
    "rows.jsonl": '{"prompt": "p", "score": 1}\n{"prompt": "q", "more": [1, 2]}\n',
    "table.json": json.dumps(TABLE),
    "config.json": '{"model":{"rank":16,"name":"größer"}}',
    "broken.json": '{"model": ',
    "config.yaml": "lr: 1e-4\nsteps: 10\n",
    "notes.txt": "plain <b>text</b>\n",
    "train.py": "import logbuch\n",
    "report.md": "# Heading\n\n- **bold** <img src=x onerror=alert(1)>\n",
    "change.diff": PATCH,
    "page.html": PAGE,
    "drawing.svg": SVG,
    "long.log": LONG,
    "empty.txt": "",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    folder = tmp_path_factory.mktemp("previews")
    server = Server(folder, f"sqlite:///{folder}/logbuch.db").start()
    run_id = server.new_run("0", run_name="files", start_time=1_795_000_000_000)
    contents = {path: text.encode() for path, text in TEXTS.items()}
    contents |= {f"picture.{form}": files.picture(90, form) for form in PICTURES}
    contents |= {f"samples/step_{step}.png": files.picture(step) for step in (10, 30, 200)}
    contents |= {"sound.wav": files.sound(), "film.webm": files.film(), "paper.pdf": files.picture(200, "pdf", 64)}
    contents |= {"weights.safetensors": files.safetensors(), "weights.bin": b"\0\1", "a b/ä#?.txt": b"strange name"}
    for path, content in contents.items():
        artifact(server, f"0/{run_id}/artifacts/{path.replace('#', '%23').replace('?', '%3F')}", content)
    yield server, run_id
    server.stop()


@pytest.fixture
def page(run: tuple[Server, str], new_page: NewPage) -> Page:
    server, run_id = run
    made = new_page(strict=False)  # what a logged page is refused stands in the console too
    made.goto(f"{server.url}/e/0/runs/{run_id}/artifacts")
    return made


def choose(page: Page, path: str) -> Locator:
    """Opens a file by its line in the tree; gives its preview."""
    page.locator(f"[data-testid=artifact-row][data-path='{path}'] .filebtn").click()
    expect(page.get_by_role("heading", name=path, exact=True)).to_be_visible()
    return page.get_by_test_id("preview")


def test_tables(page: Page) -> None:
    for path, cells in (
        ("rows.csv", ["first", 'a, "quoted" cell', "second", "two lines"]),
        ("rows.tsv", ["first", "0.25"]),
        ("table.json", ["why", "0.5", "ünïcode", ""]),
        ("rows.jsonl", ["p", "1", "", "q", "", "[1,2]"]),
    ):
        expect(choose(page, path).get_by_role("cell")).to_have_text(cells)
    expect(page.get_by_test_id("preview").get_by_role("columnheader")).to_have_text(["prompt", "score", "more"])


def test_a_long_table_is_paged(page: Page) -> None:
    preview = choose(page, "many.csv")
    rows, place = preview.locator("tbody tr"), preview.get_by_role("status")
    before, after = (preview.get_by_role("button", name=name) for name in ("Previous rows", "Next rows"))
    expect(place).to_have_text("Rows 1 to 200 of 450")
    expect(before).to_be_disabled()
    expect(rows).to_have_count(200)
    after.click()
    expect(rows.first).to_contain_text("40401")
    after.click()
    expect(place).to_have_text("Rows 401 to 450 of 450")
    expect(rows).to_have_count(50)
    expect(rows.last).to_contain_text("202500")
    expect(after).to_be_disabled()
    before.click()
    expect(place).to_have_text("Rows 201 to 400 of 450")
    preview = choose(page, "large.csv")
    expect(preview.locator(".note")).to_have_text(re.compile(r"Showing the first 2(\.0)? MB of 2\.7 MB"))
    expect(place).to_have_text(f"Rows 1 to 200 of {LARGE[:2_000_000].count(chr(10)) - 1:,}")


def test_texts(page: Page) -> None:
    expect(choose(page, "config.json")).to_contain_text(re.compile(r'"rank": 16,\s+"name": "größer"'))
    expect(choose(page, "broken.json")).to_contain_text('{"model":')
    expect(choose(page, "config.yaml")).to_contain_text("lr: 1e-4")
    expect(choose(page, "notes.txt")).to_contain_text("plain <b>text</b>")
    expect(choose(page, "train.py")).to_contain_text("import logbuch")
    preview = choose(page, "report.md")
    expect(preview.get_by_role("heading", name="Heading")).to_be_visible()
    expect(preview.locator("img")).to_have_count(0)
    preview = choose(page, "change.diff")
    expect(preview.locator(".diff .add")).to_contain_text("lr = 2")
    expect(preview.locator(".diff .remove")).to_contain_text("lr = 1")
    preview = choose(page, "long.log")
    expect(preview).to_contain_text("Showing the first")
    expect(preview).to_contain_text("line 100")
    expect(preview).not_to_contain_text("line 299999")
    expect(choose(page, "empty.txt")).to_contain_text("The file is empty")


def test_pictures_sound_and_film(page: Page) -> None:
    for name in (*(f"picture.{form}" for form in PICTURES), "drawing.svg"):
        expect(choose(page, name).locator("img")).to_have_js_property("naturalWidth", files.SIDE)
    sound = choose(page, "sound.wav").locator("audio")
    until(page, lambda: sound.evaluate("audio => audio.readyState >= 1 && Math.abs(audio.duration - 0.1) < 0.05"))
    film = choose(page, "film.webm").locator("video")
    until(page, lambda: film.evaluate("video => video.readyState >= 2"))
    assert film.evaluate("video => [video.videoWidth, video.videoHeight]") == [files.SIDE, files.SIDE]
    assert abs(film.evaluate("video => video.duration") - 0.2) < 0.05


def test_a_series_of_pictures_has_a_slider(page: Page) -> None:
    page.locator("[data-testid=artifact-row][data-path='samples'] .filebtn").click()
    preview = choose(page, "samples/step_10.png")
    slider = page.get_by_test_id("step-slider")
    expect(slider).to_contain_text("Step 10 of 200")
    page.locator("body").click(position={"x": 900, "y": 20})
    page.keyboard.press("ArrowRight")
    expect(slider).to_contain_text("Step 30 of 200")
    slider.get_by_role("slider").press("End")
    expect(page.get_by_role("heading", name="samples/step_200.png", exact=True)).to_be_visible()
    expect(preview.locator("img")).to_have_attribute("alt", "samples/step_200.png")
    expect(preview.locator("img")).to_have_js_property("naturalWidth", files.SIDE)


def test_a_paper_is_given_to_the_browser(page: Page) -> None:
    with page.expect_response(lambda answer: "paper.pdf" in answer.url) as waiting:
        preview = choose(page, "paper.pdf")
    assert (waiting.value.status, waiting.value.headers["content-type"]) == (200, "application/pdf")
    expect(preview.locator("iframe")).to_be_visible()


def test_a_page_runs_apart_and_without_network(page: Page, run: tuple[Server, str]) -> None:
    server, run_id = run
    answer = httpx.get(f"{server.url}/show-artifact", params={"run_id": run_id, "path": "page.html"})
    policy = answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy
    refused = httpx.get(f"{server.url}/show-artifact", params={"run_id": run_id, "path": "config.yaml"})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    preview = choose(page, "page.html")
    # The page tells of itself when both of its attempts are over.
    expect(preview.frame_locator("iframe").locator("h1")).to_have_text("drawn, apart, no network")
    expect(page).to_have_title(re.compile("files"))
    page.get_by_role("button", name="Source").click()
    expect(preview).to_contain_text("<h1 id=h>")


def test_tensors_unknown_kinds_and_strange_names(page: Page) -> None:
    choose(page, "weights.safetensors")
    tensors = page.get_by_test_id("tensors")
    expect(tensors).to_contain_text("20 tensors, 640 parameters")
    page.get_by_label("Search tensors").fill("*.7.*")
    expect(page.get_by_role("cell", name="layer.7.lora_A")).to_be_visible()
    expect(tensors.get_by_role("row")).to_have_count(2)
    expect(choose(page, "weights.bin")).to_contain_text("not shown here")
    page.go_back()
    expect(tensors).to_be_visible()
    page.locator("[data-testid=artifact-row][data-path='a b'] .filebtn").click()
    expect(choose(page, "a b/ä#?.txt")).to_contain_text("strange name")
    page.reload()
    expect(page.get_by_test_id("preview")).to_contain_text("strange name")
