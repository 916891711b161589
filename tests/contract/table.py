"""The table of the contract in the docs, from the suite itself: `python -m tests.contract.table` writes the page."""

from __future__ import annotations

from pathlib import Path

from tests.contract.cases import CASES, NOT_APPLICABLE

PAGE = Path(__file__).parents[2] / "docs" / "chat-contract.md"

NAMES = {"slack": "Slack", "mattermost": "Mattermost"}

INTRODUCTION = """\
# What the assistant does on every chat platform

Slack and Mattermost are tried in every one of these situations: whole conversations, with a real index and a scripted
model, on a server that behaves, and misbehaves, as its vendor documents (`tests/contract/`, `tests/fakes/`). ✓ is a
test that runs with every change; – cannot arise, and says why. How each platform shows it is in [chat.md](chat.md).
"""

CLOSING = """\
Run it with `python -m pytest tests/contract`; `python -m tests.contract.table` writes this page. The same suite runs on
a server of yours or on another emulator, by its public API alone:

```
SOUFFLEUR_TEST_MATTERMOST_ADMIN_TOKEN=… python -m pytest tests/contract --mattermost-url http://127.0.0.1:8065
SOUFFLEUR_TEST_SLACK_BOT_TOKEN=… SOUFFLEUR_TEST_SLACK_APP_TOKEN=… SOUFFLEUR_TEST_SLACK_ADA_TOKEN=… \\
  SOUFFLEUR_TEST_SLACK_BOB_TOKEN=… SOUFFLEUR_TEST_SLACK_CLEO_TOKEN=… python -m pytest tests/contract --slack-url https://slack.com/api/
```

What no API can do there (pressing a button in Slack, putting the server's clock on) is skipped; `-rs` says why.
Use a server, or a workspace, that is there for tests: accounts, channels and messages are made on it. For a host other
than this machine add `--force-enable-socket`.
"""


def page() -> str:
    """The page as it should be."""
    reasons: dict[str, int] = {}
    rows = [["Situation", "What happens", *(NAMES[name] for name in NOT_APPLICABLE)]]
    rows.append(["---", "---", *(":-:" for _ in NOT_APPLICABLE)])
    for case, promise in CASES.items():
        marks = []
        for absent in NOT_APPLICABLE.values():
            reason = absent.get(case)
            marks.append("✓" if reason is None else f"– [^{reasons.setdefault(reason, len(reasons) + 1)}]")
        rows.append([case, promise, *marks])
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    notes = "".join(f"[^{number}]: {reason[:1].upper()}{reason[1:]}.\n" for reason, number in reasons.items())
    return "\n".join(part for part in (INTRODUCTION, table, notes, CLOSING) if part)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
