"""The backends: where ledger and index are, and how the server under one of them goes away and comes back."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.crash.task import Place
from tests.fixtures import postgres
from tests.fixtures.postgres import Postgres
from tests.fixtures.qdrant import Fault, Qdrant, at_write

BACKENDS = ("edge-sqlite", "edge-postgres", "server")


MEMORY = Path("/dev/shm")
"""A disk that takes no time, where there is one: what is killed here are processes, and never what they wrote."""


class Backend(Protocol):
    name: str
    long: float
    """How likely a paper of 3,000 chunks is, run by run."""

    def place(self, *, dense: bool, compact_points: int) -> Place:
        """An empty one."""
        ...

    def trouble(self, chance: random.Random) -> str | None:
        """Have the server misbehave during the next run, and say how; None where there is no such server."""
        ...

    def restart(self) -> None:
        """The server dies, and is there again."""
        ...

    def calm(self) -> None:
        """Nothing misbehaves any more."""
        ...


class Embedded:
    """Edge with SQLite, or with Postgres."""

    long = 1 / 12

    def __init__(self, folder: Path, server: Postgres | None = None) -> None:
        self.name = "edge-sqlite" if server is None else "edge-postgres"
        self._folder = folder
        self._server = server
        self._numbers = itertools.count(1)

    def place(self, *, dense: bool, compact_points: int) -> Place:
        home = self._folder / str(next(self._numbers))
        state = f"sqlite+aiosqlite:///{home / 'state.db'}" if self._server is None else self._server.database()
        return Place(state=state, folder=home / "index", dense=dense, compact_points=compact_points)

    def trouble(self, chance: random.Random) -> str | None:
        return None

    def restart(self) -> None:
        if self._server is not None:
            self._server.stop("immediate")
            self._server.start()

    def calm(self) -> None:
        pass


class Served:
    """A Qdrant server in this process, with SQLite."""

    name = "server"
    long = 1 / 60  # the small engine compares a question with every point

    def __init__(self, folder: Path, server: Qdrant) -> None:
        self._folder = folder
        self._server = server
        self._numbers = itertools.count(1)
        self._url = ""

    @contextmanager
    def served(self) -> Iterator[None]:
        with self._server.served() as self._url:
            yield

    def place(self, *, dense: bool, compact_points: int) -> Place:
        home = self._folder / str(next(self._numbers))
        self._server.empty()
        return Place(state=f"sqlite+aiosqlite:///{home / 'state.db'}", url=self._url, dense=dense)

    def trouble(self, chance: random.Random) -> str | None:
        fault = chance.choice(list(Fault))
        write = chance.randint(1, 12)
        self._server.fault = at_write(write, fault, times=chance.randint(1, 3))
        return f"{fault} at request {write}"

    def restart(self) -> None:
        """Connections break; what was acknowledged is there afterwards."""
        self._server.break_connections()

    def calm(self) -> None:
        self._server.fault = None


@contextmanager
def opened(backend: str) -> Iterator[Backend]:
    """The backend of that name. Raises `postgres.Unavailable`."""
    with tempfile.TemporaryDirectory(prefix="souffleur-crash-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        match backend:
            case "edge-sqlite":
                yield Embedded(Path(folder))
            case "edge-postgres":
                with postgres.running() as server:
                    yield Embedded(Path(folder), server)
            case "server":
                served = Served(Path(folder), Qdrant())
                with served.served():
                    yield served
            case _:
                raise ValueError(f"no backend {backend!r}; there are {', '.join(BACKENDS)}")
