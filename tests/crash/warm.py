"""Loaded once by the process that children are forked from, which must not start a thread: what is slow the first time.

The engine of the embedded index is only imported: it keeps threads of its own, which a fork would leave behind.
"""

from __future__ import annotations

import importlib
from contextlib import suppress

import aiosqlite  # noqa: F401
import filelock
import sqlalchemy as sa

from ingest import migrations  # noqa: F401
from ingest.index import lexical
from tests.crash import child  # noqa: F401
from tests.crash.documents import Paper, chunks_of

for chunk in chunks_of(Paper(id="warm", version=1, sections=("w1", "w2")), None):
    lexical.encode_document(chunk.indexed_text, "en", lexical.Averages(words=100, grams=400), heading=chunk.heading)
_ = filelock.ReadWriteLock
for address in ("sqlite+aiosqlite://", "postgresql+psycopg://"):
    with suppress(ImportError):
        sa.make_url(address).get_dialect().import_dbapi()
with suppress(ImportError):
    importlib.import_module("psycopg.adapt")
