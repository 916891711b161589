"""The assistant as `bot serve` puts it together."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from bot.composition import assistant
from bot.serving import web_platform
from bot.settings import BotSettings
from ingest.cli import cli


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "leave.md").write_text("# Leave\n\nThirty days of leave a year.\n")
    synced = CliRunner().invoke(cli, ["sync", "handbook"])
    assert synced.exit_code == 0, synced.output
    return tmp_path


async def readiness(folder: Path) -> httpx.Response:
    settings = BotSettings().placed(folder)
    async with assistant(settings) as ready, asyncio.TaskGroup() as tasks:
        platform = web_platform(ready, settings, any_port=True)
        address = platform.bind()
        tasks.create_task(platform.run())
        async with httpx.AsyncClient(base_url=address) as http:
            response = await http.get("/readyz")
        platform.stop()
    return response


async def test_a_server_whose_index_was_lost_is_not_ready_and_says_what_to_run(indexed: Path) -> None:
    assert (await readiness(indexed)).status_code == 200
    shutil.rmtree(indexed / ".souffleur" / "index")

    response = await readiness(indexed)

    assert response.status_code == 503
    assert "ingest reindex" in response.json()["checks"]["index"]
