"""What git is allowed to do, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import psutil
import pytest

from ingest.sources.git import client, process
from ingest.sources.git.failures import Busy, Damaged, NotOffered, damage, failure
from ingest.sources.git.settings import GitSettings
from ingest.sources.git.source import Git
from ingest.sources.interface import SourceRefused, SourceUnavailable
from tests.conformance.worlds.git import ENVIRONMENT, Workshop, git
from tests.ingest.sources.test_git import cache, entries, fetched, listed, source, workshop

__all__ = ["cache", "workshop"]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


def install(tools: Path, script: str) -> dict[str, str]:
    """Another `git`; the environment that has it."""
    (tools / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tools / "git").chmod(0o755)
    return {"PATH": f"{tools}:{ENVIRONMENT['PATH']}"}


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """A pipe into which a hanging git writes its process id and that of what it started."""
    pipe = tmp_path / "started"
    os.mkfifo(pipe)
    return pipe


def hanging(tools: Path, started: Path) -> dict[str, str]:
    """A git that ignores being told to end, and so does what it started."""
    return install(
        tools,
        f"""trap '' TERM
case $1 in version) echo git version 2.50.0; exit;; esac
sleep 600 & echo $$ $! > {started}; wait; wait; wait""",
    )


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def ended(pids: list[int]) -> None:
    """Once they have: what was killed closes its pipes before it is gone."""
    async with asyncio.timeout(10):
        while any(map(alive, pids)):  # noqa: ASYNC110 - the system tells nobody but a parent
            await asyncio.sleep(0)


async def test_a_cancelled_listing_ends_git_and_all_that_it_started(
    workshop: Workshop, cache: Path, tools: Path, started: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ENDING_SECONDS", 0.05)
    repository = source(workshop, cache, environment=hanging(tools, started))
    async with asyncio.TaskGroup() as group:
        listing = group.create_task(listed(repository))
        pids = [int(pid) for pid in (await asyncio.to_thread(started.read_text)).split()]
        assert all(map(alive, pids))
        listing.cancel()

    assert listing.cancelled()
    await ended(pids)


async def test_a_listing_can_be_cancelled_at_any_moment(workshop: Workshop, cache: Path) -> None:
    workshop.commit({"a.md": "a"})
    others = set(psutil.Process().children())
    for turns in range(0, 4000, 100):
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            listing = group.create_task(listed(source(workshop, cache)))
            for _ in range(turns):
                await asyncio.sleep(0)
            listing.cancel()

    assert set(psutil.Process().children()) <= others
    assert set(entries(await listed(source(workshop, cache)))) == {"a.md"}


async def test_a_git_that_does_not_answer_in_time_is_ended(
    workshop: Workshop, cache: Path, tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "ENDING_SECONDS", 0.05)
    monkeypatch.setattr(client, "ASK_SECONDS", 0.5)
    pids = tmp_path / "pids"  # no pipe: on a slow machine nobody may write to it in time
    pids.touch()

    with pytest.raises(SourceUnavailable, match=r"did not end in 0\.5 s; try again later"):
        await listed(source(workshop, cache, environment=hanging(tools, pids)))

    await ended([int(pid) for pid in pids.read_text().split()])


async def test_a_machine_without_git_or_with_an_old_one_is_told_what_to_install(
    workshop: Workshop, cache: Path, tools: Path
) -> None:
    with pytest.raises(SourceRefused, match=r"install git 2\.32 or newer"):
        await listed(source(workshop, cache, environment={"PATH": str(tools)}))
    with pytest.raises(SourceRefused, match=r"'git version 2\.20\.1' is too old; install git 2\.32 or newer"):
        await listed(source(workshop, cache, environment=install(tools, "echo git version 2.20.1")))


async def test_a_repository_is_read_over_ssh_without_a_question(workshop: Workshop, cache: Path, tools: Path) -> None:
    workshop.commit({"a.md": "a"})
    (tools / "ssh").write_text(f'#!/bin/sh\necho "$@" >> {tools}/log; for last; do :; done; exec sh -c "$last"\n')
    (tools / "ssh").chmod(0o755)
    environment = {"PATH": f"{tools}:{ENVIRONMENT['PATH']}"}

    for url in (f"git@git.example.org:{workshop.folder}", f"ssh://git@git.example.org:7999{workshop.folder}"):
        repository = source(workshop, cache, environment=environment, url=url)
        assert (await fetched(repository, entries(await listed(repository))["a.md"]))[0] == b"a"

    for line in (tools / "log").read_text().splitlines():
        assert "-o BatchMode=yes" in line
        assert "git@git.example.org git-upload-pack" in line


async def test_git_gets_only_what_it_needs_of_the_environment(workshop: Workshop, cache: Path, tools: Path) -> None:
    kept = tools / "environment"
    environment = install(tools, f"test $1 = version && exec echo git version 2.50.0; env > {kept}; exit 1")
    environment |= {"HOME": "/home/ada", "SECRET": "s", "GIT_DIR": "/etc", "GIT_SSH_COMMAND": "evil"}

    with pytest.raises(SourceUnavailable):
        await listed(source(workshop, cache, environment=environment))

    held = dict(line.split("=", 1) for line in kept.read_text().splitlines() if "=" in line)
    assert held["HOME"] == "/home/ada"
    assert held["GIT_DIR"] == str(cache / "repository.git")
    assert held["GIT_ALLOW_PROTOCOL"] == "file"
    assert (held["GIT_TERMINAL_PROMPT"], held["GIT_CONFIG_NOSYSTEM"]) == ("0", "1")
    assert held["GIT_SSH_COMMAND"].startswith("ssh -o BatchMode=yes")
    assert "SECRET" not in held


async def test_the_configuration_of_whoever_runs_it_is_not_read(
    workshop: Workshop, cache: Path, tmp_path: Path
) -> None:
    workshop.commit({"a.md": "a"})
    (tmp_path / ".gitconfig").write_text('[url "/nowhere/"]\n    insteadOf = file:///\n')

    assert entries(await listed(source(workshop, cache, environment=ENVIRONMENT | {"HOME": str(tmp_path)})))


async def test_hooks_filters_and_helpers_of_a_repository_do_not_run(
    workshop: Workshop, cache: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    run = f"touch {ran}"
    workshop.commit({"a.md": "a", ".gitattributes": "*.md filter=evil diff=evil", ".lfsconfig": "[lfs]\nurl=x"})
    for key in ("core.fsmonitor", "core.sshCommand", "filter.evil.smudge", "diff.evil.textconv", "credential.helper"):
        git(workshop.folder, "config", key, run)
    git(workshop.folder, "config", "uploadpack.packObjectsHook", run)
    for folder in (workshop.folder / ".git" / "hooks", cache / "repository.git" / "hooks"):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("post-update", "reference-transaction", "post-checkout", "pre-auto-gc"):
            (folder / name).write_text(f"#!/bin/sh\n{run}\n")
            (folder / name).chmod(0o755)
    (cache / "repository.git" / "HEAD").write_text("ref: refs/heads/main\n")
    (cache / "repository.git" / "objects").mkdir()
    (cache / "repository.git" / "refs").mkdir()
    repository = source(workshop, cache)

    items = entries(await listed(repository))

    assert (await fetched(repository, items["a.md"]))[0] == b"a"
    assert not ran.exists()


async def test_an_address_that_is_a_command_is_not_run(cache: Path, tmp_path: Path) -> None:
    settings = GitSettings.model_construct(url=f"ext::touch {tmp_path}/ran")  # as if it had not been checked
    repository = Git("handbook", settings, cache=cache, environment=ENVIRONMENT)

    with pytest.raises(SourceRefused, match="is refused; correct `url`"):
        await listed(repository)
    assert not (tmp_path / "ran").exists()


async def test_an_endless_tree_is_not_read_to_its_end(
    workshop: Workshop, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MOST_BYTES", 100_000)
    blob = git(workshop.folder, "hash-object", "-w", "--stdin", input=b"x").strip()
    lines = "".join(f"100644 blob {blob}\tf{number}\n" for number in range(10))
    for _ in range(6):  # a million files in seven objects
        tree = git(workshop.folder, "mktree", input=lines.encode()).strip()
        lines = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
    commit = git(workshop.folder, "commit-tree", tree, "-m", "bomb").strip()
    git(workshop.folder, "update-ref", "refs/heads/main", commit)

    with pytest.raises(SourceRefused, match="has millions of files or branches"):
        await listed(source(workshop, cache))


async def test_the_whole_history_is_read_once_for_all_documents(workshop: Workshop, cache: Path, tools: Path) -> None:
    real = next(
        path for folder in ENVIRONMENT["PATH"].split(":") if (path := Path(folder, "git")).is_file() and folder != tools
    )
    log = tools / "log"
    environment = install(tools, f'echo "$1" >> {log}; exec {real} "$@"')
    workshop.commit({f"{number}.md": str(number) for number in range(20)})
    repository = source(workshop, cache, environment=environment)

    for entry in entries(await listed(repository)).values():
        assert (await fetched(repository, entry))[1].author == "Ada"

    assert log.read_text().split().count("log") == 1


async def test_a_history_that_cannot_be_read_costs_the_dates_alone_and_is_told(
    workshop: Workshop, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client, "HISTORY_SECONDS", 0.0)
    workshop.commit({"a.md": "a"})
    repository = source(workshop, cache)

    content, original = await fetched(repository, entries(await listed(repository))["a.md"])

    assert (content, original.author, original.updated_at) == (b"a", None, None)
    assert "source 'handbook': 1 files have no date from the history" in caplog.text


async def test_dates_reach_back_only_so_far(workshop: Workshop, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_COMMITS", 1)
    workshop.commit({"a.md": "a"})
    workshop.commit({"b.md": "b"})
    repository = source(workshop, cache)
    items = entries(await listed(repository))

    assert (await fetched(repository, items["a.md"]))[1].updated_at is None
    assert (await fetched(repository, items["b.md"]))[1].updated_at is not None


REFUSED = {
    "remote: Repository not found.\nfatal: repository 'https://github.com/a/b.git/' not found": "is not there",
    "remote: The project you were looking for could not be found or you don't have permission": "is not there",
    "ERROR: Repository not found.\nfatal: Could not read from remote repository.": "is not there",
    "fatal: '/srv/x' does not appear to be a git repository": "is not there",
    "remote: Invalid username or token.\nfatal: Authentication failed for 'https://x/'": "wants a token",
    "remote: HTTP Basic: Access denied. The provided password or token is incorrect": "wants a token",
    "fatal: unable to access 'https://x/': The requested URL returned error: 403": "wants a token",
    "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote": "refuses our ssh key",
    "Host key verification failed.\nfatal: Could not read from remote repository.": "known_hosts",
    "error: cannot run ssh: No such file or directory\nfatal: unable to fork": "ssh, which is not installed",
    "fatal: couldn't find remote ref refs/heads/main": "has no branch 'main'",
    "fatal: detected dubious ownership in repository at '/srv/x/.git'": "belongs to another user",
    "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate": "GIT_SSL_CAINFO",
    "fatal: unable to access 'https://x/': The requested URL returned error: 301": "redirects",
    "fatal: transport 'ext' not allowed": "is refused; correct `url`",
    "fatal: protocol error: bad line length character: <htm": "does not answer as a git server",
}

OUTAGES = (
    "fatal: unable to access 'https://x/': Could not resolve host: x",
    "ssh: Could not resolve hostname x: Temporary failure in name resolution\nfatal: Could not read from remote",
    "ssh: connect to host x port 22: Connection timed out\nfatal: Could not read from remote repository.",
    "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: early EOF",
    "fatal: the remote end hung up unexpectedly",
    "fatal: unable to access 'https://x/': gnutls_handshake() failed: The TLS connection was non-properly terminated.",
    "",
)


@pytest.mark.parametrize("said", REFUSED)
def test_what_somebody_must_change_is_a_refusal(said: str) -> None:
    error = failure("handbook", "https://x/", "main", said)

    assert isinstance(error, SourceRefused)
    assert REFUSED[said] in str(error)
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("said", OUTAGES)
def test_what_may_pass_is_an_outage(said: str) -> None:
    error = failure("handbook", "https://x/", "main", said)

    assert type(error) is SourceUnavailable
    assert "is it up?" in str(error)


def test_other_failures_are_told_apart() -> None:
    def met(said: str) -> SourceRefused | SourceUnavailable:
        return failure("handbook", "https://x/", None, said)

    assert isinstance(met("error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502"), Busy)
    assert isinstance(met("fatal: remote error: upload-pack: not our ref 1111"), NotOffered)
    assert isinstance(met("fatal: bad object refs/souffleur/head"), Damaged)
    assert "free some space" in str(met("fatal: write error: No space left on device"))
    assert "free some space" in str(damage("handbook", "fatal: write error: No space left on device"))


def test_the_words_of_a_server_cannot_write_on_the_terminal() -> None:
    error = failure("handbook", "https://x/", None, "remote: \x1b[2Jhello\u202e\nfatal: repository 'x' not found")

    assert str(error).isprintable()
