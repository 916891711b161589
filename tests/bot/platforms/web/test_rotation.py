"""Keys are exchanged while the server runs, and nothing that goes wrong with that lets anybody in."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from bot.platforms.web import Keys, Rotation
from bot.settings import ApiKey, BotSecrets, BotSettings, read
from tests.bot.platforms.web import ASKED, Script, client, entry, serving, site


class File:
    """A configuration file and the keys that are read from it."""

    def __init__(self, folder: Path, **keys: str) -> None:
        self.path = folder / "souffleur.yaml"
        self.write(**keys)
        self.keys = Keys(self.read(), keyless_here=not keys)
        self.rotation = Rotation(self.keys, self.path, self.read)

    def write(self, **keys: str) -> None:
        lines = [f"    - {{name: {name}, sha256: {entry(name, key).sha256}}}\n" for name, key in keys.items()]
        self.path.write_text("serve:\n  port: 8080\n" + ("  keys:\n" if lines else "") + "".join(lines))

    def read(self) -> tuple[ApiKey, ...]:
        return read(self.path, BotSettings, BotSecrets()).serve.keys

    async def asks(self, key: str = "") -> int:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with client(site(Script("Yes."), keys=self.keys), **headers) as http:
            return (await http.post("/v1/chat/completions", json=ASKED)).status_code


async def test_a_key_is_one_when_it_is_in_the_file_and_none_when_it_is_not(tmp_path: Path) -> None:
    file = File(tmp_path, a="sk-a", b="sk-b")
    file.write(b="sk-b", c="sk-c")
    assert [await file.asks(key) for key in ("sk-a", "sk-b", "sk-c")] == [200, 200, 401]
    await file.rotation.look()
    assert [await file.asks(key) for key in ("sk-a", "sk-b", "sk-c")] == [401, 200, 200]


@pytest.mark.parametrize("content", ["serve: {keys: [{name: a", "serve: {keys: [{name: a, sha256: 0}]}", None])
async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    file = File(tmp_path, a="sk-a")
    await file.rotation.look()
    if content is None:
        file.path.unlink()
    else:
        file.path.write_text(content)
    with caplog.at_level(logging.WARNING):
        await file.rotation.look()
        await file.rotation.look()
    assert await file.asks("sk-a") == 200
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "souffleur.yaml" in caplog.text
    file.write(c="sk-c")
    await file.rotation.look()
    assert (await file.asks("sk-a"), await file.asks("sk-c")) == (401, 200)


async def test_without_any_key_left_nobody_is_let_in(tmp_path: Path) -> None:
    file = File(tmp_path, a="sk-a")
    file.write()
    await file.rotation.look()
    assert (await file.asks("sk-a"), await file.asks()) == (401, 401)


async def test_a_first_key_is_needed_from_then_on_and_for_good(tmp_path: Path) -> None:
    file = File(tmp_path)
    assert await file.asks() == 200
    file.write(a="sk-a")
    await file.rotation.look()
    assert (await file.asks(), await file.asks("sk-a")) == (401, 200)
    file.write()
    await file.rotation.look()
    assert await file.asks() == 401


async def test_a_server_looks_at_the_file_while_it_runs(tmp_path: Path) -> None:
    file, looks = File(tmp_path, a="sk-a"), asyncio.Queue[None]()

    async def sleep(seconds: float) -> None:
        await looks.get()

    rotation = Rotation(file.keys, file.path, file.read, sleep=sleep)
    async with serving(site(keys=file.keys), rotation=rotation):
        file.write(c="sk-c")
        looks.put_nowait(None)
        while await file.asks("sk-c") != 200:  # noqa: ASYNC110 - the look happens in the server's own time
            await asyncio.sleep(0)
