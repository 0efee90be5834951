"""The pages that people read, in a browser where there is one."""

from __future__ import annotations

import base64
import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multimodal_sentiment.reporting import (
    ComparedPost,
    Doubt,
    write_search_page,
    write_second_look,
)

from ..commands import QUICK, Project, params
from ..searches import SEARCH, STUDY

SIZES = {1600: 1000, 1024: 768, 390: 844}  # px
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}
SECONDS = 20  # at most, for a download
PICTURE = (
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"  # one pixel
)

# Of all words that are seen, the least contrast with what is behind them (WCAG 2.2), and which.
CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
};
const light = (colour) => colour.slice(0, 3).map((part) =>
  part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
const behind = (element) => {
  let layers = [];
  for (let at = element; at; at = at.parentElement) {
    layers.push(rgba(getComputedStyle(at).backgroundColor));
  }
  return layers.reverse().reduce((under, over) =>
    under.map((part, index) => over[3] * (over[index] ?? 0) + (1 - over[3]) * part), [1, 1, 1]);
};
let least = [99, ''];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, words = walker.currentNode.textContent.trim();
  if (!words || !element.getClientRects().length) continue;
  if (element.closest('script, style, title')) continue;
  const style = getComputedStyle(element);
  const ink = light(rgba(element.closest('svg') ? style.fill : style.color));
  const page = light(behind(element.closest('svg') ?? element));
  const contrast = (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05);
  if (contrast < least[0]) least = [contrast, words];
}
return least;
"""

# What is wider than its place, and so is cut or runs into what stands beside it.
CUT = """
return [...document.querySelectorAll('th, td, p, h1, h2, h3, dt, dd, li, figure, article, pre')]
  .filter((element) => element.getClientRects().length && !element.closest('svg, .axis'))
  .filter((element) => element.scrollWidth > element.clientWidth + 1)
  .filter((element) => getComputedStyle(element).display !== 'inline')
  .map((element) => element.textContent.trim().slice(0, 80));
