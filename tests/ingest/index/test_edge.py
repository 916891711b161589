"""The embedded index: several processes at one folder, sudden death, damage."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from ingest.errors import ConfigurationError
from ingest.index.edge import EdgeStore
from ingest.index.generations import Generations
from ingest.index.hybrid import Index
from ingest.index.interface import Identity, IndexDamaged, IndexMissing, IndexUnavailable
from tests.fixtures.chunks import MEMBER, chunk

IDENTITY = Identity(pipeline=1, embedding=None, size=None, average_words=9, average_grams=40)

PATIENCE = 30
"""Seconds after which a test that waits for another process has failed."""


class Holder:
    """Another process with the index open."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def do(self, word: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{word}\n".encode())
        async with asyncio.timeout(PATIENCE):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def holder(folder: Path) -> AsyncIterator[Holder]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.ingest.index.holder", str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Holder(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[Index]:
    async with Index(EdgeStore(tmp_path / "index")) as index:
        await index.prepare()
        await index.write([chunk("leave of sixteen weeks", title="")])
        await index.flush()
        yield index


def generation(tmp_path: Path, number: int = 1) -> Path:
    """Folder of the index that `index` makes, or of a later one."""
    return tmp_path / "index" / str(number)


async def found(index: Index) -> list[str]:
    return [hit.chunk.text for hit in await index.search("leave", visible_to=MEMBER, language="en")]


async def test_an_idle_process_lets_another_one_in_and_sees_what_it_wrote(index: Index, tmp_path: Path) -> None:
    async with holder(tmp_path / "index") as other:
        assert await other.do("search") == "leave of sixteen weeks"
        async with asyncio.timeout(PATIENCE):
            await index.write([chunk("parental leave", document="new.md", title="")])
        assert await other.do("search") == "parental leave leave of sixteen weeks"


async def test_two_processes_can_write_by_turns_without_losing_anything(index: Index, tmp_path: Path) -> None:
    async with holder(tmp_path / "index") as other:
        for turn in range(3):
            assert await other.do("write") == f"wrote {turn + 1}"
            await index.write([chunk("leave", document=f"here-{turn}.md", title="")])
        assert await index.count() == 7


@pytest.mark.parametrize("last", ["write", "flush"])
async def test_a_killed_process_frees_the_index_and_loses_nothing(index: Index, tmp_path: Path, last: str) -> None:
    async with holder(tmp_path / "index") as other:
        await other.do("write")
        await other.do(last)
        other.process.send_signal(signal.SIGKILL)
        await other.process.wait()
        async with asyncio.timeout(PATIENCE):
            assert await index.count() == (3 if last == "write" else 2)


async def test_many_questions_at_once_are_all_answered(index: Index) -> None:
    answers = await asyncio.gather(*(found(index) for _ in range(50)))
    assert answers == [["leave of sixteen weeks"]] * 50


async def test_an_index_that_is_never_given_up_is_reported_with_its_holder(index: Index, tmp_path: Path) -> None:
    await index.close()
    with FileLock(generation(tmp_path) / "lock"):
        (generation(tmp_path) / "holder").write_text("process 4711 (ingest)", encoding="utf-8")
        store = EdgeStore(tmp_path / "index", wait_seconds=0.01)
        with pytest.raises(IndexUnavailable, match=r"in use by process 4711 \(ingest\) for 0.01 s"):
            await store.count()
    await store.close()


async def test_closing_ends_a_call_that_waits_for_its_turn(index: Index, tmp_path: Path) -> None:
    await index.close()
    store = EdgeStore(tmp_path / "index", wait_seconds=PATIENCE)
    with FileLock(generation(tmp_path) / "lock"):
        async with asyncio.timeout(PATIENCE / 2), asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(refusal(store))
            await asyncio.sleep(0)
            tasks.create_task(store.close())
    assert "is closed in this process" in await waiting


async def refusal(store: EdgeStore) -> str:
    with pytest.raises(IndexUnavailable) as raised:
        await store.count()
    return str(raised.value)


async def test_the_lock_is_free_after_closing(index: Index, tmp_path: Path) -> None:
    await index.close()
    with FileLock(generation(tmp_path) / "lock", timeout=0):
        pass
    with pytest.raises(IndexUnavailable, match="is closed in this process"):
        await index.count()
    await index.close()


async def test_reading_before_the_first_sync_says_to_run_it(tmp_path: Path) -> None:
    async with Index(EdgeStore(tmp_path / "none")) as index:
        with pytest.raises(IndexMissing, match=r"no index at .* yet; run `ingest sync`"):
            await found(index)
    assert not (tmp_path / "none").exists()


