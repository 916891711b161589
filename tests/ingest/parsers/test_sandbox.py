from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from ingest.model import Original
from ingest.parsers import sandbox as sandbox_module
from ingest.parsers.interface import (
    FileUnreadable,
    LimitExceeded,
    NoText,
    ParseError,
    ParserUnavailable,
    ParsingSettings,
    ReadersUnclear,
)
from ingest.parsers.sandbox import PARSERS, Sandbox
from tests.ingest.parsers.misbehaving import REGISTRY

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = ParsingSettings(memory_mb=512, cpu_seconds=1, wall_seconds=30, workers=2, max_file_mb=3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SETTINGS, parsers=REGISTRY | PARSERS) as made:
        yield made


def document(folder: Path, content: str | bytes = "1", name: str = "document.bin") -> Original:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Original(path=path, name=name)


async def test_a_worker_reads_many_documents(sandbox: Sandbox, tmp_path: Path) -> None:
    first = await sandbox.parse(document(tmp_path), "Behaved")
    second = await sandbox.parse(document(tmp_path), "Behaved")
    assert first.text == second.text != str(os.getpid())


@pytest.mark.parametrize(
    ("parser", "content", "kind", "words"),
    [
        ("Hungry", "1", LimitExceeded, "more than 512 MiB of memory (`parsing.memory_mb`)"),
        ("Endless", "36000", LimitExceeded, "more than 1 s of processor time (`parsing.cpu_seconds`)"),
        ("Crashing", "abort", ParseError, "its parser crashed (SIGABRT)"),
        ("Crashing", "raise", ParseError, "its parser crashed (exit code 1) LookupError: no such object 7"),
    ],
)
async def test_a_bomb_costs_its_own_document_and_no_other(
    sandbox: Sandbox, tmp_path: Path, parser: str, content: str, kind: type[ParseError], words: str
) -> None:
    others = [document(tmp_path, name=f"{number}.bin") for number in range(4)]
    bomb, *read = await asyncio.gather(
        sandbox.parse(document(tmp_path, content), parser),
        *(sandbox.parse(other, "Behaved") for other in others),
        return_exceptions=True,
    )
    assert type(bomb) is kind
    assert words in str(bomb)
    assert "\n" not in str(bomb)
    assert not [other for other in read if isinstance(other, BaseException)]


async def test_a_document_that_takes_too_long_is_given_up_and_its_worker_killed(tmp_path: Path) -> None:
    async with Sandbox(SETTINGS.model_copy(update={"wall_seconds": 1}), parsers=REGISTRY) as sandbox:
        with pytest.raises(LimitExceeded, match=r"more than 1 s \(`parsing.wall_seconds`\)"):
            await sandbox.parse(document(tmp_path), "Asleep")
        assert not psutil.pid_exists(int((tmp_path / "document.pid").read_text()))
        assert (await sandbox.parse(document(tmp_path), "Behaved")).text


async def test_each_document_has_its_own_processor_time(sandbox: Sandbox, tmp_path: Path) -> None:
    workers = {(await sandbox.parse(document(tmp_path, "6"), "Endless")).text for _ in range(2)}
    assert len(workers) == 1


async def test_a_crashed_worker_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    before = await sandbox.parse(document(tmp_path), "Behaved")
    with pytest.raises(ParseError):
        await sandbox.parse(document(tmp_path, "abort"), "Crashing")
    after = await sandbox.parse(document(tmp_path), "Behaved")
    assert before.text != after.text


async def test_a_worker_is_replaced_after_a_number_of_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "DOCUMENTS_PER_WORKER", 2)
    async with Sandbox(SETTINGS, parsers=REGISTRY) as sandbox:
        workers = [(await sandbox.parse(document(tmp_path), "Behaved")).text for _ in range(4)]
    assert workers[0] == workers[1] != workers[2] == workers[3]


async def test_a_worker_reaches_neither_network_nor_sockets_nor_programs(sandbox: Sandbox, tmp_path: Path) -> None:
    if not sandbox.network_isolated:
        pytest.skip("this kernel has no seccomp filters")
    parsed = await sandbox.parse(document(tmp_path), "Calling")
    assert parsed.text == "internet:PermissionError local:PermissionError program:PermissionError"


async def test_what_a_library_prints_neither_reaches_the_terminal_nor_the_answer(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parsed = await sandbox.parse(document(tmp_path), "Chatty")
    assert parsed.text.isdigit()
    assert capfd.readouterr() == ("", "")


async def test_a_worker_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_API_KEY", "sk-1")
    async with Sandbox(SETTINGS, parsers=REGISTRY) as sandbox:
        seen = (await sandbox.parse(document(tmp_path), "Curious")).text
    assert "GATEWAY_API_KEY" not in seen
    assert "stdin:False" in seen
    assert f"cwd:{Path.cwd()}" not in seen.split()


async def test_only_front_matter_says_who_the_readers_are(sandbox: Sandbox, tmp_path: Path) -> None:
    assert (await sandbox.parse(document(tmp_path), "Widening")).readers is None


async def test_pages_outside_the_text_are_no_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="pages that are not in its text"):
        await sandbox.parse(document(tmp_path), "Lying")


