"""The page, in a browser where there is one."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from multimodal_sentiment import load_classifier
from multimodal_sentiment.explaining.page_part import place

from ..browser import open_browser
from .conftest import photo, running

# What a file that is dropped does, as a page sees it.
DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], "a.jpg", { type: "image/jpeg" }));
document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""
# What is dropped or pasted into the field, as office programs and other pages give it; whether the
# page leaves it to the browser.
GIVE = """
const [kind, words, picture] = arguments;
const transfer = new DataTransfer();
for (const [type, word] of Object.entries(words)) transfer.setData(type, word);
if (picture) transfer.items.add(new File(["?"], "a.png", { type: "image/png" }));
const given = { dataTransfer: transfer, clipboardData: transfer, bubbles: true, cancelable: true };
const event = kind === "paste" ? new ClipboardEvent(kind, given) : new DragEvent(kind, given);
return document.getElementById("text").dispatchEvent(event);
"""
CELLS = {"text/plain": "a day", "text/html": "<td>a day</td>"}
SIZES = [(1600, 1000), (390, 844)]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_browser(tmp_path_factory.mktemp("chromium"), performance="ALL") as chrome:
        yield chrome


@pytest.mark.parametrize("size", SIZES)
def test_a_photo_is_dropped_and_the_answer_read_and_explained(browser, client, model, size):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def find(name: str):
        return browser.find_element(By.ID, name)

    def wait_for(name: str) -> None:
        WebDriverWait(browser, 30).until(lambda _: find(name).is_displayed())

    (expected,) = (
        load_classifier(model, "cpu", "fp32").predict(["a day"], [photo(3)]).to_dict("records")
    )
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(client.url)

    browser.execute_script(DROP, base64.b64encode(photo(3)).decode())
    assert find("shown").is_displayed()
    find("text").send_keys("a day")
    find("ask").click()
    wait_for("said")

    assert find("predicted").text.lower() == expected["predicted"]
    assert find("sure").text == f"{100 * expected['confidence']:.0f}% sure"
    assert find("person").is_displayed() == (expected["confidence"] < 0.6)
    added = [row.text.split("\n") for row in find("added").find_elements(By.TAG_NAME, "li")]
    assert [name for name, _ in added] == ["Text", "Photo"]

    find("why").click()
    wait_for("because")
    assert find("words").text == "a day"
    find("numbers").find_element(By.TAG_NAME, "summary").click()
    (explanation,) = load_classifier(model, "cpu", "fp32").explain_many(["a day"], [photo(3)])
    listed = [row.text for row in find("numbers").find_elements(By.TAG_NAME, "li")]
    strongest = max(explanation.words, key=lambda word: abs(word.weight))
    said = explanation.text[strongest.start : strongest.end]
    assert listed[0].startswith(f"{said}: ") and len(listed) == 2 + 8
    most = max(explanation.regions, key=lambda region: abs(region.weight))
    assert listed[2].startswith(f"region of the photo, {place(most, explanation)}: ")
    find("text").send_keys("!")  # what is explained is no longer what stands there
    assert not find("because").is_displayed()
    assert not find("regions").find_elements(By.TAG_NAME, "div")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    messages = [json.loads(each["message"])["message"] for each in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
        and message["params"]["documentURL"].startswith(client.url)
    ]
    assert f"{client.url}/predict?explain=true" in asked
    assert all(url.startswith((client.url, "data:", "blob:")) for url in asked)


@pytest.mark.parametrize(
    ("sure", "said"),
    [
        (1, ["100%", "0%"]),
        (0.9997, [">99.9%", "<0.1%"]),
        (0.9967, ["99.7%", "0.3%"]),
        (0.994, ["99%", "0.6%"]),
        (0.7, ["70%", "30%"]),
    ],
)
def test_what_is_nearly_certain_is_not_said_to_be_certain(browser, client, sure, said):
    from selenium.webdriver.common.by import By

    browser.get(client.url)
    answer = {"predicted": "negative", "confidence": sure, "problems": ""}
    answer |= {"p_negative": sure, "p_positive": 1 - sure}
    browser.execute_script("showAnswer(arguments[0])", answer)

    assert browser.find_element(By.ID, "sure").text == f"{said[0]} sure"
    rows = browser.find_element(By.ID, "labels").find_elements(By.TAG_NAME, "li")
    assert [row.text.split("\n")[1] for row in rows] == said


def test_it_works_by_keyboard_alone(browser, client):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(client.url)
    reached = []
    for _ in range(4):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element.get_attribute("id"))
    assert reached == ["file", "text", "ask", "clear"]

    browser.find_element(By.ID, "text").send_keys("a day", Keys.CONTROL, Keys.ENTER)
    said = browser.find_element(By.ID, "said")
    WebDriverWait(browser, 30).until(lambda _: said.is_displayed())
    ActionChains(browser).send_keys(Keys.TAB, Keys.TAB, Keys.TAB, Keys.ENTER).perform()
    because = browser.find_element(By.ID, "because")
    WebDriverWait(browser, 30).until(lambda _: because.is_displayed())


def test_what_comes_late_is_not_shown_beside_another_post(browser, client):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def find(name: str):
        return browser.find_element(By.ID, name)

    browser.get(client.url)
    find("text").send_keys("a day")
    find("ask").click()
    WebDriverWait(browser, 30).until(lambda _: find("said").is_displayed())
    # Both in one step of the page, which no answer comes between.
    browser.execute_script(
        'document.getElementById("why").click();'
        'const text = document.getElementById("text");'
        'text.value = "another day"; text.dispatchEvent(new Event("input"));'
    )
    idle = 'return document.getElementById("answer").getAttribute("aria-busy") === "false"'
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script(idle))
    time.sleep(3)  # an explanation takes one or two
    assert not find("because").is_displayed()
    assert not find("why").is_displayed()
    assert find("fault").text == "The post has changed: ask again."


def test_an_answer_is_dimmed_and_said_to_be_for_the_post_before_once_that_changes(browser, client):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    def find(name: str):
        return browser.find_element(By.ID, name)

    def is_dimmed() -> bool:
        return float(find("labels").value_of_css_property("opacity")) < 1

    def ask() -> None:
        find("ask").click()
        WebDriverWait(browser, 30).until(lambda _: find("why").is_displayed() and not is_dimmed())

    browser.get(client.url)
    find("text").send_keys("a day")
    ask()
    assert not find("former").is_displayed()

    find("text").send_keys("!")
    assert is_dimmed()
    assert find("former").text == "This is the answer for the post before it was changed."
    ask()
    assert not find("former").is_displayed()

    browser.execute_script(DROP, base64.b64encode(photo(3)).decode())
    assert is_dimmed() and find("former").is_displayed()


def test_nothing_is_asked_where_there_is_nothing(browser, client):
    from selenium.webdriver.common.by import By

    browser.get(client.url)
    browser.find_element(By.ID, "ask").click()
    fault = browser.find_element(By.ID, "fault")
    assert fault.text == "Write a text or choose a photo first."


@pytest.mark.parametrize(
    ("kind", "words", "picture", "is_words"),
    [
        ("drop", {"text/plain": "a day"}, False, True),
        ("drop", {}, True, False),
        ("paste", CELLS, True, True),  # of a sheet or a document
        ("paste", {"text/html": "<img>"}, True, False),  # an image of a page
        ("paste", {"text/plain": "a.png"}, True, False),  # a file, and its name
    ],
)
def test_words_go_into_the_text_and_files_become_the_photo(
    browser, client, kind, words, picture, is_words
):
    from selenium.webdriver.common.by import By

    browser.get(client.url)
    assert browser.execute_script(GIVE, kind, words, picture) == is_words
    assert browser.find_element(By.ID, "shown").is_displayed() != is_words
    assert not browser.find_element(By.ID, "fault").is_displayed()


def test_a_token_that_no_header_can_hold_is_asked_for_again(browser, model):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    known = "a-token-of-this-test-alone"
    with running(model, known) as client:
        browser.get(client.url)
        browser.find_element(By.ID, "text").send_keys("a day", Keys.CONTROL, Keys.ENTER)
        field = browser.find_element(By.ID, "token")
        WebDriverWait(browser, 30).until(lambda _: field.is_displayed())
        field.send_keys(f"{known}\u200b.", Keys.ENTER)
        assert "copy it anew" in browser.find_element(By.ID, "fault").text
        assert field.is_displayed()
        field.send_keys(known, Keys.ENTER)
        said = browser.find_element(By.ID, "said")
        WebDriverWait(browser, 30).until(lambda _: said.is_displayed())


@pytest.mark.parametrize(
    ("kind", "size", "is_replaced"),
    [("PNG", (300, 200), False), ("PNG", (500, 100), True), ("TIFF", (300, 200), True)],
)
def test_regions_lie_on_the_photo_as_the_model_sees_it(browser, client, kind, size, is_replaced):
    """The model sees long photos cut to 3 to 1, and a browser shows no TIFF."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(client.url)
    browser.execute_script(DROP, base64.b64encode(photo(3, kind, size)).decode())
    browser.find_element(By.ID, "ask").click()
    why = browser.find_element(By.ID, "why")
    WebDriverWait(browser, 30).until(lambda _: why.is_displayed())
    why.click()
    because = browser.find_element(By.ID, "because")
    WebDriverWait(browser, 30).until(lambda _: because.is_displayed())
    time.sleep(0.5)  # the copy of the photo is decoded
    source = browser.find_element(By.ID, "photo").get_attribute("src")
    assert source.startswith("data:" if is_replaced else "blob:")
