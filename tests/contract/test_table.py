"""The suite, its cases and the page about them say the same."""

from __future__ import annotations

import importlib
import inspect
from collections import Counter
from pathlib import Path

from tests.contract.cases import CASES, NOT_APPLICABLE
from tests.contract.table import PAGE, page


def promised() -> Counter[str]:
    """Which case how many tests of the suite are about: whoever works in an office (`at`)."""
    found: Counter[str] = Counter()
    for path in Path(__file__).parent.glob("test_*.py"):
        module = importlib.import_module(f"tests.contract.{path.stem}")
        for name, test in vars(module).items():
            if inspect.isfunction(test) and name.startswith("test_") and "at" in inspect.signature(test).parameters:
                cases = [mark.args[0] for mark in getattr(test, "pytestmark", ()) if mark.name == "case"]
                found.update(cases or [f"none: {name}"])
    return found


def test_each_case_has_one_test_and_each_test_a_case() -> None:
    assert promised() == Counter(dict.fromkeys(CASES, 1))


def test_what_cannot_arise_is_a_case() -> None:
    assert {case for absent in NOT_APPLICABLE.values() for case in absent} <= set(CASES)


def test_the_page_in_the_docs_is_that_of_the_suite() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.contract.table`"
