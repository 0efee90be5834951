"""A browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "headless no-sandbox disable-gpu no-first-run disable-background-networking "
    "disable-component-update disable-sync disable-dev-shm-usage"
)


@contextmanager
def open_browser(profile: Path, *flags: str, **logs: str) -> Iterator[Any]:
    """Open Chromium, or skip the test where it is not there.

    Args:
        profile: An empty folder for what it keeps.
        flags: Given beside those that every test needs.
        logs: Kept beside the console's, by kind (`performance="ALL"`).
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the extra test: selenium")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no Chromium with its chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS.split(), *flags, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", **logs})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()
