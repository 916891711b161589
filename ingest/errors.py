"""The error tree of both programs. The branch says what the caller can do; the message says what the reader can do.

    SouffleurError
    ├── Transient               try again, unchanged: the other side was busy, slow or away
    └── Terminal                trying again gives the same; somebody must change something
        ├── ConfigurationError  the operator: a setting is wrong or missing
        └── Guarded             it would do harm, and was not done; somebody may insist

Errors of one room live in that room's `interface.py` and subclass one of these. Vendor exceptions are translated once,
where the vendor's library is called, with `raise … from`.
"""

from __future__ import annotations


class SouffleurError(Exception):
    """Root of every error raised on purpose; its text is one line that names the thing and gives the way out."""


class Transient(SouffleurError):
    """The same call may succeed later."""


class Terminal(SouffleurError):
    """The same call will fail again."""


class Guarded(Terminal):
    """What was asked looks harmful; the text says why, and how to insist."""


class ConfigurationError(Terminal):
    """A setting is wrong or missing; the text names it, its line where there is one, and the fix."""
