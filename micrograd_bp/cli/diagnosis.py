"""`diagnosis` finds the mistake in a derivative: the sign, a constant, a factor, a path or the wrong variable."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from micrograd_bp.cli.compare import Comparison, Factor, bracketed, constant, product, ratio, same
from micrograd_bp.symbolic.templates import number

_MOST_MISSING, _MOST_LINKS = 3, 30  # limit the number of combinations


def diagnosis(c: Comparison) -> list[str]:
    """Return lines of text about a wrong derivative: the mistake, then the factors of the chain rule."""
    links = c.links()
    missing = _missing_link(c, links)
    certain = (
        _zero(c)
        or _other_name(c)
        or _missing_paths(c)
        or _constant_factor(c, links)
        or missing
        or _extra_link(c, links)
    )
    found = {link.label for link in links if constant(link.numbers)}
    matched, left = _matched(c.typed_factors(), [link for link in links if not constant(link.numbers)])
    found |= set(matched)
    sentences = certain or _replaced(links, found, left)
    if len(links) > 1:
        sentences = [*sentences, f"the chain: ∂{c.of}/∂{c.wrt} = {' · '.join(link.label for link in links)}"]
        width = max(len(str(link)) for link in links)
        for link in links:
            there = f"found: {matched[link.label]}" if link.label in matched else "not found in yours"
            sentences.append(f"  {link!s:{width}}   {'constant' if constant(link.numbers) else there}")
    return sentences


def _zero(c: Comparison) -> list[str]:
    if all(x == 0.0 for x in c.truths):
        return [f"{c.of} does not change with {c.wrt} here: the derivative is 0"]
    return []


def _other_name(c: Comparison) -> list[str]:
    """The answer is the derivative with respect to another leaf."""
    graph = c.graphs[0]
    for name, node in graph.items():
        if name in ("", c.of, c.wrt) or node.op is not None:
            continue
        if same(c.answers, c.derivatives(name)):
            return [f"yours is ∂{c.of}/∂{name}: it is differentiated with respect to {name}, not {c.wrt}"]
    return []


def _missing_paths(c: Comparison) -> list[str]:
    paths = c.paths()
    for count in range(1, len(paths)):
        for some in combinations(paths, count):
            if same(c.answers, _sum(list(some))):
                absent = dict.fromkeys(path.label for path in paths if not any(path is p for p in some))
                over = f"{c.of} depends on {c.wrt} over {len(paths)} paths, and their derivatives add up"
                return [f"{over}; missing in yours: {', '.join(absent)}"]
    return []


def _sum(paths: list[Factor]) -> list[float]:
    return [sum(numbers) for numbers in zip(*[path.numbers for path in paths], strict=True)]


def _constant_factor(c: Comparison, links: list[Factor]) -> list[str]:
    k = ratio(c.answers, c.truths)
    if k is None:
        return []
    for link in links:
        if constant(link.numbers) and abs(link.numbers[0]) != 1.0 and abs(k * link.numbers[0] - 1.0) < 1e-9:
            return [f"the factor {link} is missing"]
    if abs(k + 1.0) < 1e-6:
        return ["the sign is wrong; the rest is right"]
    sign = "the sign is wrong, and " if k < 0 else ""
    size = Fraction(abs(k)).limit_denominator(1000)
    if abs(float(size) / abs(k) - 1.0) > 1e-6:
        return [f"{sign}it is {number(abs(k))} times what it should be"]
    if size.numerator == 1:
        return [f"{sign}a factor {size.denominator} is missing"]
    return [f"{sign}there is a factor {size} too much"]


def _missing_link(c: Comparison, links: list[Factor]) -> list[str]:
    """The answer has only some of the chain's factors, times a constant."""
    moving = [link for link in links if not constant(link.numbers)]
    rest = product([link.numbers for link in links if constant(link.numbers)] or [[1.0]])[0]
    for count in range(1, min(_MOST_MISSING, len(moving) - 1) + 1 if len(moving) <= _MOST_LINKS else 1):
        for absent in combinations(moving, count):
            present = [link.numbers for link in moving if not any(link is a for a in absent)]
            k = ratio(c.answers, product(present))
            if k is None:
                continue
            which = " and ".join(map(str, absent))
            s, have = ("s", "are") if count > 1 else ("", "is")
            odd = k / rest
            wrong = "" if abs(odd - 1) < 1e-6 else "; the sign is wrong as well" if abs(odd + 1) < 1e-6 else _and(odd)
            return [f"the factor{s} {which} {have} missing{wrong}"]
    return []


def _and(odd: float) -> str:
    return f"; besides, there is a factor {number(odd)} too much"


def _extra_link(c: Comparison, links: list[Factor]) -> list[str]:
    for link in links:
        if not constant(link.numbers) and same(c.answers, product([c.truths, link.numbers])):
            return [f"the factor {link} occurs twice"]
    return []


def _matched(factors: list[Factor], links: list[Factor]) -> tuple[dict[str, str], list[Factor]]:
    """Return the typed factors that make up each link, up to a constant, and the typed factors left over."""
    left = [factor for factor in factors if not constant(factor.numbers)][:10]
    found: dict[str, str] = {}
    for link in links:
        groups = (group for size in (1, 2, 3) for group in combinations(left, size))
        fitting = next((g for g in groups if ratio(product([f.numbers for f in g]), link.numbers) is not None), None)
        if fitting:
            found[link.label] = _joined(fitting)
            left = [factor for factor in left if not any(factor is f for f in fitting)]
    return found, left


def _replaced(links: list[Factor], found: set[str], left: list[Factor]) -> list[str]:
    wanted = [link for link in links if link.label not in found and len(links) > 1]
    if not wanted or len(wanted) == len([link for link in links if not constant(link.numbers)]) > 1:
        return ["none of the chain's factors is found in yours"] if wanted else []
    first = wanted[0]
    instead = f"; in its place stands {_joined(left)}" if left and len(wanted) == 1 else ""
    return [f"the first factor that differs: {first} here{instead}"]


def _joined(factors: Sequence[Factor]) -> str:
    """Return factors as the text of a product."""
    return factors[0].label if len(factors) == 1 else " · ".join(bracketed(factor.label) for factor in factors)
