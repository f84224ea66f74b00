"""The page by the keyboard: the palette, the keys, the settings, the seeds' ways."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from support.seeds import Seeded

NewPage = Callable[..., Page]


def palette(page: Page, text: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.get_by_test_id("palette-input").fill(text)


def experiment(seeded: Seeded) -> str:
    return f"{seeded.server.url}/e/{seeded.experiment_id}"


def test_the_palette_finds_runs_experiments_metrics_and_commands(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(seeded.server.url)
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    palette(page, "minimal_lr2e")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("minimal_lr2e-4")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/runs/{seeded.runs['minimal_lr2e-4']}"))
    palette(page, "grad_norm")
    page.get_by_test_id("palette-item").filter(has_text="train/grad_norm").click()
    expect(page).to_have_url(re.compile("metrics.charts=train/grad_norm"))
    expect(page.get_by_test_id("chart")).to_have_count(1)
    palette(page, "mistral")
    page.get_by_test_id("palette-item").filter(has_text="mistral-lora").first.click()
    expect(page).to_have_url(re.compile(rf"/e/{seeded.experiment_id}$"))
    palette(page, ">dark")
    expect(page.get_by_test_id("palette-item").first).to_contain_text(re.compile("dark", re.IGNORECASE))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    palette(page, "")
    expect(page.get_by_test_id("palette-item").filter(has_text="minimal_lr2e-4").first).to_be_visible()  # recent
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_filters_and_knows_an_id(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(experiment(seeded))
    expect(page.get_by_test_id("run-row")).to_have_count(12)
    palette(page, "/params.lora_rank = '8'")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("params.lora_rank = '8'")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("run-row")).to_have_count(4)
    palette(page, seeded.runs["standard_lr1e-4"][:10])
    expect(page.get_by_test_id("palette-item").first).to_contain_text("standard_lr1e-4")
    page.keyboard.press("Escape")
    palette(page, "no such thing as this")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    palette(page, "#sweep")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("sweep")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("run-row")).to_have_count(12)
    expect(page).to_have_url(re.compile(re.escape("tags.phase")))


def test_the_whole_way_without_a_mouse(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(seeded.server.url)
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("/experiments$"))
    palette(page, "mistral")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("mistral")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("run-row")).to_have_count(12)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("run-status")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Run \d+ of 12"))).to_be_visible()
    first = page.url
    page.keyboard.press("j")
    expect(page).not_to_have_url(first)
    page.keyboard.press("k")
    expect(page).to_have_url(first)
    page.keyboard.press("y")
    expect(page.get_by_text("Command copied")).to_be_visible()
    assert "git checkout 8d41f02a7c0e" in page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("p")
    expect(page.locator("[data-testid=live-state][data-state=paused]")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("[data-testid=live-state][data-state=live]")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Search and commands")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/settings$"))


def test_settings_hold(seeded: Seeded, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{seeded.server.url}/settings")
    page.get_by_role("group", name="Language").get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.get_by_role("group", name="Farben").get_by_role("button", name="Dunkel").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("group", name="X-Achse").get_by_role("button", name="Relativ").click()
    page.goto(f"{experiment(seeded)}?layout=charts")
    expect(page.get_by_test_id("chart").first).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape("x=relative")))
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
