"""Each promise of the threat model names tests, and they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def promises() -> list[str]:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    table = page.split("## Promises", 1)[1].split("\n## ", 1)[0]
    return [
        line for line in table.splitlines() if line.startswith("| ") and not line.startswith(("| Promise", "| ---"))
    ]


def test_every_promise_names_tests_that_there_are() -> None:
    lines = promises()
    assert len(lines) > 20
    for line in lines:
        named = NAMED.findall(line)
        assert named, f"no test holds: {line}"
        for file, name in named:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            functions = {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert name in functions, f"{file} has no {name}"
