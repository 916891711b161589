"""The server on its port."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket

import httpx
import pytest

from bot.platforms.web import PortTaken, WebPlatform
from ingest.errors import ConfigurationError
from tests.bot.platforms.web import ASKED, Endless, serving, site


async def test_a_taken_port_is_told_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is taken; choose another"):
            WebPlatform(site(), host="127.0.0.1", port=port).bind()


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"serve\.host"):
        WebPlatform(site(), host="203.0.113.9", port=0).bind()


class Waits(logging.Handler):
    """Sets `event` once the server waits for running answers."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Waiting for connections to close"):
            self.event.set()


async def test_answers_being_written_are_finished_before_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endless = Endless()
    waits = Waits()
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "handlers", [waits])
    caplog.set_level(logging.INFO, "uvicorn.error")
    async with serving(site(endless)) as url, httpx.AsyncClient(base_url=url) as http, asyncio.TaskGroup() as group:
        asking = group.create_task(http.post("/v1/chat/completions", json=ASKED))
        await endless.waiting.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await waits.event.wait()
        endless.go_on.set()
        assert (await asking).json()["choices"][0]["message"]["content"] == "Wait over"


async def test_answers_that_never_end_do_not_hold_the_server() -> None:
    endless = Endless()
    async with (
        serving(site(endless), finish_seconds=0) as url,
        httpx.AsyncClient(base_url=url) as http,
        http.stream("POST", "/v1/chat/completions", json={**ASKED, "stream": True}) as response,
    ):
        await endless.waiting.wait()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()
    assert endless.closed.is_set()
