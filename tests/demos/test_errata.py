"""Every case of the three tutorials: as printed, or a misprint whose true value was also recomputed independently."""

import subprocess
import sys
from pathlib import Path

import pytest

from demos.tutorials import errata as demo
from demos.tutorials.cases.case import agree, all_agree, flat

# The engine's numbers, recomputed by others: closed form, complex step, finite differences, mpmath at 50 digits.
FACTS = {
    "first/3-3-3-1": [0.27548663706913],
    "first/(COST)": [0.02875],
    "first/exchanged-weights": [0.13158316706181972, 0.12845660448960194],
    "first/script-cost": [0.1285136822347869],
    "second/identity-formulas": [-6.0, -3.0],
    "second/sigmoid-formulas": [-0.053881642677719895, -0.10776328535543979],
    "second/several-points-sign": [-0.4],
    "third/(14)-limits": [-0.022190331047294513],
    "third/(15)-recursion": [-0.022190331047294513, -0.03905369352847953, -0.06650829372248661],
    "third/(12)": [
        *(-0.06416790496445328, -0.009313437047635445, -0.09625185744667991, -0.01397015557145317),
        *(-0.04875590469140001, 0.06854666127857631, -0.11016083053241219, 0.1548767720436504),
        *(-0.03208395248222664, -0.0046567185238177225, -0.11794382684127151, 0.16581900386341794),
    ],
    "third/cost-without-sum": [0.19374977898811995],
    "third/forward-h1": [0.41338242108266994221],
    "third/forward-h2": [0.93401099050878122139],
    "third/forward-a1": [0.71225743229574180707],
    "third/forward-a2": [0.53309757387150141764],
    "third/forward-cost": [0.19374977898811995395],
    "third/dC-da1": [-0.57548513540851638586],
    "third/σ'(z_a1)": [0.20494678243521858291],
    "third/dC-dω5": [-0.048755904691400010439],
    "third/ω5+": [0.70487559046914000104],
    "third/ω6+": [-0.30685466612785763039],
    "third/ω7+": [0.51101608305324121837],
    "third/ω8+": [-0.1154876772043650399],
    "third/b3+": [0.16179438268412715138],
    "third/b4+": [0.3334180996136582072],
    "third/dC-dz": [-0.11794382684127151, 0.16581900386341794],
    "third/dC-dω1": [-0.064167904964453272244],
    "third/ω1+": [0.30641679049644532722],
    "third/not-printed": [
        *(0.3064167904964453, 0.20093134370476354, -0.390374814255332, 0.6013970155571453),
        *(0.7048755904691401, -0.3068546661278576, 0.5110160830532412, -0.11548767720436504),
        *(0.25320839524822264, 0.4504656718523818, 0.16179438268412716, 0.3334180996136582),
    ],
}

# What the printed formula or program gives where it is wrong, recomputed by others.
AS_PRINTED = {
    "first/cost-is-a-sum": [0.115],
    "second/loss-name": [9.0],
    "second/descent-comment": [7.2],
    "second/several-points-sign": [0.4],
    "second/layer-bias": ["0.0652"],
    "third/(14)-limits": [-0.025030917410891834],
    "third/cost-without-sum": [0.0827957852690396],
    "third/dC-dω1-costs": [-0.08008299815038088],
    "third/dC-dω1-formula": [-0.022880856614394533],
}

MADE_WRONG = {  # the mistake made again, at 20 digits
    "third/σ'(z_a1)": 0.22079326594431543567,
    "third/ω5+": 0.70525257108356247022,
    "third/ω6+": -0.30641794826962091517,
    "third/ω7+": 0.51186784650306852521,
    "third/b3+": 0.1627063242549252938,
    "third/b4+": 0.33447454961240979553,
    "third/ω1+": 0.30649459989378657337,
}


@pytest.fixture(scope="module")
def findings():
    return {case.name: demo.find(case) for case in demo.CASES}