def without_shard(folder: Path) -> None:
    shutil.rmtree(folder / "1" / "shard")


def with_a_broken_segment(folder: Path) -> None:
    for file in (folder / "1" / "shard" / "segments").rglob("segment.json"):
        file.write_bytes(b"\0")


def with_a_broken_identity(folder: Path) -> None:
    (folder / "1" / "identity.json").write_text('{"pipeline": 1', encoding="utf-8")


def with_a_broken_pointer(folder: Path) -> None:
    (folder / "generations.json").write_text('{"current": ', encoding="utf-8")


@pytest.mark.parametrize(
    "damage", [without_shard, with_a_broken_segment, with_a_broken_identity, with_a_broken_pointer]
)
async def test_a_damaged_index_says_to_reindex_and_can_be_made_anew(
    index: Index, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    await index.close()
    damage(tmp_path / "index")
    async with Index(EdgeStore(tmp_path / "index")) as again:
        with pytest.raises(IndexDamaged, match="run `ingest reindex`"):
            await found(again)
        await again.create()
        await again.write([chunk("leave anew", title="")])
        assert await found(again) == ["leave anew"]


async def test_an_index_whose_making_was_interrupted_counts_as_none(index: Index, tmp_path: Path) -> None:
    await index.close()
    (generation(tmp_path) / "identity.json").unlink()
    async with Index(EdgeStore(tmp_path / "index")) as again:
        assert await again.prepare() is True
        assert await again.count() == 0


async def test_an_index_that_could_not_be_made_anew_stays(index: Index, tmp_path: Path) -> None:
    (tmp_path / "index" / "2").touch()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        await index.create()
    assert await found(index) == ["leave of sixteen weeks"]


async def test_a_folder_that_cannot_be_one_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with Index(EdgeStore(tmp_path / "file")) as index:
        with pytest.raises(ConfigurationError, match=r"set `index\.path`"):
            await index.prepare()


async def test_an_index_is_compacted_after_enough_writing_and_loses_nothing(tmp_path: Path) -> None:
    for run in range(3):
        async with Index(EdgeStore(tmp_path, compact_points=6)) as index:
            await index.prepare()
            await index.write([chunk("a chunk", document=f"{run}-{number}") for number in range(3)])
            await index.flush()
            # Over sessions: the second one has written six points since the index was made.
            assert (tmp_path / "1" / "uncompacted").read_text() == ("0" if run == 1 else "3")
    async with Index(EdgeStore(tmp_path)) as index:
        assert await index.count() == 9
        assert len(await index.search("chunk", visible_to=MEMBER, language="en", limit=20)) == 9


async def test_an_index_that_cannot_be_compacted_goes_on_and_is_not_tried_at_every_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with Index(EdgeStore(tmp_path, compact_points=2)) as index:
        await index.prepare()
        for number in range(3):
            await index.write([chunk("leave", document=str(number))])
            await index.flush()
        assert await index.count() == 3
    assert caplog.text.count("was not compacted") == 1


@asynccontextmanager
async def drafted(index: Index, text: str) -> AsyncIterator[Index]:
    """The draft of `index`, with one chunk, which is about leave."""
    async with index.draft() as draft:
        await draft.create()
        await draft.write([chunk(text, title="")])
        await draft.flush()
        yield draft


async def publish(index: Index, text: str) -> None:
    async with drafted(index, text) as draft:
        await draft.publish()


async def test_a_draft_is_built_and_published_without_holding_up_another_process(index: Index, tmp_path: Path) -> None:
    async with holder(tmp_path / "index") as other:
        assert await other.do("search") == "leave of sixteen weeks"
        # The other process keeps the index open and this one the draft: neither waits for the other.
        async with asyncio.timeout(PATIENCE), drafted(index, "leave, parental") as draft:
            with FileLock(generation(tmp_path, 2) / "waiting"):
                assert await other.do("search") == "leave of sixteen weeks"
            await draft.publish()
        assert await other.do("search") == "leave, parental"
        await other.do("write")
        assert await index.count() == 2


async def test_an_old_index_is_dropped_though_a_process_still_has_it_open(index: Index, tmp_path: Path) -> None:
    async with holder(tmp_path / "index") as other:
        assert await other.do("search") == "leave of sixteen weeks"
        for text in ("leave: second", "leave: third"):
            async with asyncio.timeout(PATIENCE):
                await publish(index, text)
        assert generations(tmp_path) == {"2", "3"}
        assert await other.do("search") == "leave: third"
    assert generations(tmp_path) == {"2", "3"}


def generations(tmp_path: Path) -> set[str]:
    return {entry.name for entry in (tmp_path / "index").iterdir() if entry.is_dir()}


class Killed(BaseException):
    """Nothing more is done."""


@pytest.mark.parametrize(
    ("step", "before", "in_use"),
    [
        ("new", True, "leave: old"),
        ("complete", True, "leave: old"),
        ("name", True, "leave: old"),
        ("name", False, "leave: new"),
        ("drop", True, "leave: new"),
    ],
)
async def test_killed_at_any_step_of_a_switch_one_whole_index_is_in_use(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, before: bool, in_use: str
) -> None:
    await publish(index, "leave: old")
    do = getattr(Generations, step)

    def killed(*arguments: Any, **options: Any) -> Any:
        if not before:
            do(*arguments, **options)
        raise Killed

    monkeypatch.setattr(Generations, step, killed)
    with pytest.raises(Killed):
        await publish(index, "leave: new")
    monkeypatch.undo()
    await index.close()

    async with Index(EdgeStore(tmp_path / "index")) as again:
        assert await found(again) == [in_use]
        await publish(again, "leave: newest")
        assert await found(again) == ["leave: newest"]
        assert len(generations(tmp_path)) == 2


@pytest.mark.parametrize("step", ["new", "complete", "name"])
async def test_killed_while_the_first_index_is_made_there_is_none_and_nothing_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def killed(*arguments: Any, **options: Any) -> Any:
        raise Killed

    monkeypatch.setattr(Generations, step, killed)
    async with Index(EdgeStore(tmp_path / "index")) as index:
        with pytest.raises(Killed):
            await index.prepare()
    monkeypatch.undo()
    async with Index(EdgeStore(tmp_path / "index")) as again:
        with pytest.raises(IndexMissing):
            await found(again)
        assert await again.prepare() is True
        await publish(again, "leave")
    assert len(generations(tmp_path)) == 2


async def test_an_index_that_another_process_is_changing_is_waited_for(index: Index, tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "index", wait_seconds=0.01)
    with FileLock(tmp_path / "index" / "generations.lock"), pytest.raises(IndexUnavailable, match="has been changing"):
        await store.draft().create(IDENTITY)
    await store.close()


async def test_a_full_disk_is_told_before_the_engine_dies_of_it(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1024 * 1024))
    there = [chunk("leave of sixteen weeks", title="")]
    for write in (
        lambda: index.write([chunk("leave", document="new.md")]),
        lambda: index.describe(there),
        lambda: index.set_readers([there[0].id], MEMBER),
        lambda: index.delete([there[0].id]),
        index.flush,
        index.create,
    ):
        with pytest.raises(IndexUnavailable, match="1 MiB left; free at least 64 MiB"):
            await write()
    assert await found(index) == ["leave of sixteen weeks"]


