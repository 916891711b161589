"""The source against git's own server program over HTTP, and what it does with the token."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from ingest.sources.git.settings import GitSettings
from ingest.sources.git.source import Git
from ingest.sources.interface import SourceRefused, SourceUnavailable
from tests.conformance.worlds.git import ENVIRONMENT, TOKEN, Forge, Workshop
from tests.ingest.sources.test_git import entries, fetched, listed

pytestmark = pytest.mark.skipif(not Forge.backend.is_file(), reason="`git http-backend` is not installed")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Forge]:
    workshop = Workshop(tmp_path / "workshop").make()
    workshop.commit({"docs/a.md": "a", "docs/b.md": "b"})
    forge = Forge(workshop.folder)
    async with forge.served():
        yield forge


@pytest.fixture
def repository(forge: Forge, tmp_path: Path) -> Git:
    return made(forge, tmp_path)


def made(forge: Forge, tmp_path: Path, **settings: object) -> Git:
    checked = GitSettings.model_validate({"url": forge.url, "token": SecretStr(TOKEN), **settings})
    return Git("team handbook", checked, cache=tmp_path / "cache", environment=ENVIRONMENT)


async def test_a_private_repository_is_listed_and_read_with_the_token(repository: Git) -> None:
    items = entries(await listed(repository))

    assert set(items) == {"docs/a.md", "docs/b.md"}
    assert (await fetched(repository, items["docs/b.md"]))[0] == b"b"


async def test_a_listing_without_a_change_is_one_question(forge: Forge, repository: Git, tmp_path: Path) -> None:
    since = getattr((await listed(repository))[-1], "value", None)
    forge.requests.clear()

    await listed(made(forge, tmp_path), since)

    assert {request.url.path.rpartition("/")[2] for request in forge.requests} == {"refs", "git-upload-pack"}
    assert len(forge.requests) == 2  # capabilities, then the one branch


async def test_the_token_stands_neither_in_arguments_nor_on_disk_nor_in_the_log(
    forge: Forge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    real = shutil.which("git", path=ENVIRONMENT["PATH"])
    tools, log = tmp_path / "tools", tmp_path / "arguments"
    tools.mkdir()
    (tools / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    (tools / "git").chmod(0o755)
    checked = GitSettings(url=forge.url, token=SecretStr(TOKEN))
    environment = {"PATH": f"{tools}:{ENVIRONMENT['PATH']}"}
    repository = Git("team handbook", checked, cache=tmp_path / "cache", environment=environment)

    items = entries(await listed(repository))
    for entry in items.values():
        await fetched(repository, entry)
    forge.token = "another"
    with pytest.raises(SourceRefused) as refused:
        await listed(repository)

    arguments = log.read_text()
    written = [path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert "ls-remote" in arguments
    assert arguments.count("log -z") == 1
    for secret in (TOKEN, "eC1hY2Nlc3Mt"):  # the latter begins the user's name in base64
        assert secret not in arguments + str(refused.value) + caplog.text
        assert not any(secret.encode() in content for content in written)
    assert forge.url not in arguments
    assert not any(forge.url.encode() in content for content in written)


@pytest.mark.usefixtures("without_waits")
async def test_a_rate_limit_is_waited_for(forge: Forge, repository: Git) -> None:
    forge.busy = 3

    assert set(entries(await listed(repository))) == {"docs/a.md", "docs/b.md"}
    assert forge.waited == 3


async def test_a_rate_limit_that_lasts_too_long_is_told_at_once(forge: Forge, repository: Git) -> None:
    forge.busy, forge.retry_after = 100, "1800"

    with pytest.raises(SourceUnavailable, match="answers 429 and asks to wait 1,800 s; try again later"):
        await listed(repository)
    assert forge.waited == 1


@pytest.mark.usefixtures("without_waits")
async def test_a_server_error_is_an_outage_and_not_a_refusal(forge: Forge, repository: Git) -> None:
    forge.answer = Response("the database is away", 503)

    with pytest.raises(SourceUnavailable, match="answers 503"):
        await listed(repository)


async def test_a_fetch_that_breaks_off_is_whole_the_next_time(forge: Forge, repository: Git) -> None:
    forge.breaks = True
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        await listed(repository)
    forge.breaks = False

    assert set(entries(await listed(repository))) == {"docs/a.md", "docs/b.md"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Response("no", 401, {"WWW-Authenticate": "Basic"}), "set SOUFFLEUR_SOURCE_TEAM_HANDBOOK_TOKEN"),
        (Response("no", 403), "set SOUFFLEUR_SOURCE_TEAM_HANDBOOK_TOKEN"),
        (
            Response("no", 404),
            "is not there, or may not be read by us; correct `url`, or set SOUFFLEUR_SOURCE_TEAM_HANDBOOK_TOKEN",
        ),
        (Response("<html>Log in</html>", 200, media_type="text/html"), "does a login page stand in front of it?"),
        (RedirectResponse("http://127.0.0.1:1/elsewhere.git/info/refs"), "redirects, and a token is not sent on"),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, Response) else "",
)
async def test_a_refusal_says_the_way_out(forge: Forge, repository: Git, answer: Response, told: str) -> None:
    forge.answer = answer

    with pytest.raises(SourceRefused) as refused:
        await listed(repository)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "http.c:" not in str(refused.value)


async def test_a_wrong_token_is_refused(forge: Forge, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="set SOUFFLEUR_SOURCE_TEAM_HANDBOOK_TOKEN"):
        await listed(made(forge, tmp_path, token=SecretStr("wrong")))


async def test_a_server_that_is_down_is_unavailable(forge: Forge, tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/team/handbook.git"

    with pytest.raises(SourceUnavailable, match=f"'{url}' cannot be reached .*; is it up?"):
        await listed(made(forge, tmp_path, url=url))
