"""Files that people drop into a conversation: read in the sandbox that documents are read in, for their thread alone.

What was read is kept with the thread, so that a follow-up needs no second download. What cannot be read is kept as
such, too: its readers are told once.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Literal, Protocol

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.dialogue import pictures
from bot.dialogue.pictures import PictureLater, Pictures, PictureUnread
from bot.dialogue.tables import ATTACHMENTS
from bot.model import ATTACHED
from bot.phrases import Say
from bot.platforms.events import File, Spot
from bot.platforms.interface import ChatPlatform, MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.rendering import words
from ingest.chunk import chunk
from ingest.database import transaction, writer
from ingest.language import language_of
from ingest.model import Chunk, Document, DocumentId, Original, Parsed, storable
from ingest.parsers.interface import ParseError

MAX_BYTES = 20 * 1024 * 1024
"""Of one file: a report with pictures; what is larger belongs into a source."""

MAX_FILES = 5
"""Downloaded for one message; those beyond are read when the thread is asked again."""

MAX_NOTES = 5
"""Lines about files under one answer: a thread may hold any number of screenshots."""

MAX_CHUNKS = 1000
"""Passages of one file, some 400,000 words: each question ranks all of them, in half a millisecond a passage."""

MAX_RANKED = 5000
"""Passages of all files of a conversation, those of the question's own files first."""

DOWNLOAD_SECONDS = 60.0
"""Clock time for downloading one file."""

PARSE_SECONDS = 60.0
"""Clock time for reading one, beside the sandbox's own limits: somebody waits for the answer."""

NAME_CHARACTERS = 120
"""Of a file's name, where it is shown."""

LONGEST_NAME = 10_000
"""Of one that is looked at at all."""

PARSER = "kreuzberg"
"""Hands what is Markdown, text or HTML to the readers that those have."""

PICTURES = frozenset(
    (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".ico")
)

Refusal = Literal["chat-image-declined", "chat-file-too-large", "chat-file-unreadable"]
"""Phrases for a file that is not read."""

_CHUNKS: TypeAdapter[tuple[Chunk, ...]] = TypeAdapter(tuple[Chunk, ...])

logger = logging.getLogger(__name__)


