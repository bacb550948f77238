"""The page as a file: no browser is needed."""

import pytest
from pages import neuron

import micrograd_bp as mb
from micrograd_bp import OPS, Value, nn
from micrograd_bp.page import page as page_of
from micrograd_bp.page.javascript import not_in_javascript


def test_all_rows_have_a_form_in_javascript():
    assert not_in_javascript(OPS.values()) == []


def test_it_is_saved_and_has_limits(tmp_path):
    saved = neuron().graph(title="a neuron").save(tmp_path / "deep" / "loss.html")
    html = saved.read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "<title>a neuron</title>" in html
    assert neuron().graph(title="a neuron").save(tmp_path / "again.html").read_text() == html
    assert len(html) < 60_000
    long = Value(1.0)
    for _ in range(600):
        long = long + 1
    with pytest.raises(ValueError, match="601 values, but a page shows at most 500"):
        page_of(long)
    with pytest.raises(ValueError, match="a page shows the graph of a value"):
        mb.draw(nn.MLP(2, [1])).save(tmp_path / "model.html")
