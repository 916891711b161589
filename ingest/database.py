"""The ledger's tables; and how a database is opened, brought to this version's form, and written to."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ingest.errors import ConfigurationError, Terminal, Transient
from ingest.model import DocumentId, DocumentKey, Readers

DEFAULT_ADDRESS = "sqlite+aiosqlite:///.souffleur/state.db"
"""In the working directory, for a program that was given no other."""

TIMEOUT = 60.0
"""Seconds that one transaction may take."""

BUSY_TIMEOUT = 10_000
"""Milliseconds that SQLite waits for another process's write to end."""

UPGRADE_LOCK = 5_075_667
"""Key of the Postgres advisory lock that a process holds while it changes the tables."""

BATCH = 400
"""Most keys in one `IN`: SQLite's oldest limit on variables is 999, and a document's key takes two of them."""

_Item = TypeVar("_Item")

_TURNS: WeakKeyDictionary[sa.Pool, asyncio.Lock] = WeakKeyDictionary()
"""One for each SQLite database that is open."""


class StateSettings(BaseModel):
    """The `state` section: SQLite in a file, or Postgres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """`sqlite:///…` or `postgresql://…`; settings give it the async driver and a default in the home folder."""
    password: SecretStr | None = Field(default=None, exclude=True)
    """Of the Postgres user; from the environment (`SOUFFLEUR_STATE_PASSWORD`), never from the file."""


class DatabaseUnavailable(Transient):
    """The database cannot be opened, reached or written now."""


class DatabaseUnreadable(Terminal):
    """The database is not a ledger, or was written by a newer version."""


class Moment(sa.types.TypeDecorator[datetime]):
    """A datetime with a time zone, kept in UTC; SQLite has no type for it and returns naive ones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return _in_utc(value)


class Tokens(sa.types.TypeDecorator[Readers]):
    """A set of reader tokens as a sorted JSON list."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Readers | None, dialect: sa.Dialect) -> Any:
        return None if value is None else sorted(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Readers | None:
        return None if value is None else frozenset(value)


class DocumentKeys(sa.types.TypeDecorator[frozenset[DocumentKey]]):
    """A set of documents as a sorted JSON list, of a source and an id each."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: frozenset[DocumentKey] | None, dialect: sa.Dialect) -> Any:
        return None if value is None else sorted(map(list, value))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> frozenset[DocumentKey] | None:
        return None if value is None else frozenset((source, DocumentId(id)) for source, id in value)


TABLES = sa.MetaData()

