"""Files of a conversation are read once, for their thread alone; one that cannot be read is told and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.dialogue import attachments
from bot.dialogue.attachments import MAX_BYTES, MAX_CHUNKS, MAX_FILES, MAX_NOTES, Attachments, Read
from bot.dialogue.pictures import Pictures
from bot.dialogue.tables import ATTACHMENTS
from bot.llm.interface import BudgetSpent, ChatRefused, ChatUnavailable
from bot.llm.scripted import Failure, Reply, ScriptedWriter
from bot.model import ATTACHED
from bot.platforms.events import File, Spot
from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from ingest.model import Original, Parsed
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from tests.fixtures.assistant import prompts
from tests.ingest.parsers import documents

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SPOT = Spot(platform="slack", workspace="T1", channel="C1", thread="100.1", direct=False)


def say(language: str, key: str, /, **values: object) -> str:
    return f"{language} {key} {values.get('name')}"


class Shelf:
    """The part of a platform that hands out files."""

    name = "slack"

    def __init__(self, contents: Mapping[str, bytes | Exception]) -> None:
        self.contents = dict(contents)
        self.asked: list[str] = []

    async def download(self, file: File, to: Path, *, max_bytes: int) -> None:
        self.asked.append(file.id)
        content = self.contents[file.id]
        if isinstance(content, Exception):
            raise content
        await asyncio.to_thread(to.write_bytes, content)


class Long:
    """A parser that makes every file as long as a book."""

    def __init__(self, parts: int = MAX_CHUNKS + 1) -> None:
        self._text = "\n\n".join(f"# Part {number}\n\n{'word ' * 300}" for number in range(parts))

    async def parse(self, original: Original, parser: str) -> Parsed:
        return Parsed(text=self._text)


def file(id: str, name: str, media_type: str = "", size: int = 100) -> File:
    return File(id=id, name=name, media_type=media_type, size=size)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'state.db'}")
    async with made.begin() as connection:
        await connection.run_sync(ATTACHMENTS.create)
    yield made
    await made.dispose()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(ParsingSettings(workers=1)) as opened:
        yield opened


class Room:
    """Everything put together over one database."""

    def __init__(self, engine: AsyncEngine, sandbox: Any, folder: Path) -> None:
        self.folder = folder / "files"
        self.engine, self.sandbox, self.ocr, self.time = engine, sandbox, False, NOW
        self.pictures: Pictures | None = None

    async def read(self, shelf: Shelf, *files: File, spot: Spot = SPOT) -> Read:
        made = Attachments(
            self.engine,
            sandbox=self.sandbox,
            folder=self.folder,
            languages=("en", "de"),
            ocr=self.ocr,
            pictures=self.pictures,
            say=say,
            now=lambda: self.time,
        )
        return await made.of(shelf, spot, files, language="de", by="slack:U1")  # type: ignore[arg-type]


@pytest.fixture
def room(engine: AsyncEngine, sandbox: Sandbox, tmp_path: Path) -> Room:
    return Room(engine, sandbox, tmp_path)


async def test_a_text_a_table_and_a_pdf_are_read_as_documents_are(room: Room) -> None:
    shelf = Shelf(
        {
            "F1": b"The annual leave of the team in Dublin is 25 days, and none of them may be sold.",
            "F2": b"city;days\nLyon;27\nDublin;25\n",
            "F3": documents.paginated(
                [Paragraph("The parking level is closed on Sundays.", getSampleStyleSheet()["Normal"])]
            ),
        }
    )
    read = await room.read(
        shelf, file("F1", "notes.txt"), file("F2", "days.csv", "text/csv"), file("F3", "parking.pdf", "application/pdf")
    )
    assert [chunk.title for chunk in read.chunks] == ["notes.txt", "days.csv", "parking.pdf"]
    assert [chunk.document for chunk in read.chunks] == ["notes.txt", "days.csv", "parking.pdf"]
    assert {(chunk.source, chunk.url, chunk.readers) for chunk in read.chunks} == {(ATTACHED, None, frozenset())}
    assert "25 days" in read.chunks[0].text
    assert "Lyon" in read.chunks[1].text
    assert "closed on Sundays" in read.chunks[2].text
    assert (read.chunks[0].language, read.chunks[2].page) == ("en", 1)
    assert read.notes == ()
    assert list(room.folder.iterdir()) == []


async def test_a_file_is_downloaded_once_for_its_thread_and_again_for_another_one(room: Room) -> None:
    shelf = Shelf({"F1": b"The code word is sextant."})
    first = await room.read(shelf, file("F1", "code.txt"))
    again = await room.read(shelf, file("F1", "code.txt"))
    assert shelf.asked == ["F1"]
    assert again == first
    other = Spot(platform="slack", workspace="T1", channel="C1", thread="200.1", direct=False)
    await room.read(shelf, file("F1", "code.txt"), spot=other)
    assert shelf.asked == ["F1", "F1"]


@pytest.mark.parametrize(
    ("given", "content", "note"),
    [
        (file("F1", "photo.PNG", "application/octet-stream"), b"", "de chat-image-declined photo.PNG"),
        (file("F1", "photo", "image/heic"), b"", "de chat-image-declined photo"),
        (file("F1", "all.zip", size=MAX_BYTES + 1), b"", "de chat-file-too-large all.zip"),
        (file("F1", "empty.txt"), b"", "de chat-file-unreadable empty.txt"),
        (file("F1", "song.mp3"), b"ID3\x04\x00\x00\x00\x00\x00\x00", "de chat-file-unreadable song.mp3"),
        (file("F1", "torn.pdf"), b"%PDF-1.7\nnothing of a PDF", "de chat-file-unreadable torn.pdf"),
        (file("F1", "scan.pdf", "application/pdf"), documents.pdf(scanned=True), "de chat-file-unreadable scan.pdf"),
        (file("F1", "gone.txt"), MessageGone("it was deleted"), "de chat-file-unreadable gone.txt"),
        (
            file("F1", "kept.txt"),
            PlatformRefused("the scope files:read is missing"),
            "de chat-file-unreadable kept.txt",
        ),
    ],
)
async def test_a_file_that_is_not_read_is_told_once_and_the_others_are_read(
    room: Room, given: File, content: bytes | Exception, note: str
) -> None:
    shelf = Shelf({"F1": content, "F2": b"The code word is sextant."})
    read = await room.read(shelf, given, file("F2", "code.txt"))
    assert [chunk.title for chunk in read.chunks] == ["code.txt"]
    assert read.notes == (note,)
    again = await room.read(shelf, given, file("F2", "code.txt"))
    assert (again.chunks, again.notes) == (read.chunks, ())
    assert shelf.asked.count("F2") == 1


async def test_a_picture_is_handed_to_the_parser_where_pictures_are_read(room: Room) -> None:
    room.ocr = True
    room.sandbox = Parser(Parsed(text="Fire exit: second floor."))
    read = await room.read(Shelf({"F1": b"\x89PNG"}), file("F1", "sign.png", "image/png"))
    assert [chunk.text for chunk in read.chunks] == ["Fire exit: second floor."]


async def test_a_book_is_too_large_whatever_its_bytes(room: Room) -> None:
    room.sandbox = Long()
    read = await room.read(Shelf({"F1": b"x"}), file("F1", "book.txt"))
    assert read == Read(notes=("de chat-file-too-large book.txt",))


async def test_a_file_that_takes_too_long_to_read_is_given_up(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "PARSE_SECONDS", 0)
    room.sandbox = Endless()
    read = await room.read(Shelf({"F1": b"x"}), file("F1", "slow.pdf"))
    assert read.notes == ("de chat-file-unreadable slow.pdf",)


async def test_a_platform_that_is_away_is_asked_again_for_what_is_still_missing(room: Room) -> None:
    shelf = Shelf({"F1": b"The code word is sextant.", "F2": PlatformUnavailable("slack is away")})
    with pytest.raises(PlatformUnavailable, match="slack is away"):
        await room.read(shelf, file("F1", "code.txt"), file("F2", "more.txt"))
    shelf.contents["F2"] = b"And the other one is astrolabe."
    read = await room.read(shelf, file("F1", "code.txt"), file("F2", "more.txt"))
    assert [chunk.title for chunk in read.chunks] == ["code.txt", "more.txt"]
    assert shelf.asked == ["F1", "F2", "F2"]


async def test_of_many_files_the_first_are_read_and_the_others_named(room: Room) -> None:
    files = [file(f"F{number}", f"{number}.txt") for number in range(MAX_FILES + 1)]
    read = await room.read(Shelf({made.id: b"some words" for made in files}), *files)
    assert [chunk.title for chunk in read.chunks] == [made.name for made in files[:MAX_FILES]]
    assert read.notes == (f"de chat-file-unreadable {files[-1].name}",)
    again = await room.read(Shelf({made.id: b"some words" for made in files}), *files)
    assert [chunk.title for chunk in again.chunks] == [made.name for made in files]
    assert again.notes == ()


async def test_a_thread_full_of_screenshots_hides_neither_its_files_nor_the_answer(room: Room) -> None:
    pictures = [file(f"P{number}", f"{number}.png") for number in range(30)]
    shelf = Shelf({"F1": b"some words"})
    read = await room.read(shelf, *pictures, file("F1", "code.txt"))
    assert [chunk.title for chunk in read.chunks] == ["code.txt"]
    assert len(read.notes) == MAX_NOTES
    assert (await room.read(shelf, *pictures, file("F1", "code.txt"))).notes == ()


async def test_a_name_is_one_short_line_and_no_path(room: Room) -> None:
    name = "../../etc\n" + "x" * 500 + ".txt"
    read = await room.read(Shelf({"F1": b"some words"}), file("F1", name))
    title = read.chunks[0].title
    assert len(title) <= 120
    assert "\n" not in title
    assert title.endswith("….txt")


async def test_no_files_need_no_database(room: Room) -> None:
    await room.engine.dispose()
    assert await room.read(Shelf({})) == Read()


async def test_the_migration_makes_the_table_that_is_used(tmp_path: Path) -> None:
    def columns(connection: sa.Connection) -> Any:
        found = sa.inspect(connection)
        return (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns("attachments")],
            found.get_pk_constraint("attachments")["constrained_columns"],
            [(i["name"], i["column_names"]) for i in found.get_indexes("attachments")],
        )

    def migrated(connection: sa.Connection) -> Any:
        with Operations.context(MigrationContext.configure(connection)):
            import_module("bot.migrations.versions.0003_attachments").upgrade()
        return columns(connection)

    def created(connection: sa.Connection) -> Any:
        ATTACHMENTS.create(connection)
        return columns(connection)

    made = []
    for name, make in (("migrated", migrated), ("created", created)):
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / name}")
        async with engine.begin() as connection:
            made.append(await connection.run_sync(make))
        await engine.dispose()
    assert made[0] == made[1]


class Parser:
    """Gives the same for every file."""

    def __init__(self, gives: Parsed) -> None:
        self._gives = gives

    async def parse(self, original: Original, parser: str) -> Parsed:
        return self._gives


class Endless:
    """Reads until it is ended."""

    async def parse(self, original: Original, parser: str) -> Parsed:
        await asyncio.Event().wait()
        raise AssertionError("nobody ends this")


CHART = file("P1", "chart.png", "image/png")


def seeing(*replies: Reply) -> tuple[Pictures, ScriptedWriter]:
    writer = ScriptedWriter(replies)
    return Pictures(writer, prompts()), writer


async def test_a_picture_is_put_into_words_by_a_model_that_sees(room: Room) -> None:
    room.pictures, writer = seeing("A bar chart: 4,200 euros in March.")
    shelf = Shelf({"P1": b"\x89PNG"})

    read = await room.read(shelf, CHART)
    await room.read(shelf, CHART)

    assert [chunk.text for chunk in read.chunks] == ["A bar chart: 4,200 euros in March."]
    assert read.notes == ()
    (prompt,) = writer.prompts
    assert prompt.messages[-1].picture == "data:image/png;base64,iVBORw=="
    assert prompt.user == "slack:U1"


@pytest.mark.parametrize("error", [ChatUnavailable("the gateway is away"), BudgetSpent("U1 has spent it")])
async def test_a_picture_waits_for_a_vision_model_that_is_away_or_not_paid_for(room: Room, error: Exception) -> None:
    room.pictures, _ = seeing(Failure(error=error), "A bar chart.")
    shelf = Shelf({"P1": b"\x89PNG"})

    assert (await room.read(shelf, CHART)).notes == ("de chat-file-unreadable chart.png",)
    assert (await room.read(shelf, CHART)).chunks[0].text == "A bar chart."


async def test_a_picture_that_the_vision_model_refuses_is_told_once(room: Room) -> None:
    room.pictures, _ = seeing(Failure(error=ChatRefused("this model sees nothing")))
    shelf = Shelf({"P1": b"\x89PNG"})

    assert (await room.read(shelf, CHART)).notes == ("de chat-file-unreadable chart.png",)
    assert await room.read(shelf, CHART) == Read()


async def test_a_picture_of_a_kind_that_no_model_takes_is_declined(room: Room) -> None:
    room.pictures, _ = seeing()
    assert (await room.read(Shelf({}), file("P1", "plan.svg", "image/svg+xml"))).notes == (
        "de chat-image-declined plan.svg",
    )


async def test_hundreds_of_pictures_are_kept_at_once(room: Room) -> None:
    commits = 0

    def counted(*_: object) -> None:
        nonlocal commits
        commits += 1

    pictures = [file(f"P{number}", f"{number}.png") for number in range(2_000)]
    sa.event.listen(room.engine.sync_engine, "commit", counted)
    assert len((await room.read(Shelf({}), *pictures)).notes) == MAX_NOTES
    assert commits < 10
    assert (await room.read(Shelf({}), *pictures)).notes == ()


async def test_signs_that_cannot_be_seen_are_no_part_of_a_name(room: Room) -> None:
    read = await room.read(Shelf({"F1": b"some words"}), file("F1", "\u202efdp.gnihton\u200b\x07\ud800.txt"))
    assert read.chunks[0].title == "fdp.gnihton \ufffd.txt"


async def test_files_without_end_leave_a_question_that_can_be_ranked(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.sandbox = Long(parts=MAX_CHUNKS // 2)
    shelf = Shelf({f"F{number}": b"some words" for number in range(2 * MAX_FILES)})
    files = [file(id, f"{id}.txt") for id in shelf.contents]
    await room.read(shelf, *files)
    monkeypatch.setattr(attachments, "MAX_RANKED", 4_000)
    assert len((await room.read(shelf, *files)).chunks) == 4_000


async def test_what_was_read_in_one_thread_is_given_to_no_other_even_where_it_cannot_be_read_again(room: Room) -> None:
    shelf = Shelf({"F1": b"The code word is sextant."})
    (read,) = (await room.read(shelf, file("F1", "code.txt"))).chunks
    assert "sextant" in read.text
    shelf.contents["F1"] = MessageGone("the file is not shared with you")
    elsewhere = [
        Spot(platform="slack", workspace="T1", channel="C1", thread="200.1", direct=False),
        Spot(platform="slack", workspace="T1", channel="D1", thread="100.1", direct=True),
        Spot(platform="slack", workspace="T1", channel="D2", thread="100.1", direct=True),
        Spot(platform="slack", workspace="T1", channel="C1", thread="", direct=False),
        Spot(platform="slack", workspace="T2", channel="C1", thread="100.1", direct=False),
    ]
    for spot in elsewhere:
        assert (await room.read(shelf, file("F1", "code.txt"), spot=spot)).chunks == ()
    assert (await room.read(shelf, file("F1", "code.txt"))).chunks == (read,)
