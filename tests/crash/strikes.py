"""What befalls the replicas: at a call of the platform, at a write of the dialogue, or at a random time."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from tests.crash import talk
from tests.crash.replica import WRITES
from tests.crash.replicas import Call

CALLS = ("status", "first words", "more words", "last edit")


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What befalls the replicas."""

    number: signal.Signals
    call: str = ""
    """One of `CALLS`; or …"""
    write: str = ""
    """… one of `replica.WRITES`; neither: at a random time."""
    after: bool = False
    both: bool = False

    def __str__(self) -> str:
        whom = "both " if self.both else ""
        how = "killed" if self.number is signal.SIGKILL else "told to end"
        when = "after" if self.after else "before"
        what = self.call or self.write
        return f"{whom}{how} {when} {what}" if what else f"{whom}{how} at a random time"


def strikes() -> list[Strike]:
    """All that is tried; the rarest so far is tried next."""
    kill, end = signal.SIGKILL, signal.SIGTERM
    found = [
        Strike(number=kill, call=call, after=after, both=both)
        for call in CALLS
        for after in (False, True)
        for both in (False, True)
    ]
    found += [
        Strike(number=kill, write=f"{room} {write}", after=after)
        for room, writes in WRITES.items()
        for write in writes
        for after in (False, True)
    ]
    found += [Strike(number=end, call=call, after=True) for call in CALLS]
    found += [Strike(number=number, both=both) for number in (kill, end) for both in (False, True)]
    return found


def moment_of(call: Call) -> str:
    """Which of `CALLS` it is; empty for any other."""
    if call.path.endswith(("etStatus", "/typing")):
        return "status"
    if not call.path.startswith(("POST", "PUT", "DELETE")):
        return ""
    if "stopStream" in call.path or "delete" in call.path.lower() or talk.END in call.said:
        return "last edit"
    if call.path.endswith(("startStream", "postMessage", "/posts")):
        return "first words"
    return "more words" if call.path.endswith(("appendStream", "chat.update", "/patch")) else ""