SOURCES = sa.Table(
    "sources",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("configured", sa.Boolean, nullable=False),
    sa.Column("cursor", sa.Text),
    sa.Column("settings", sa.Text),
    sa.Column("next_run", Moment),
)
DOCUMENTS = sa.Table(
    "documents",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("parser", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("empty", sa.Boolean, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("author", sa.Text),
    sa.Column("updated_at", Moment),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("readers", Tokens, nullable=False),
    sa.Column("own_readers", Tokens),
    sa.Column("indexed_at", Moment),
    sa.Column("listed", sa.Text, nullable=False),
    sa.Column("listed_readers", Tokens),
    sa.Column("media_type", sa.Text),
    sa.Column("due", sa.Boolean, nullable=False),
    sa.Column("withheld", sa.Boolean, nullable=False),
)
CHUNKS = sa.Table(
    "chunks",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("headings", sa.JSON, nullable=False),
    sa.Column("page", sa.Integer),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["source", "document"], ["documents.source", "documents.id"], ondelete="CASCADE"),
    sa.Index("chunks_of_document", "source", "document", "position"),
    sa.Index("chunks_of_text", "digest"),
)
RUNS = sa.Table(
    "runs",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("started", Moment, nullable=False),
    sa.Column("ended", Moment, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("error", sa.Text),
    sa.Index("runs_of_source", "source", "id"),
)
UNSETTLED = sa.Table(
    "unsettled",
    TABLES,
    sa.Column("chunk", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Index("unsettled_of_source", "source"),
)
REMOVALS = sa.Table(
    "removals",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, primary_key=True),
    sa.Column("removed_at", Moment, nullable=False),
)
REVOCATIONS = sa.Table(
    "revocations",
    TABLES,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("document", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """One program's tables; several live in one database, each with its own revision."""

    versions: Path
    """Folder of Alembic's revisions."""
    revision: str
    """The newest one; kept in the code so that a start needs one query and not all of Alembic."""
    version_table: str
    """Where Alembic notes the revision that the database is at."""


LEDGER = Schema(
    versions=Path(__file__).parent / "migrations" / "versions", revision="0003", version_table="ingest_version"
)


async def connect(address: str | None, password: SecretStr | None, schema: Schema) -> AsyncEngine:
    """An engine on the database, with the tables in this version's form; whoever asked for it disposes of it.

    Raises `DatabaseUnavailable`, `DatabaseUnreadable`, `ConfigurationError`.
    """
    url = sa.make_url(address or DEFAULT_ADDRESS)
    if password is not None:
        url = url.set(password=password.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database:
        try:
            Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            folder = str(Path(url.database).parent)
            raise DatabaseUnavailable(
                f"cannot make the folder {folder!r}: {error.strerror}; choose another `home`"
            ) from error
    try:
        engine = create_async_engine(url, pool_pre_ping=True)
    except ImportError as error:
        raise ConfigurationError(
            "state.url names Postgres, which needs the extra `postgres`: .venv/bin/pip install -e '.[postgres]'"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    try:
        await _upgrade(engine, schema)
    except BaseException:
        await engine.dispose()
        raise
    return engine


def writer(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, for transactions that write."""
    return engine.execution_options(writes=True)


def insert(engine: AsyncEngine, table: sa.Table) -> Any:
    """An `INSERT` that knows `ON CONFLICT`: both databases have it, SQLAlchemy has it per dialect."""
    return postgresql.insert(table) if engine.dialect.name == "postgresql" else sqlite.insert(table)


def batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """`items` in lists of at most `BATCH`."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction of at most `TIMEOUT` seconds. Raises `DatabaseUnavailable`, `DatabaseUnreadable`."""
    with translated(engine):
        async with asyncio.timeout(TIMEOUT), _turn(engine), engine.begin() as connection:
            yield connection


def _turn(engine: AsyncEngine) -> AbstractAsyncContextManager[None]:
    """Writers of this process queue here for SQLite's one write lock, which has no queue: it is asked for in intervals.

    Those who wait hold no connection meanwhile, and 32 at once finish three times as many transactions.
    """
    if engine.dialect.name != "sqlite" or not engine.sync_engine.get_execution_options().get("writes"):
        return nullcontext()
    return _TURNS.setdefault(engine.sync_engine.pool, asyncio.Lock())


@contextmanager
def translated(engine: AsyncEngine) -> Iterator[None]:
    """The one place where errors of database and driver become ours."""
    name = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except (TimeoutError, sa.exc.TimeoutError) as error:  # of the transaction, of the wait for a connection
        raise DatabaseUnavailable(
            f"{name} took longer than {TIMEOUT:.0f} s; see whether the database is busy"
        ) from error
    except (OperationalError, InterfaceError, OSError) as error:
        reason = _first_line(error)
        raise DatabaseUnavailable(f"{name}: {reason}; check `state.url`, the disk and its permissions") from error
    except (IntegrityError, DataError) as error:
        raise DatabaseUnreadable(f"{name} refused a row: {_first_line(error)}; please report this") from error
    except DatabaseError as error:
        reason = _first_line(error)
        raise DatabaseUnreadable(f"{name}: {reason}; move it away, then run `ingest sync` to build it anew") from error


async def _upgrade(engine: AsyncEngine, schema: Schema) -> None:
    try:
        async with asyncio.timeout(TIMEOUT), engine.connect() as connection:
            column = sa.column("version_num", sa.Text)
            version = sa.select(column).select_from(sa.table(schema.version_table, column))
            current = await connection.scalar(version)
    except (DatabaseError, OSError, TimeoutError):
        current = None  # no tables yet; or no database, and the transaction below says so
    if current == schema.revision:
        return
    from ingest import migrations

    async with transaction(writer(engine)) as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADE_LOCK)))
        try:
            await connection.run_sync(migrations.upgrade, schema.versions, schema.revision, schema.version_table)
        except migrations.UnknownRevision as error:
            name = engine.url.render_as_string(hide_password=True)
            raise DatabaseUnreadable(f"{name} was written by a newer souffleur ({current}); update this one") from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not in the driver before the first INSERT
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """One that will write takes its lock first: a read lock that is to become a write lock fails when another wrote."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
