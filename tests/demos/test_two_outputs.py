"""The third tutorial's example, against mpmath at 50 digits: what is printed, what is right, and how the two differ."""

import mpmath
import pytest

from demos.shared.tutorial_networks import TWO_OUTPUTS
from demos.tutorials.third import two_outputs as demo

W = dict(zip([f"ω{i}" for i in range(1, 9)], ["0.3", "0.2", "-0.4", "0.6", "0.7", "-0.3", "0.5", "-0.1"], strict=True))
B = {"b1": "0.25", "b2": "0.45", "b3": "0.15", "b4": "0.35"}


@pytest.fixture(scope="module")
def exact():
    """The cost as a function of the twelve parameters, and its gradient by numeric differentiation at 50 digits."""
    with mpmath.workdps(50):
        names = [*W, *B]
        start = [mpmath.mpf(text) for text in (W | B).values()]

        def s(z):
            return 1 / (1 + mpmath.exp(-z))

        def cost(*p):
            v = dict(zip(names, p, strict=True))
            h1, h2 = s(2 * v["ω1"] + 3 * v["ω3"] + v["b1"]), s(2 * v["ω2"] + 3 * v["ω4"] + v["b2"])
            a1, a2 = s(v["ω5"] * h1 + v["ω7"] * h2 + v["b3"]), s(v["ω6"] * h1 + v["ω8"] * h2 + v["b4"])
            return (a1 - 1) ** 2 + (a2 - mpmath.mpf("0.2")) ** 2

        gradient = {}
        for i, name in enumerate(names):
            orders = tuple(int(j == i) for j in range(len(names)))
            gradient[name] = mpmath.diff(cost, tuple(start), orders)
        return {"C": cost(*start), "gradient": gradient}


def test_the_engine_is_right(exact):
    done = demo.step()
    assert done.values["C"] == pytest.approx(float(exact["C"]), rel=2e-15)
    for name, slope in exact["gradient"].items():
        assert done.gradient[name] == pytest.approx(float(slope), rel=1e-14), name
        after = mpmath.mpf((W | B)[name]) - slope / 10
        assert done.updated[name] == pytest.approx(float(after), rel=1e-15), name
    assert f"{done.updated['ω5']:.14f}" == "0.70487559046914"
    assert f"{done.updated['ω8']:.15f}" == "-0.115487677204365"


def test_the_forward_pass_is_as_printed():
    done = demo.step()
    for name, text in {**demo.FORWARD, "C": demo.COST}.items():
        assert demo.as_printed(done.values[name], text), name


def test_the_printed_cost_is_made_from_rounded_outputs():
    a1, a2 = (float(demo.FORWARD[name]) for name in ("a1", "a2"))
    assert repr((a1 - 1) ** 2 + (a2 - 0.2) ** 2) == demo.COST


def test_the_updates_are_misprints_and_the_mistake_gives_them():
    done, wrong = demo.step(), demo.mistaken()
    for name, text in demo.UPDATED.items():
        assert not demo.as_printed(done.updated[name], text), name
        emulated = TWO_OUTPUTS.parameters[name] - demo.RATE * wrong[name]
        assert demo.as_printed(emulated, text) == (name != "ω8"), name
    assert demo.UPDATED["ω8"] == "-" + demo.UPDATED["ω7"]
    assert demo.right() == pytest.approx(done.gradient, rel=1e-13)


def test_one_digit_is_enough_to_be_a_misprint():
    assert demo.as_printed(0.12345, "0.123")
    assert not demo.as_printed(0.1236, "0.123")
    assert demo.as_printed(0.1 + 0.2, "0.30000000000000000")
    assert not demo.as_printed(0.3 + 2e-15, "0.30000000000000000")


def test_a_step_lowers_the_cost_and_moves_the_outputs():
    before = demo.step()
    after = demo.step(before.updated).values
    assert after["C"] == pytest.approx(0.18393989144952877, rel=1e-14)
    assert after["a1"] == pytest.approx(0.7187729999291984, rel=1e-14)
    assert after["a2"] == pytest.approx(0.5238074518609881, rel=1e-14)
    assert before.values["a1"] < after["a1"] < 1.0
    assert before.values["a2"] > after["a2"] > 0.2


def test_it_runs(tmp_path, capsys):
    demo.main(["--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert told.count("MISPRINT") == 7
    assert told.count(", as printed") == 6
    assert told.count("the same") == 5
    assert (tmp_path / "training.png").stat().st_size > 20_000
    assert "<svg" in (tmp_path / "step.svg").read_text(encoding="utf-8")
