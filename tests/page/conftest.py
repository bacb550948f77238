"""One Chromium for all tests of the page."""

import contextlib

import pytest
from pages import CHROMIUM


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with (
        sync_playwright() as p,
        contextlib.closing(p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def blank(browser):
    """An empty page, in which functions are evaluated: nothing of it is kept from one test to the next."""
    with contextlib.closing(browser.new_page()) as view:
        yield view


@pytest.fixture
def visit(browser, tmp_path):
    """Opens HTML text; at the end nothing was complained about and nothing else was asked for."""
    faults, asked, contexts = [], [], []

    def opened(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        contexts.append(browser.new_context(**options))
        view = contexts[-1].new_page()
        view.on("console", lambda message: faults.append(message.text))
        view.on("pageerror", lambda error: faults.append(str(error)))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(path.as_uri())
        return view

    opened.faults = faults
    yield opened
    for context in contexts:
        context.close()
    assert faults == []
    assert len(asked) == len(contexts)
