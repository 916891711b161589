"""The rooms of `ingest` put together from its settings: the one place that knows every source.

A source's own module is imported when the configuration has one of its kind: together they take a while to load.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ingest.index.hybrid import Index, open_store
from ingest.ledger import Ledger
from ingest.settings import IngestSettings
from ingest.sources.confluence.settings import ConfluenceSettings
from ingest.sources.files.settings import FilesSettings
from ingest.sources.git.settings import GitSettings
from ingest.sources.interface import Source, SourceRefused
from ingest.sources.mattermost.settings import MattermostSettings
from ingest.sources.slack.settings import SlackSettings
from ingest.sources.website.settings import WebsiteSettings
from ingest.targets import Target


@asynccontextmanager
async def opened(settings: IngestSettings) -> AsyncIterator[tuple[Ledger, Index]]:
    """Ledger and index, until the context ends."""
    ledger = await Ledger.open(settings.state)
    try:
        store = open_store(settings.index, settings.home / "index")
        embedder = None
        if (embedding := settings.models.embedding) is not None:
            from ingest.index.embedder import open_embedder

            embedder = open_embedder(embedding)
        async with Index.of(store, embedder, embedding) as index:
            yield ledger, index
    finally:
        await ledger.close()


@asynccontextmanager
async def source(target: Target, settings: IngestSettings, programs: Mapping[str, str]) -> AsyncIterator[Source]:
    """The source that `target` describes, until the context ends. Touches neither disk nor network yet.

    `programs` is the environment of the programs that a source runs.
    """
    made = _source(target, settings, programs)
    try:
        yield made
    finally:
        await made.close()


def cache(source: str, settings: IngestSettings) -> Path:
    """The folder that a source keeps between its runs what it can do without."""
    return settings.home / "sources" / source


def _source(target: Target, settings: IngestSettings, programs: Mapping[str, str]) -> Source:
    name, folder, max_file_mb = target.name, cache(target.name, settings), settings.parsing.max_file_mb
    match target.settings:
        case FilesSettings() as found:
            from ingest.sources.files import Files

            return Files(name, found, cache=folder, max_file_mb=max_file_mb)
        case WebsiteSettings() as found:
            from ingest.sources.website.source import Website

            return Website(name, found, cache=folder, max_file_mb=max_file_mb)
        case GitSettings() as found:
            from ingest.sources.git.source import Git

            return Git(name, found, cache=folder, max_file_mb=max_file_mb, environment=programs)
        case ConfluenceSettings() as found:
            from ingest.sources.confluence.source import Confluence

            return Confluence(name, found, cache=folder, max_file_mb=max_file_mb)
        case SlackSettings() as found:
            try:
                from ingest.sources.slack.source import Slack
            except ImportError as error:
                raise SourceRefused(
                    f"source {name!r} needs the extra `slack`: .venv/bin/pip install -e '.[slack]'"
                ) from error

            return Slack(name, found, cache=folder, max_file_mb=max_file_mb)
        case MattermostSettings() as found:
            from ingest.sources.mattermost.source import Mattermost

            return Mattermost(name, found, cache=folder, max_file_mb=max_file_mb)
    raise AssertionError(f"no source for {type(target.settings).__name__}")
