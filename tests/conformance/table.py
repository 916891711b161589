"""The conformance table of the docs, from the suite itself: `python -m tests.conformance.table` writes the page."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.worlds import KINDS, world
from tests.conformance.worlds.interface import CASES

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

NAMES = {"remote_files": "`files` at an address (S3)"}
"""Of kinds that no one writes into a configuration."""

INTRODUCTION = """\
# What every source does

Every source is tried in every one of these situations: whole syncs against a server that behaves, and misbehaves, as
its vendor documents (`tests/conformance/`). ✓ is a test that runs with every change; – cannot arise, and says why.

Run it with `python -m pytest tests/conformance/test_sources.py`; `python -m tests.conformance.table` writes this page.
"""


def page() -> str:
    """The page as it should be."""
    reasons: dict[str, int] = {}
    rows = [["Situation", "What happens", *(NAMES.get(kind, f"`{kind}`") for kind in KINDS)]]
    rows.append(["---", "---", *(":-:" for _ in KINDS)])
    absent = {kind: world(kind, Path("nowhere")).not_applicable for kind in KINDS}
    for case, promise in CASES.items():
        marks = []
        for kind in KINDS:
            reason = absent[kind].get(case)
            marks.append("✓" if reason is None else f"– [^{reasons.setdefault(reason, len(reasons) + 1)}]")
        rows.append([case, promise, *marks])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"[^{number}]: {reason[:1].upper()}{reason[1:]}.\n" for reason, number in reasons.items())
    return "\n".join(part for part in (INTRODUCTION, table, notes) if part)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
