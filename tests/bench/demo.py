"""A copy of the demo, indexed: what the benches of `bot` ask."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.bench.process import ROOT, command, run

DEMO = ROOT / "deploy" / "demo"


def indexed(folder: Path) -> Path:
    """Index a copy of the demo in `folder`; its configuration file."""
    demo = folder / "demo"
    shutil.copytree(DEMO, demo, ignore=shutil.ignore_patterns(".*"))
    configuration = demo / "souffleur.yaml"
    run(command("ingest", "--config", configuration, "sync", "--json"))
    return configuration


def questions(count: int) -> list[str]:
    """The first questions of the demo's own set."""
    lines = (DEMO / "questions" / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines[:count]]