@pytest.mark.parametrize("case", demo.CASES, ids=[case.name for case in demo.CASES])
def test_each_case(case, findings):
    finding = findings[case.name]
    assert finding.misprint == bool(case.kind), finding.difference()
    assert bool(case.wrong) == bool(case.kind)
    if finding.mistake is not None:
        assert all_agree(finding.mistake, finding.printed)
    if case.name in FACTS:
        assert list(finding.ours) == pytest.approx(FACTS[case.name], rel=1e-13)
    if case.name in AS_PRINTED:
        assert all_agree(finding.printed, AS_PRINTED[case.name])
    if case.name in MADE_WRONG:
        assert list(finding.mistake) == pytest.approx([MADE_WRONG[case.name]], rel=1e-14)


def test_all_of_them(findings):
    assert len(findings) == len(demo.CASES) == 105
    assert demo.summary(list(findings.values())) == (
        "105 cases: 64 as printed, 41 misprints (28 hard, 7 wording, 6 notation)"
    )
    assert (FACTS | AS_PRINTED | MADE_WRONG).keys() <= findings.keys()


def test_wrong_numbers_are_explained_by_a_mistake_that_gives_them(findings):
    digits = [
        f for f in findings.values() if f.case.kind == "hard" and f.printed and any(_is_digits(p) for p in f.printed)
    ]
    explained = [f.case.name for f in digits if f.mistake is not None]
    counted = {"first/index-of-W", "first/(3.6)", "first/shapes-b", "first/layer-range", "first/script-epochs"}
    assert {f.case.name for f in digits} - set(explained) <= counted | {"second/layer-bias"}
    assert len(explained) == 14


def _is_digits(entry):
    return isinstance(entry, str) and entry.lstrip("-").replace(".", "", 1).isdigit()


def test_one_changed_digit_is_found(findings):
    """Of every number that is printed as it should be, with up to 15 decimals."""
    tried = 0
    for finding in findings.values():
        if finding.misprint or not finding.printed:
            continue
        for place, entry in enumerate(finding.printed):
            decimals = len(entry.partition(".")[2]) if _is_digits(entry) else 99
            if decimals > 15:
                continue
            changed = list(finding.printed)
            changed[place] = f"{float(entry) + 2 * 10.0**-decimals:.{decimals}f}"
            assert finding._replace(printed=changed).misprint, (finding.case.name, place)
            tried += 1
    assert tried > 400


def test_what_agrees():
    assert agree(0.12346, "0.1235")
    assert not agree(0.12344, "0.1235")
    assert agree(1.0, 1.0 + 1e-13)
    assert not agree(1.0, 1.0 + 1e-11)
    assert agree("-0.0000", "-0.0000")
    assert not agree("-0.0000", "0.0000")
    assert not agree("0.1", 0.1)
    assert not all_agree([1.0], [1.0, 1.0])
    assert flat([["a", "b"], ["c"]]) == ["a", "b", "c"]


def test_a_case_that_is_not_what_is_known_of_it_is_told(findings, monkeypatch, tmp_path, capsys):
    right = findings["third/forward-h1"].case
    monkeypatch.setattr(demo, "CASES", (right._replace(printed=lambda: ["0.41338242108367"]),))
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "MISPRINT" in capsys.readouterr().out


@pytest.mark.slow
def test_it_runs_from_any_folder(tmp_path):
    script = Path(demo.__file__)
    done = subprocess.run(
        [sys.executable, str(script), "--only", "third/", "--misprints"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "38 cases: 21 as printed, 17 misprints (14 hard, 3 notation)" in done.stdout
    assert "third/ω5+: MISPRINT (hard)" in done.stdout
    assert "0.704875590469" in done.stdout
    assert "-0.115487677204" in done.stdout
    assert "made again: as printed, to the last digit" in done.stdout
    assert "NOT as printed" not in done.stdout
    assert ": the same" not in done.stdout
    folder = tmp_path / "out" / "errata"
    assert (folder / "errata.md").read_text(encoding="utf-8").count("\n") == 40
    assert (folder / "misprints.png").stat().st_size > 10_000


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        demo.main(["--only", "fourth/"])
    assert stopped.value.code == 2
    assert "no case has this text in its name" in capsys.readouterr().err
