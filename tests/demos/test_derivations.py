"""The derivations demo: every line of the tutorials is confirmed, but for the misprints, and those are found."""

import pytest

from demos.shared.tutorial_networks import TWO_OUTPUTS
from demos.tutorials import derivations as demo

LINES = [(d, line) for d in demo.DERIVATIONS for line in d.lines]


@pytest.mark.parametrize(("derivation", "line"), LINES, ids=[f"{d.title}-{line.wrt}" for d, line in LINES])
def test_each_line_is_confirmed_or_a_known_misprint(derivation, line):
    said = "\n".join(demo.report(derivation._replace(lines=(line,))))
    assert ("MISPRINT" in said) == bool(line.misprint)
    assert ("the same" in said) == (not line.misprint)


def test_the_corrected_values_of_the_third_tutorial():
    c = TWO_OUTPUTS.first_loss()
    values = {node.name: node for node in demo.mb.topological_order(c)}
    assert demo.mb.explain(c, values["ω5"]).value == pytest.approx(-0.048755904691400010439, rel=1e-14)
    assert demo.mb.explain(c, values["ω1"]).value == pytest.approx(-0.064167904964453272244, rel=1e-14)
    assert demo.ds(values["z_a1"].data) == pytest.approx(0.20494678243521858291, rel=1e-14)


def test_it_runs(capsys, tmp_path):
    demo.main(["--out", str(tmp_path / "new")])
    printed = capsys.readouterr().out
    assert printed.count("MISPRINT") == 4
    assert printed.count("the same") == len(LINES) - 4
    assert all(tag in printed for tag in ("(3.2)", "(3.3)", "(3.5)", "(3.6)"))
    assert (tmp_path / "new" / "derivations.tex").read_text().count("\\section*") == len(demo.DERIVATIONS)
