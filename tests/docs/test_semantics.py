"""The reference is one table of tests: each of its lines has an example, and the examples come out as printed."""

import doctest
import re
from pathlib import Path

import pytest

REFERENCE = (Path(__file__).parents[2] / "docs" / "semantics.md").read_text(encoding="utf-8")


def lines_of(text):
    """The reference's lines: (what is said, the number of its first line, that of the next one's)."""
    rows = text.splitlines()
    starts = [i for i, row in enumerate(rows) if row.startswith("- ")]
    ends = [*starts[1:], len(rows)]
    return [(re.sub(r"\s+", " ", " ".join(_words(rows[a:b]))), a, b) for a, b in zip(starts, ends, strict=True)]


def _words(rows):
    for row in rows:
        if not row.strip() or row.strip().startswith(">>>"):
            return
        yield row.strip(" -")


def failures_of(text):
    """The line numbers of the examples that give something else, and of all examples."""
    examples = doctest.DocTestParser().get_examples(text)
    test = doctest.DocTest(examples, {}, "semantics", None, 0, text)
    failed = []

    class Runner(doctest.DocTestRunner):
        def report_failure(self, out, test, example, got):
            failed.append(example.lineno)

        def report_unexpected_exception(self, out, test, example, exc_info):
            failed.append(example.lineno)

    Runner().run(test, out=lambda text: None)
    return failed, [example.lineno for example in examples]


LINES = lines_of(REFERENCE)
FAILED, EXAMPLES = failures_of(REFERENCE)


@pytest.mark.parametrize(("said", "start", "end"), LINES, ids=[said[:60] for said, _, _ in LINES])
def test_line(said, start, end):
    assert [n for n in EXAMPLES if start <= n < end], f"no example: {said}"
    assert [n for n in FAILED if start <= n < end] == [], said


def test_the_whole_is_covered():
    assert len(LINES) >= 35
    assert FAILED == []


def test_a_false_line_is_found():
    wrong = REFERENCE.replace("  27.0\n", "  33.0\n")  # what micrograd says
    assert len(failures_of(wrong)[0]) == 1
