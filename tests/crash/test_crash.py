"""The short form of `python -m tests.crash`, and what becomes of leases and full disks."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash import chain, places
from tests.crash.chain import Chain, Child, Row, Strike
from tests.crash.documents import Expected, Papers
from tests.crash.places import BACKENDS, Backend, Embedded
from tests.crash.task import Blow, Done, Place, Reached, Target, Task

RUNS = {"edge-sqlite": 9, "edge-postgres": 5, "server": 5}
"""Of each backend; they take a few tenths of a second each."""

WAIT = 60


@pytest.fixture(scope="module", autouse=True)
def forking() -> None:
    chain.start_forking()


@contextmanager
def opened(name: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Backend]:
    if name == "edge-postgres":
        yield Embedded(folder, request.getfixturevalue("postgres"))
    else:
        with places.opened(name) as backend:
            yield backend


@pytest.mark.parametrize("name", BACKENDS)
def test_a_plain_sync_mends_whatever_a_struck_one_left(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    seed = random.randrange(10**6)
    tried: Counter[Strike] = Counter()
    print(f"seed {seed}")
    with opened(name, request, tmp_path) as backend:
        chains = (Chain(backend, number, f"{seed}/{name}", tried, long=False) for number in itertools.count(1))
        rows: Iterator[Row] = itertools.chain.from_iterable(chain.rows() for chain in chains)
        for row in itertools.islice(rows, RUNS[name]):
            assert not row.wrong[:5], f"{row.seed}: {row.strike}"


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    state = f"sqlite+aiosqlite:///{tmp_path / 'state.db'}"
    if request.param == "postgres":
        state = request.getfixturevalue("postgres_url")
    return Place(state=state, folder=tmp_path / "index")


def holding(place: Place, source: str) -> Child:
    """A process that holds the lease of `source`."""
    child = Child(Task(place=place, papers=Papers(), what="hold", source=source))
    assert isinstance(heard(child), Reached)
    return child


def heard(child: Child) -> Reached | Done:
    assert child.pipe.poll(WAIT)
    return child.pipe.recv()


def test_a_lease_is_free_at_once_when_its_process_is_killed_and_keeps_out_nobody_else(place: Place) -> None:
    papers = Papers()
    papers.change(random.Random(1))
    first, other = holding(place, "papers"), holding(place, "letters")
    second = Child(Task(place=place, papers=papers, source="papers"))
    refused = heard(second)
    assert isinstance(refused, Done)
    assert refused.error is not None
    assert "another ingest process is writing 'papers'" in refused.error
    assert refused.writes == {}

    assert first.process.pid is not None
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.join()

    third = Child(Task(place=place, papers=papers, source="papers"))
    done = heard(third)
    assert isinstance(done, Done)
    assert (done.error, done.raw) == (None, None)
    assert other.process.is_alive()
    for child in (first, other, second, third):
        child.end()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of that size at `folder`; skips where this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount`")
    if mounted.returncode:
        pytest.skip(f"no small disk: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_disk_that_fills_up_during_a_sync_costs_nothing_once_there_is_room_again(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    papers, expected = Papers(), Expected()
    with small_disk(disk, 160):
        place = Place(state=f"sqlite+aiosqlite:///{disk / 'state.db'}", folder=disk / "index")
        papers.change(random.Random(1))
        assert ended(Task(place=place, papers=papers)).error is None
        ballast = disk / "ballast"
        free = os.statvfs(disk)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 66 * 1024 * 1024)
        papers.change(random.Random(2), long=True)

        full = ended(Task(place=place, papers=papers))
        ballast.unlink()
        expected.completed(papers)
        mended = ended(Task(place=place, papers=papers, what="mend"))

    assert full.error is not None
    assert "disk" in full.error
    assert (mended.error, mended.raw, mended.wrong) == (None, None, [])
    assert expected.wrong(papers, mended.held) == []


def test_a_sync_that_is_killed_during_a_compaction_is_followed_by_one_that_waits_for_its_end(tmp_path: Path) -> None:
    papers, expected = Papers(), Expected()
    papers.change(random.Random(1))
    expected.completed(papers)
    place = Place(state=f"sqlite+aiosqlite:///{tmp_path / 'state.db'}", folder=tmp_path / "index", compact_points=1)
    struck = Child(Task(place=place, papers=papers, blow=Blow.DURING, target=Target(write="compact")))
    assert isinstance(heard(struck), Reached)
    struck.end()

    mended = ended(Task(place=place, papers=papers, what="mend"))

    assert (mended.error, mended.wrong) == (None, [])
    assert expected.wrong(papers, mended.held) == []


def ended(task: Task) -> Done:
    child = Child(task)
    done = heard(child)
    child.end()
    assert isinstance(done, Done)
    assert done.raw is None
    return done


def test_the_program_itself_is_killed_and_run_again(tmp_path: Path) -> None:
    for number in range(60):
        page = tmp_path / "docs" / f"{number}.md"
        page.parent.mkdir(exist_ok=True)
        page.write_text(f"# Page {number}\n\n" + f"Rule {number} of the house is about the garden. " * 30)
    ingest = [sys.executable, "-m", "ingest"]
    with subprocess.Popen([*ingest, "sync", "docs"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as killed:
        assert killed.stderr is not None
        line = killed.stderr.readline()
        killed.kill()
    assert "60 documents, 60 to read" in line

    again = subprocess.run([*ingest, "sync", "docs", "--json"], cwd=tmp_path, capture_output=True, timeout=WAIT)
    verified = subprocess.run([*ingest, "verify", "--json"], cwd=tmp_path, capture_output=True, timeout=WAIT)

    assert (again.returncode, verified.returncode) == (0, 0), again.stderr + verified.stderr
    verdict = json.loads(verified.stdout)
    assert verdict["agrees"]
    assert verdict["index"] == verdict["ledger"] > 0
