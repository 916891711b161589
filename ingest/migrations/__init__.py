"""Brings a database to the newest revision of a program's tables; the ledger's own are in `versions`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError as UnknownRevision
from sqlalchemy import Connection

__all__ = ["UnknownRevision", "upgrade"]


def upgrade(connection: Connection, versions: Path, revision: str, version_table: str) -> None:
    """Bring the tables whose revisions are in `versions` to `revision`, inside the connection's transaction.

    Raises `UnknownRevision` when the database is at a revision that this version does not know.
    """
    config = Config()
    config.set_main_option("script_location", _plain(Path(__file__).parent))
    # Alembic would take a space in a path for the end of it.
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _plain(versions))
    config.attributes.update(connection=connection, version_table=version_table)
    command.upgrade(config, revision)


def _plain(path: Path) -> str:
    return str(path).replace("%", "%%")
