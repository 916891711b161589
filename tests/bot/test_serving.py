"""`bot serve` with a chat platform: what its operator is told."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.composition import assistant
from bot.doctor import examine
from bot.platforms.interface import ChatPlatform, PlatformRefused
from bot.platforms.mattermost.settings import MattermostSettings
from bot.serving import service
from bot.settings import BotSettings
from tests.fakes.mattermost import TOKEN, Mattermost

EXPIRING = (("intranet", "2020-01-31"), ("wiki", "2999-01-31"))
"""Names of API keys, and when they expire."""


def settings(folder: Path, url: str, token: str) -> BotSettings:
    mattermost = MattermostSettings(url=url, token=SecretStr(token))
    return BotSettings(mattermost=mattermost).placed(folder)


async def test_a_token_that_is_refused_ends_the_program_with_the_way_out_and_never_shows_it(tmp_path: Path) -> None:
    async with Mattermost().served() as url:
        chosen = settings(tmp_path, url, "not-a-token")
        async with assistant(chosen) as ready, service(ready, chosen, any_port=True) as serving:
            with pytest.raises(PlatformRefused, match="set SOUFFLEUR_MATTERMOST_TOKEN") as refused:
                async with asyncio.timeout(20):
                    await serving.run()
    assert "not-a-token" not in str(refused.value)


async def test_whoever_starts_it_is_told_once_it_hears_a_platform_and_not_before(tmp_path: Path) -> None:
    server, told = Mattermost(), list[str]()
    async with server.served() as url:
        chosen = settings(tmp_path, url, TOKEN)
        async with assistant(chosen) as ready, service(ready, chosen, any_port=True) as serving:

            def heard(platform: ChatPlatform) -> None:
                assert platform.connected.is_set()
                told.append(platform.name)
                serving.web.stop()

            async with asyncio.timeout(20):
                await serving.run(heard=heard)
    assert told == ["mattermost"]


async def test_a_platform_that_was_never_there_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "http://127.0.0.1:9", TOKEN)
    async with (
        assistant(chosen) as ready,
        service(ready, chosen, any_port=True) as serving,
        asyncio.timeout(20),
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(serving.run(heard=lambda platform: pytest.fail("nothing is there")))
        serving.web.stop()
        await running


@pytest.mark.parametrize(
    ("sections", "state", "way_out"),
    [
        ({"serve": {"host": "0.0.0.0"}}, "problem", "bot key NAME"),
        ({"serve": {"host": "0.0.0.0"}, "slack": {}}, "problem", "bot key NAME"),
        (
            {"mattermost": {"url": "http://m", "callback_url": "http://10.0.0.5:8080"}},
            "note",
            "`serve.host` to 0.0.0.0",
        ),
        ({"mattermost": {"url": "http://m", "callback_url": "http://localhost:8080"}}, "ok", "127.0.0.1:8080"),
        (
            {"serve": {"keys": [{"name": name, "sha256": "0" * 64, "expires": end} for name, end in EXPIRING]}},
            "note",
            "2 keys, of which those of intranet have expired",
        ),
    ],
)
async def test_the_doctor_says_whom_the_web_server_lets_in(
    tmp_path: Path, sections: dict[str, Any], state: str, way_out: str
) -> None:
    chosen = BotSettings.model_validate(sections).placed(tmp_path)
    (found,) = [finding async for finding in examine(chosen) if finding.what == "serve"]
    assert found.state == state
    assert way_out in found.says


@pytest.mark.parametrize(
    ("section", "extra"), [({"slack": {}}, "slack"), ({"mattermost": {"url": "http://m"}}, "mattermost")]
)
async def test_a_platform_whose_extra_is_not_installed_is_told_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, Any], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    chosen = BotSettings.model_validate(section).placed(tmp_path)
    (found,) = [finding async for finding in examine(chosen) if finding.what == extra]
    assert found.state == "problem"
    assert f"'.[{extra}]'" in found.says