@pytest.mark.parametrize("parser", ["kreuzberg", "unstructured"])
@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("small.md", "---\nreaders: [group:finance]\n---\n# Pay\n\nBands.\n"),
        ("large.md", "---\nreaders: [group:finance]\n---\n# Pay\n\n" + "Bands and more bands.\n" * 60_000),
        ("page.html", "---\nreaders: [group:finance]\n---\n<h1>Pay</h1><p>Bands."),
    ],
)
async def test_readers_of_front_matter_count_whatever_the_parser(
    sandbox: Sandbox, tmp_path: Path, parser: str, name: str, page: str
) -> None:
    parsed = await sandbox.parse(document(tmp_path, page, name), parser)
    assert parsed.title == "Pay"
    assert parsed.readers == {"group:finance"}


async def test_small_text_needs_no_worker(tmp_path: Path) -> None:
    async with Sandbox(SETTINGS, parsers={}) as sandbox:
        parsed = await sandbox.parse(document(tmp_path, "# Leave\n\n26 days.", "leave.md"), "kreuzberg")
    assert (parsed.title, parsed.text) == ("Leave", "# Leave\n\n26 days.")


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", NoText, "the file is empty"),
        (b"x" * (4 * 1024 * 1024), LimitExceeded, "it has 4 MiB, and at most 3 are read (`parsing.max_file_mb`)"),
    ],
)
async def test_a_file_of_no_or_too_many_bytes_is_not_read(
    sandbox: Sandbox, tmp_path: Path, content: bytes, kind: type[ParseError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        await sandbox.parse(document(tmp_path, content), "Behaved")
    assert str(caught.value) == words


async def test_a_file_that_is_gone_is_reported(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="cannot be read: No such file"):
        await sandbox.parse(Original(path=tmp_path / "gone.md", name="gone.md"), "Behaved")


@pytest.mark.parametrize("parser", ["LateKreuzberg", "LateHtml", "LateMarkup"])
async def test_a_file_that_is_gone_when_a_worker_opens_it_is_told_from_one_that_is_broken(
    sandbox: Sandbox, tmp_path: Path, parser: str
) -> None:
    with pytest.raises(FileUnreadable, match="cannot be read: No such file"):
        await sandbox.parse(document(tmp_path), parser)


async def test_a_worker_tells_unclear_readers_from_other_failures(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(ReadersUnclear, match="must be a list"):
        await sandbox.parse(document(tmp_path, "---\nreaders: oops\n---\n<h1>Pay</h1>", "pay.html"), "kreuzberg")


async def test_a_parser_that_is_not_installed_says_what_to_install(tmp_path: Path) -> None:
    async with Sandbox(SETTINGS, parsers={"layout": "nowhere.layout:Layout"}) as sandbox:
        for _ in range(2):
            with pytest.raises(ParserUnavailable) as caught:
                await sandbox.parse(document(tmp_path), "layout")
    assert "'layout' needs 'nowhere'" in str(caught.value)
    assert ".venv/bin/pip install -e '.[layout]'" in str(caught.value)


async def test_a_worker_ignores_the_interrupt_that_is_meant_for_us(sandbox: Sandbox, tmp_path: Path) -> None:
    worker = (await sandbox.parse(document(tmp_path), "Behaved")).text
    os.kill(int(worker), signal.SIGINT)
    assert (await sandbox.parse(document(tmp_path), "Behaved")).text == worker


async def test_a_cancelled_document_leaves_no_worker_behind(tmp_path: Path) -> None:
    children = set(psutil.Process().children())
    async with Sandbox(SETTINGS, parsers=REGISTRY) as sandbox:
        await sandbox.parse(document(tmp_path), "Behaved")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await sandbox.parse(document(tmp_path), "Asleep")
        assert set(psutil.Process().children()) == children
        await sandbox.parse(document(tmp_path), "Behaved")
    assert set(psutil.Process().children()) == children


PARENT = """
import asyncio, os, sys
from pathlib import Path
from ingest.model import Original
from ingest.parsers.interface import ParsingSettings
from ingest.parsers.sandbox import Sandbox
from tests.ingest.parsers.misbehaving import REGISTRY

async def main():
    path = Path(sys.argv[1])
    async with Sandbox(ParsingSettings(), parsers=REGISTRY) as sandbox, asyncio.TaskGroup() as tasks:
        tasks.create_task(sandbox.parse(Original(path=path, name="x.bin"), "Asleep"))
        while not path.with_suffix(".pid").exists():
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
async def test_a_worker_in_the_middle_of_a_document_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    original = document(tmp_path)
    command = [sys.executable, "-c", PARENT, str(original.path)]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    if psutil.pid_exists(worker := int((tmp_path / "document.pid").read_text())):
        _, alive = await asyncio.to_thread(psutil.wait_procs, [psutil.Process(worker)], 10)
        assert not alive
