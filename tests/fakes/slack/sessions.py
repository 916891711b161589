"""What a thread shows of the app's work: a status line, and a session with its Stop button."""

from __future__ import annotations

from dataclasses import dataclass, field

STATUS_SECONDS = 120.0
"""After which a status that nothing replaced is gone (docs.slack.dev/reference/methods/assistant.threads.setStatus)."""


@dataclass(frozen=True, kw_only=True)
class Status:
    text: str
    loading: tuple[str, ...]
    set_at: float

    def at(self, moment: float) -> str:
        """The line that is shown then, if any is."""
        return self.text if moment - self.set_at < STATUS_SECONDS else ""


@dataclass(kw_only=True)
class Session:
    """docs.slack.dev/ai/agent-sessions."""

    state: str
    title: str = ""
    stop_button: bool = False
    """Whether the app hears of the button, and so has it."""
    history: list[str] = field(default_factory=list)

    @property
    def stoppable(self) -> bool:
        return self.state == "processing" and self.stop_button