async def test_a_disk_without_room_for_a_second_index_is_told_before_it_is_begun(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1024 * 1024 * 1024))
    async with index.draft() as draft:
        with pytest.raises(IndexUnavailable, match=r"1024 MiB left; free at least \d{4,} MiB"):
            await draft.create(expecting=100_000)
        await draft.create(expecting=1000)


def full(*_: Any, **options: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_disk_that_fills_up_in_the_middle_is_told_and_can_still_be_read(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(Path, "write_text", full)
    await index.write([chunk("leave")])
    for write in (index.create, index.flush):
        with pytest.raises(IndexUnavailable, match=r"is full; free some space"):
            await write()
    async with Index(EdgeStore(tmp_path / "index")) as again:
        assert len(await found(again)) == 1


class FullShard:
    """An engine that has run out of space."""

    def update(self, _: object) -> None:
        raise Exception("Service runtime error: IO Error: No space left on device (os error 28)")

    def close(self) -> None:
        pass


async def test_an_engine_without_room_is_no_damaged_index(index: Index, tmp_path: Path) -> None:
    class Full(EdgeStore):
        def _load(self, folder: Path) -> Any:
            return FullShard()

    await index.close()
    async with Index(Full(tmp_path / "index")) as again:
        with pytest.raises(IndexUnavailable, match=r"is full; free some space") as raised:
            await again.write([chunk("leave")])
    assert not isinstance(raised.value, IndexMissing)


async def test_a_note_that_cannot_be_written_names_the_folder(index: Index, tmp_path: Path) -> None:
    (generation(tmp_path) / "uncompacted").unlink()
    (generation(tmp_path) / "uncompacted").mkdir()
    await index.write([chunk("leave")])
    with pytest.raises(ConfigurationError, match=r"cannot be used .* set `index\.path`"):
        await index.flush()