class Parsing(Protocol):
    """The part of `ingest.parsers.sandbox.Sandbox` that is needed."""

    async def parse(self, original: Original, parser: str) -> Parsed: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What the files of a conversation say."""

    chunks: tuple[Chunk, ...] = ()
    notes: tuple[str, ...] = ()
    """What their readers should know, in the language asked for: which files were not read just now, and why."""


class Attachments:
    """Reads files, and keeps what it read, by thread.

    Args:
        engine: of the database with the table `attachments`.
        sandbox: open; shared with nobody or with everybody, it queues.
        folder: where files are while they are read; made where it is not there.
        languages: candidates for the language of a file.
        ocr: whether the sandbox reads text in pictures (`parsing.ocr`).
        pictures: puts pictures into words; None where no model sees.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        sandbox: Parsing,
        folder: Path,
        languages: tuple[str, ...],
        ocr: bool,
        pictures: Pictures | None,
        say: Say,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._sandbox = sandbox
        self._folder = folder
        self._languages = languages
        self._ocr = ocr
        self._pictures = pictures
        self._say = say
        self._now = now

    async def of(self, platform: ChatPlatform, spot: Spot, files: Sequence[File], *, language: str, by: str) -> Read:
        """The passages of `files`, all of the thread at `spot`, in that order; the new ones are read now.

        What a model costs that looks at pictures the gateway counts for `by`, an id as `Asker.id`.
        Raises `PlatformUnavailable` when one cannot be had now, and what a database may raise.
        """
        wanted = {file.id: file for file in files}
        if not wanted:
            return Read()
        kept = await self._kept(spot, wanted)
        refused = [(file, why) for file in wanted.values() if file.id not in kept and (why := self._refused(file))]
        notes = [self._say(language, why, name=_shown(file.name)) for file, why in refused]
        kept |= {file.id: () for file, _ in refused}
        await self._keep(spot, {file.id: (file, ()) for file, _ in refused})
        left = MAX_FILES
        for file in wanted.values():
            if file.id in kept:
                continue
            read: tuple[Chunk, ...] | Refusal | None = None
            if left > 0:
                left -= 1
                read = await self._read(platform, file, by)
            if read is None:
                notes.append(self._say(language, "chat-file-unreadable", name=_shown(file.name)))
                continue
            if isinstance(read, str):
                notes.append(self._say(language, read, name=_shown(file.name)))
            kept[file.id] = () if isinstance(read, str) else read
            await self._keep(spot, {file.id: (file, kept[file.id])})
        chunks = tuple(chunk for id in wanted for chunk in kept.get(id, ()))[:MAX_RANKED]
        return Read(chunks=chunks, notes=tuple(notes[:MAX_NOTES]))

    def _refused(self, file: File) -> Refusal | None:
        """Why a file is not even downloaded."""
        seen = self._is_seen(file)
        if _is_picture(file) and not seen and not self._ocr:
            return "chat-image-declined"
        return "chat-file-too-large" if file.size > (pictures.MAX_BYTES if seen else MAX_BYTES) else None

    def _is_seen(self, file: File) -> bool:
        """Whether a model looks at it."""
        return self._pictures is not None and file.media_type in pictures.MEDIA_TYPES

    async def _read(self, platform: ChatPlatform, file: File, by: str) -> tuple[Chunk, ...] | Refusal | None:
        """The passages of one file, or why there are none; None when it may be read another time."""
        try:
            parsed = await self._parsed(platform, file, by)
        except PictureLater as error:
            logger.warning("file %r of a conversation is left for later: %s", file.id, error)
            return None
        except (MessageGone, PlatformRefused, ParseError, PictureUnread, OSError) as error:
            logger.warning("file %r of a conversation is not read: %s", file.id, error)
            return "chat-file-unreadable"
        chunks = await asyncio.to_thread(self._understood, file, parsed)
        if len(chunks) > MAX_CHUNKS:
            return "chat-file-too-large"
        return chunks or "chat-file-unreadable"

    async def _parsed(self, platform: ChatPlatform, file: File, by: str) -> Parsed:
        await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "file"
            try:
                async with asyncio.timeout(DOWNLOAD_SECONDS):
                    await platform.download(file, path, max_bytes=MAX_BYTES)
            except TimeoutError as error:
                raise PlatformUnavailable(
                    f"{platform.name}: a file took longer than {DOWNLOAD_SECONDS:.0f} s; it is tried again"
                ) from error
            if self._pictures is not None and self._is_seen(file):
                return await self._pictures.read(path, file.media_type, by=by)
            original = Original(path=path, name=_shown(file.name), media_type=file.media_type or None)
            try:
                async with asyncio.timeout(PARSE_SECONDS):
                    return await self._sandbox.parse(original, PARSER)
            except TimeoutError as error:
                raise ParseError(f"reading it took longer than {PARSE_SECONDS:.0f} s") from error

    def _understood(self, file: File, parsed: Parsed) -> tuple[Chunk, ...]:
        """Cut into passages. Blocks for as long as that takes."""
        name, text = _shown(file.name), storable(parsed.text)
        document = Document(
            source=ATTACHED,
            id=DocumentId(file.id),
            title=name,
            text=text,
            pages=parsed.pages,
            language=language_of(text, self._languages),
            readers=frozenset(),  # nobody's through the index: it is read for this thread alone
            url=None,
            author=None,
            updated_at=None,
        )
        return tuple(replace(passage, document=DocumentId(name)) for passage in chunk(document))

    async def _kept(self, spot: Spot, wanted: Mapping[str, File]) -> dict[str, tuple[Chunk, ...]]:
        query = sa.select(ATTACHMENTS.c.file, ATTACHMENTS.c.text).where(*_of_lane(spot), ATTACHMENTS.c.file.in_(wanted))
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return {row.file: _CHUNKS.validate_python(row.text) for row in rows}

    async def _keep(self, spot: Spot, read: Mapping[str, tuple[File, tuple[Chunk, ...]]]) -> None:
        """Keep what was read of files, by their ids; all at once, as there may be hundreds of pictures."""
        if not read:
            return
        rows = [
            {
                "platform": spot.platform,
                "workspace": spot.workspace,
                "file": file.id,
                "lane": spot.lane,
                "name": _shown(file.name),
                "text": _CHUNKS.dump_python(chunks, mode="json"),
                "read_at": self._now(),
            }
            for file, chunks in read.values()
        ]
        async with transaction(writer(self._engine)) as connection:
            await connection.execute(sa.delete(ATTACHMENTS).where(*_of_lane(spot), ATTACHMENTS.c.file.in_(read)))
            await connection.execute(sa.insert(ATTACHMENTS), rows)


def _of_lane(spot: Spot) -> tuple[sa.ColumnElement[bool], ...]:
    columns = ATTACHMENTS.c
    return (
        columns.platform == spot.platform,
        columns.workspace == spot.workspace,
        columns.lane == spot.lane,
    )


def _is_picture(file: File) -> bool:
    return file.media_type.startswith("image/") or PurePath(file.name).suffix.lower() in PICTURES


def _shown(name: str) -> str:
    """A file's name on one line; its end, which tells what it is, stays."""
    line = words(storable(name), limit=LONGEST_NAME)
    if len(line) <= NAME_CHARACTERS:
        return line or "file"
    suffix = PurePath(line).suffix[-20:]
    return f"{line[: NAME_CHARACTERS - len(suffix) - 1]}…{suffix}"
