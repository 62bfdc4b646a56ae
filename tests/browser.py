"""Headless Chromium for tests of pages; `make test-ui` installs what they need."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_SECONDS = 30  # that a page may take, which a script without an end would use up
UI = Path(__file__).parents[1] / "ui"


@contextmanager
def open_browser() -> Iterator[Any]:
    """A browser; skips the test, with the reason, where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    driver = shutil.which("chromedriver")
    if driver is None:
        pytest.skip("chromium-driver is not installed: make test-ui")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.set_page_load_timeout(_SECONDS)
    try:
        yield chrome
    finally:
        chrome.quit()


@contextmanager
def on_screen(browser: Any, width: int, height: int) -> Iterator[None]:
    """A screen of this many pixels inside the block."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextmanager
def in_theme(browser: Any, theme: str) -> Iterator[None]:
    """The theme `light` or `dark` inside the block."""
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    yield
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def serious_violations(browser: Any) -> list[tuple[str, str]]:
    """What axe-core finds serious in the page that is open: its rule, and the first element."""
    axe = UI / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not installed: make test-ui")
    browser.execute_script(axe.read_text(encoding="utf-8"))
    violations = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(result => done(result.violations));"
    )
    serious = [each for each in violations if each["impact"] in ("serious", "critical")]
    return [(each["id"], each["nodes"][0]["html"]) for each in serious]
