"""The application on a port, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from bot.platforms.web.bounds import HEAD_BYTES, BoundedProtocol, Bounds
from bot.platforms.web.keys import Keys, is_loopback
from bot.platforms.web.rotation import Rotation
from ingest.errors import ConfigurationError

BACKLOG = 2048


class PortTaken(ConfigurationError):
    """Another process listens there."""


class WebPlatform:
    """Serves `app`. `bind` first, when the address must be known (or the port free) before anything else starts."""

    def __init__(
        self,
        app: FastAPI,
        *,
        host: str,
        port: int,
        finish_seconds: float = 20,
        bounds: Bounds | None = None,
        rotation: Rotation | None = None,
    ) -> None:
        """Nothing is bound yet.

        Args:
            app: as `create_app` makes it.
            host: where it listens; without keys an address that only this machine reaches.
            port: 0 takes a free one.
            finish_seconds: how long running answers may go on once asked to end.
            bounds: what one connection may take.
            rotation: what exchanges the keys meanwhile.
        """
        self._host = host
        self._port = port
        self._keys: Keys = app.state.site.keys
        self._rotation = rotation
        self._socket: socket.socket | None = None
        self.ending = asyncio.Event()
        """Set when the end has been asked for, by a signal or by `stop`."""
        self._server = _Server(
            self.ending,
            uvicorn.Config(
                app,
                http=cast(type[asyncio.Protocol], partial(BoundedProtocol, bounds=bounds or Bounds())),
                h11_max_incomplete_event_size=HEAD_BYTES,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # Who asks is decided by the real peer address: see `keys`.
                proxy_headers=False,
                timeout_graceful_shutdown=int(finish_seconds),
            ),
        )

    def bind(self) -> str:
        """Take the port; return the address to open in a browser.

        Raises:
            PortTaken: another process has it.
            ConfigurationError: this machine has no such address, the port may not be taken, or other machines would
                reach it while there are no keys.
        """
        host, port = self._listener().getsockname()[:2]
        if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
            host = "127.0.0.1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def run(self) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; running answers are finished, within the bound. Returns normally."""
        try:
            with self._listener() as listener:
                async with asyncio.TaskGroup() as tasks:
                    rotating = None if self._rotation is None else tasks.create_task(self._rotation.run())
                    await self._server.serve(sockets=[listener])
                    if rotating is not None:
                        rotating.cancel()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _listener(self) -> socket.socket:
        if self._socket is None:
            self._socket = _listening(self._host, self._port, only_here=not len(self._keys))
        return self._socket

    def stop(self) -> None:
        """Ask for the end, as SIGTERM does."""
        self.ending.set()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """Leaves the process to its owner: uvicorn would raise the signal again once it is done, and so end the process
    before whoever called `run` could close what is theirs.
    """

    def __init__(self, ending: asyncio.Event, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._ending.set()
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        try:
            for number in signals:
                loop.add_signal_handler(number, self.handle_exit, number, None)
        except (NotImplementedError, RuntimeError, ValueError):
            # Not the main thread, or a platform without: the owner calls `stop`.
            yield
            return
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def _listening(host: str, port: int, *, only_here: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(
            f"serve.host {host!r} is no address of this machine: {error.strerror or error}"
        ) from error
    if only_here and not is_loopback(str(address[0])):
        listener.close()
        raise ConfigurationError(
            f"serve.host {host!r} can be reached from other machines, and there are no API keys: make one with "
            "`bot key NAME` and add it under `serve.keys`, or set `serve.host` to 127.0.0.1"
        )
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except PermissionError as error:
        listener.close()
        raise ConfigurationError(f"port {port} needs privileges; choose one above 1023 (serve.port)") from error
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"port {port} on {host} is taken; choose another one (serve.port)") from error
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}; change serve.host") from error
    return listener