"""
PAPER = 725  # px between the margins of a letter, the narrower of the usual papers


def show(browser: Any, page: Path, width: int, scheme: str) -> None:
    height = SIZES.get(width, 1000)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
    browser.get_log("browser")
    browser.get(page.as_uri())


def check(browser: Any, page: Path, width: int, scheme: str) -> None:
    show(browser, page, width, scheme)

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert not browser.execute_script(CUT)
    colour = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert colour == BACKGROUNDS[scheme]
    contrast, words = browser.execute_script(CONTRAST)
    assert contrast >= 4.5, words
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def second_look(tmp_path: Path) -> Path:
    """Three posts, of which two are twins; one more tag was corrected before."""
    shares = {"negative": 0.25, "positive": 0.75}

    def post(guid: str, tag: str) -> ComparedPost:
        return ComparedPost(guid, f'say "{guid}"', PICTURE, tag, {"text alone": shares})

    path = tmp_path / "second_look.html"
    text = write_second_look(
        data="posts",
        version="2026-01-01T00.00.00.000Z",
        labels=["negative", "positive"],
        doubts=[
            Doubt([post("a,1", "negative"), post("2", "positive")], {"2": "its twin"}),
            Doubt([post("3", "negative")], {"3": "models answer positive (0.75)"}),
        ],
        originals={"a,1": "negative", "2": "negative", "3": "negative", "4": "positive"},
        corrections={"2": "positive", "4": "negative"},
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def downloads(browser: Any, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "downloads"
    behaviour = {"behavior": "allow", "downloadPath": str(folder)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    yield folder
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "default"})


def download(browser: Any, button: str, path: Path) -> Path:
    browser.execute_script(f"document.getElementById('{button}').click()")
    end = time.monotonic() + SECONDS
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return path


def choose(browser: Any, guid: str, tag: str) -> None:
    """Choose a tag as the keyboard would: the choice is focused, and the space bar pressed."""
    browser.execute_script(
        "const choice = document.querySelector("
        "`input[name='${CSS.escape(arguments[0])}'][value='${arguments[1]}']`);"
        "choice.focus(); choice.click();",
        guid,
        tag,
    )


@pytest.fixture
def search_page(tmp_path: Path) -> Path:
    path = tmp_path / "search_report.html"
    path.write_text(write_search_page(SEARCH, STUDY, "training:\n  epochs: 3\n"), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", BACKGROUNDS)
@pytest.mark.parametrize("name", ["report", "inference_report"])
def test_the_reports_fit_any_screen(trained_project: Project, browser, name, width, scheme):
    check(browser, trained_project.newest(f"08_reporting/{name}.html"), width, scheme)


@pytest.mark.parametrize("width", SIZES)
def test_probabilities_are_not_cut_however_near_to_all_they_are(
    trained_project: Project, browser, tmp_path, width
):
    report = trained_project.newest("08_reporting/report.html").read_text(encoding="utf-8")
    page = tmp_path / "sure.html"
    page.write_text(re.sub(r"[\d.]+%</span></li>", "&gt;99.999%</span></li>", report), "utf-8")
    show(browser, page, width, "light")
    browser.execute_script("document.querySelectorAll('details').forEach(it => it.open = true)")

    seen = browser.execute_script(
        "return [...document.querySelectorAll('.bars span:last-child')].map((it) => "
        "[it.textContent, it.scrollWidth <= it.clientWidth, it.previousSibling.offsetWidth])"
    )
    assert {(text, whole) for text, whole, _ in seen} == {(">99.999%", True)}
    assert len({bar for _, _, bar in seen}) == 1, "bars of one length stand for the same share"


@pytest.mark.parametrize("width", [1024, 390])
def test_names_of_parameters_are_not_broken(search_page, browser, width):
    show(browser, search_page, width, "light")
    name = "model.text.scratch.vocabulary_size"

    lines = browser.execute_script(
        "const it = document.querySelector('.space th'); it.textContent = arguments[0];"
        "const range = document.createRange(), tops = new Set();"
        "for (let at = 0; at < it.textContent.length; at++) {"
        "  range.setStart(it.firstChild, at); range.setEnd(it.firstChild, at + 1);"
        "  tops.add(Math.round(range.getBoundingClientRect().top)); }"
        "return tops.size",
        name,
    )
    assert lines == 1


def test_both_ends_of_an_interval_stand_out_of_its_dot(trained_project: Project, browser):
    show(browser, trained_project.newest("08_reporting/report.html"), 1024, "light")

    heights = browser.execute_script(
        "return [...document.querySelectorAll('.track')].map((it) => {"
        "  const line = it.querySelector('.interval');"
        "  const ends = ['::before', '::after'].map((end) => getComputedStyle(line, end));"
        "  return [it.querySelector('.dot').offsetHeight, ...ends.map((end) => "
        "    end.content === 'none' ? 0 : parseFloat(end.height))]; })"
    )
    assert heights and all(min(ends) >= dot + 4 for dot, *ends in heights)


@pytest.mark.parametrize(("width", "scheme"), [(1024, "light"), (390, "dark")])
def test_the_report_of_a_search_fits_any_screen(search_page, browser, width, scheme):
    check(browser, search_page, width, scheme)


@pytest.mark.parametrize("name", ["report", "inference_report", "search_report"])
def test_paper_cuts_nothing(trained_project: Project, search_page, browser, name):
    page = (
        search_page
        if name == search_page.stem
        else trained_project.newest(f"08_reporting/{name}.html")
    )
    show(browser, page, PAPER, "light")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    assert browser.execute_script(f"return document.documentElement.scrollWidth <= {PAPER}")
    assert not browser.execute_script(CUT)


def test_small_screens_fold_answers_that_large_ones_and_paper_show(
    trained_project: Project, browser
):
    report = trained_project.newest("08_reporting/report.html")
    cards = report.read_text(encoding="utf-8").count("<article>")
    seen = (
        "return [...document.querySelectorAll('article')].filter(it => it.checkVisibility()).length"
    )
    counted = {}
    for width, media in ((390, ""), (1024, ""), (PAPER, "print"), (390, "print")):
        show(browser, report, width, "light")
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media})
        counted[width, media] = browser.execute_script(seen)

    assert 4 <= counted.pop((390, "")) <= 8 < cards
    assert set(counted.values()) == {cards}
    show(browser, report, 390, "light")
    browser.execute_script("document.querySelectorAll('.rest > summary').forEach(it => it.click())")
    assert browser.execute_script(seen) == cards


@pytest.mark.parametrize(("width", "scheme"), [(1600, "light"), (390, "dark")])
def test_the_second_look_fits_any_screen(second_look, browser, width, scheme):
    check(browser, second_look, width, scheme)


def test_the_report_prints_on_white_with_all_its_pictures(trained_project: Project, browser):
    report = trained_project.newest("08_reporting/report.html")
    show(browser, report, 1024, "dark")

    printed = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]

    page = base64.b64decode(printed)
    pictures = report.read_text(encoding="utf-8").count("<img ")
    assert page.startswith(b"%PDF")
    assert page.count(b"/Subtype /Image") >= pictures


def test_all_that_can_be_used_is_reached_by_keyboard(second_look, browser):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    show(browser, second_look, 1600, "light")
    reached = []
    for _ in range(7):
        browser.switch_to.active_element.send_keys(keys.TAB)
        focused = browser.switch_to.active_element
        reached.append(focused.get_attribute("id") or focused.get_attribute("name"))

    assert reached[:6] == ["csv", "tasks", "reset", "a,1", "2", "3"]


def test_corrections_are_taken_away_as_csv_and_for_label_studio(second_look, browser, downloads):
    show(browser, second_look, 1600, "light")
    choose(browser, "a,1", "positive")
    choose(browser, "2", "negative")  # as in the listing: corrected before, and no more
    choose(browser, "3", "positive")
    choose(browser, "3", "negative")

    assert browser.execute_script("return document.getElementById('count').textContent") == (
        "2 tags changed"
    )
    table = download(browser, "csv", downloads / "corrections.csv")
    with table.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.reader(file))
    assert rows == [["4", "negative"], ["a,1", "positive"], ["guid", "tag"]]

    tasks = json.loads(
        download(browser, "tasks", downloads / "corrections.json").read_text(encoding="utf-8")
    )
    by_guid = {task["data"]["guid"]: task for task in tasks}
    assert by_guid.keys() == {"a,1", "2", "3", "4"}
    first = by_guid["a,1"]
    assert first["data"] == {
        "guid": "a,1",
        "given_tag": "negative",
        "text": 'say "a,1"',
        "image": PICTURE,
    }
    assert first["annotations"][0]["result"][0]["value"] == {"choices": ["positive"]}
    assert first["predictions"][0] == {
        "model_version": "text alone",
        "score": 0.75,
        "result": first["annotations"][0]["result"],
    }
    assert "annotations" not in by_guid["3"]

    browser.refresh()
    assert browser.execute_script("return document.getElementById('count').textContent") == (
        "2 tags changed"
    )
    browser.execute_script("localStorage.clear()")


@pytest.mark.slow
def test_a_round_of_corrections(trained_project: Project, browser, downloads, tmp_path):
    project = trained_project.copy_to(tmp_path / "project")
    few = {"comparison.seeds": 1, "comparison.variants.image": "null", "comparison.folds": 2}
    said = project.kedro(
        "run", "--env=scratch", "--pipeline=comparison", "--params", params(QUICK | few)
    )
    for name in ("comparison", "second_look"):
        page = project.newest(f"08_reporting/{name}.html")
        assert str(page.relative_to(project.path)) in said.stderr + said.stdout
        for width in SIZES:
            for scheme in BACKGROUNDS:
                check(browser, page, width, scheme)
    choices = browser.execute_script(
        "return [...document.querySelectorAll('article[data-guid]')].map((card) => "
        "[card.dataset.guid, card.querySelector('input:not(:checked)').value])"
    )[:20]
    for guid, tag in choices:
        choose(browser, guid, tag)
    file = download(browser, "csv", downloads / "corrections.csv")

    said = project.kedro(
        "run",
        "--env=scratch",
        "--pipeline=training",
        "--params",
        params(QUICK | {"corrections": file}),
    )

    assert f"{len(choices)} tags are corrected" in said.stderr + said.stdout
    metrics = json.loads(project.newest("08_reporting/metrics.json").read_text("utf-8"))
    corrections = metrics["protocol"]["corrections"]
    assert corrections["posts"] == len(choices) >= 15
    assert corrections["training"] + corrections["validation"] == len(choices)
    tags = [
        project.frame(name).set_index("guid")["tag"].to_dict()
        for name in ("02_intermediate/labelled/posts.csv", "05_model_input/train_posts.csv")
    ]
    changed = {guid: tag for guid, tag in choices if guid in tags[1]}
    assert {guid: tags[1][guid] for guid in changed} == changed
    assert all(tags[0][guid] != tag for guid, tag in choices)
    if corrections["validation"]:
        answers = project.frame("07_model_output/validation_predictions.csv")
        true = answers["guid"].map(dict(choices)).fillna(answers["tag"])
        right = (true == answers["predicted"]).mean()
        assert metrics["corrected"]["accuracy"] == pytest.approx(right)
