"""The HTML report in a browser; `make test-ui` installs what these tests need."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local_shim.cli.app import main
from local_shim.events.journal_file import read_journal
from local_shim.report.document import Document, document
from local_shim.report.html import html
from local_shim.report.report_file import stored_document
from local_shim.storage import Storage
from tests.browser import UI, in_theme, on_screen, serious_violations
from tests.local_shim.report.shop_update import SCRIPT, write_table, write_update, write_wide_update

ROOT = Path(__file__).parents[3]
BUNDLES = {"local_shim/report/static": 150_000, "demo/pictures/static": 350_000}  # most bytes
PLACES = ("graph", "table", "rules", "time", "history")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("shop")
    write_update(folder, "a0", 3)
    write_update(folder, "a1", 5)
    write_update(folder, "b2", 10, fails=True)
    write_table(folder, "silver_orders", [SCRIPT])
    report = ["report", "--storage", str(folder), "--update", "b2", "--rows", "5"]
    main([*report, "--out", str(folder / "r.html")])
    return (folder / "r.html").as_uri()


@pytest.fixture(scope="module")
def wide_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("wide")
    write_wide_update(folder, 16)
    main(["report", "--storage", str(folder), "--out", str(folder / "r.html")])
    return (folder / "r.html").as_uri()


@pytest.fixture
def wide_document(tmp_path: Path) -> Document:
    write_wide_update(tmp_path, 1)
    return stored_document(Storage(tmp_path, "wide"))


def as_page(doc: Document) -> str:
    text = base64.b64encode(html(doc).encode()).decode()
    return f"data:text/html;base64,{text}"


def show(browser: Any, page: str, **choice: str) -> str:
    """Opens the page with a choice in its address; gives its text."""
    browser.get("about:blank")
    browser.get(page + "#" + "&".join(f"{key}={value}" for key, value in choice.items()))
    return str(browser.find_element("tag name", "body").text)


def labels(browser: Any) -> list[str]:
    return [
        each.get_attribute("data-name") for each in browser.find_elements("css selector", "g.node")
    ]


def test_a_failure_is_shown_with_cause_place_and_skipped_flows(browser: Any, page: str) -> None:
    text = show(browser, page)
    assert "'12x' is no INT" in text
    assert "shop.py:7" in text
    assert "Skipped because of it: gold_day, gold_customer" in text


def test_markup_in_a_cell_is_shown_and_not_run(browser: Any, page: str) -> None:
    show(browser, page, dataset="silver_orders")
    assert browser.find_element("css selector", "aside .rows td").text == SCRIPT
    assert browser.title == "shop: FAILED"
    assert browser.get_log("browser") == []
    requests = "return performance.getEntriesByType('resource').map(each => each.name)"
    assert browser.execute_script(requests) == []


def test_the_heading_says_what_ran_what_changed_and_what_broke(browser: Any, page: str) -> None:
    show(browser, page)
    counts = browser.find_element("css selector", ".counts").text
    assert counts.splitlines() == [
        "✓ 1 flow completed",
        "✗ 1 flow failed",
        "⊘ 2 flows skipped",
        "+10 rows in 1 streaming table",
        "⚑ 1 of 1 rule broken",
    ]
    (broken,) = browser.find_elements("css selector", ".broken-rules p")
    assert broken.text == "⚑ known is broken in bronze_orders by 1 of 10 rows (1 in update a1)"


def test_skipped_flows_are_joined_to_the_failed_one(browser: Any, page: str) -> None:
    show(browser, page, place="graph")
    assert len(browser.find_elements("css selector", ".edge")) == 5
    assert len(browser.find_elements("css selector", ".edge.failed")) == 2


def test_rules_say_what_they_do_and_where_code_is(browser: Any, page: str) -> None:
    show(browser, page, place="rules", dataset="bronze_orders")
    row = browser.find_element("css selector", "tbody tr").text
    assert row == "⚑ known 1 9 bronze_orders warn 1 1"
    assert browser.find_element("css selector", "aside .place a").text == "shop.py:7"
    assert "⚑ 1 of 10 rows failed" in browser.find_element("tag name", "aside").text


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("silver", {"silver_orders"}),
        ("%2Bsilver", {"silver_orders", "bronze_orders", "raw.orders", "/landing/orders"}),
        ("silver%2B", {"silver_orders", "gold_day", "gold_customer"}),
    ],
)
def test_search_with_ancestors_and_descendants(
    browser: Any, page: str, search: str, names: set[str]
) -> None:
    show(browser, page, place="graph", search=search)
    assert set(labels(browser)) == names


def test_a_graph_of_64_datasets_fits_a_laptop_screen(browser: Any, wide_page: str) -> None:
    """Its groups are the folders of its files; an edge that a path implies waits for a click."""
    with on_screen(browser, 1280, 800):
        show(browser, wide_page, place="graph")
        box = browser.execute_script(
            "return document.querySelector('svg').getBoundingClientRect().toJSON()"
        )
        headings = [each.text for each in browser.find_elements("css selector", "svg .heading")]
    assert len(labels(browser)) == 64
    assert (box["right"] <= 1280, box["bottom"] <= 800) == (True, True)
    assert headings == ["a", "b", "c", "d"]
    assert browser.find_elements("css selector", ".implied") == []
    show(browser, wide_page, place="graph", dataset="c_3")
    assert len(browser.find_elements("css selector", ".implied")) == 1


@pytest.mark.parametrize(
    ("datasets", "headings"),
    [
        ({"main.raw.a": "x/one.py", "main.mart.b": "y/two.py"}, ["raw", "mart"]),
        ({"main.mart.a": "x/one.py", "main.mart.b": "y/two.py"}, ["x", "y"]),
        ({"bronze_a": "x/one.py", "gold_b": "x/two.py"}, ["bronze", "gold"]),
        ({"a": "x/one.py", "b": "x/two.py"}, []),  # one group needs no heading
    ],
)
def test_groups_are_schemas_or_folders_or_prefixes(
    browser: Any, wide_document: Document, datasets: dict[str, str], headings: list[str]
) -> None:
    definitions = [
        {**wide_document["datasets"][0], "name": name, "source": {"file": file, "line": 1}}
        for name, file in datasets.items()
    ]
    show(browser, as_page({**wide_document, "datasets": definitions, "flows": []}))
    assert sorted(each.text for each in browser.find_elements("css selector", ".heading")) == (
        sorted(headings)
    )


def test_every_beginning_of_a_journal_has_a_page(browser: Any, tmp_path: Path) -> None:
    """From no event at all to a flow in work."""
    write_update(tmp_path, "b2", 10, fails=True)
    records = read_journal(tmp_path / "system/journal/shop/b2.jsonl")
    texts = [show(browser, as_page(document(records[:length]))) for length in (0, 1, 2, 11, 13)]
    assert ["The update has not planned its datasets" in text for text in texts[:3]] == [
        True,
        True,
        False,
    ]
    assert "⟳ running" in texts[3]
    assert "⟳ 1 flow running" in texts[4]


def test_what_an_update_left_as_it_was_is_up_to_date(browser: Any, tmp_path: Path) -> None:
    write_update(tmp_path, "a1", 5)
    doc = stored_document(Storage(tmp_path, "shop"))
    doc["flows"][2] |= {"technique": "MAINTENANCE_TYPE_NO_OP", "rows": 0}
    show(browser, as_page(doc), place="graph")
    facts = [each.text for each in browser.find_elements("css selector", ".facts")]
    assert facts[2:] == ["✓ +5", "✓ +5", "✓ up to date", "✓ 5 rows"]
    assert "1 table computed\n1 table up to date" in (
        browser.find_element("css selector", ".counts").text
    )


def test_a_stream_that_reads_less_than_at_first_has_not_changed(
    browser: Any, tmp_path: Path
) -> None:
    write_update(tmp_path, "a1", 10)
    write_update(tmp_path, "b2", 5)
    show(browser, as_page(stored_document(Storage(tmp_path, "shop"))), place="table")
    before = [each.text for each in browser.find_elements("css selector", "td:nth-child(4)")]
    assert before == ["10", "10", "10 ▼", "10 ▼", "", ""]


def test_the_table_has_the_datasets_of_the_graph(browser: Any, page: str) -> None:
    show(browser, page, place="table")
    rows = browser.find_elements("css selector", "tbody th")
    in_table = {row.text for row in rows}
    show(browser, page, place="graph")
    assert in_table == {name.split(".")[-1].strip("/") for name in labels(browser)}


def test_the_history_chooses_the_update_that_rows_are_compared_with(
    browser: Any, page: str
) -> None:
    cell = "tbody tr:nth-child(1) td:nth-child(4)"  # rows of bronze_orders in the other update
    show(browser, page, place="table")
    assert browser.find_element("css selector", cell).text == "5 ▲"
    show(browser, page, place="history")
    browser.find_element("css selector", "input[aria-label='Compare with update a0']").click()
    browser.find_element("xpath", "//button[text()='Table']").click()
    assert browser.find_element("css selector", cell).text == "3 ▲"


def test_the_keyboard_opens_a_dataset(browser: Any, page: str) -> None:
    show(browser, page, place="graph")
    node = browser.find_element("css selector", "g.node[tabindex='0']")
    node.send_keys("\ue007")  # Enter
    assert browser.find_element("tag name", "aside").text
    node.send_keys("\ue00c")  # Escape
    assert browser.find_elements("tag name", "aside") == []


def test_arrows_go_along_the_graph_and_letters_change_the_place(browser: Any, page: str) -> None:
    show(browser, page, place="graph", dataset="bronze_orders")
    node = browser.find_element("css selector", "g.node[tabindex='0']")
    node.send_keys("\ue014")  # arrow right
    assert browser.switch_to.active_element.get_attribute("data-name") == "silver_orders"
    body = browser.find_element("tag name", "body")
    body.send_keys("t")
    assert browser.find_element("css selector", "[aria-label='Datasets'] table").is_displayed()
    body.send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "search"
    browser.switch_to.active_element.send_keys("t")  # no key acts while a field has the focus
    assert browser.find_elements("css selector", "[aria-label='Datasets'] table")


@pytest.mark.parametrize("width", [360, 640])  # 640 is 1280 at 200 % zoom
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_wider_than_a_narrow_page(
    browser: Any, page: str, place: str, width: int
) -> None:
    with on_screen(browser, width, 720):
        show(browser, page, place=place, dataset="silver_orders")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_serious(browser: Any, page: str, place: str, theme: str) -> None:
    with in_theme(browser, theme):
        show(browser, page, place=place, dataset="silver_orders")
        assert serious_violations(browser) == []


def test_the_bundle_is_what_its_sources_give(tmp_path: Path) -> None:
    if shutil.which("node") is None or not (UI / "node_modules").is_dir():
        pytest.skip("Node or its packages are not installed: make test-ui")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=UI, check=True)
    for folder in BUNDLES:
        assert {file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()} == {
            file.name: file.read_bytes() for file in (ROOT / folder).iterdir()
        }


@pytest.mark.parametrize("folder", BUNDLES)
def test_a_bundle_is_small(folder: str) -> None:
    assert sum(file.stat().st_size for file in (ROOT / folder).iterdir()) < BUNDLES[folder]
