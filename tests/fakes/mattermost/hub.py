"""The event connections of a Mattermost server: who is connected, what each was sent, what waits for those away."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

DEAD_QUEUE = 128
"""So many sent events are kept for a client that comes back (v11 source)."""
ACTIVE_QUEUE = 256
"""So many events wait for a client; with one more its connection is given up (v11 source)."""
REAPED_AFTER = 5 * 60_000
"""Milliseconds after which a connection without a client is forgotten (v11 source)."""
REMEMBERED = 60_000
"""Milliseconds for which events can be delivered again."""


@dataclass(eq=False)
class Connection:
    """What the server keeps of a client's connection, also while the client is away."""

    id: str
    user: str
    sequence: int = 0
    """Of the next event that is sent."""
    sent: deque[Row] = field(default_factory=lambda: deque(maxlen=DEAD_QUEUE))
    waiting: deque[Row] = field(default_factory=deque)
    wire: object | None = None
    """The socket that it is served by; None while the client is away."""
    left_at: int = 0
    present: str | None = None
    """The channel that the client said it shows; None: it never sent a `presence` action."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self) -> Row | None:
        """The next event to be sent, numbered; None when there is none."""
        if not self.waiting:
            self.news.clear()
            return None
        event = self.waiting.popleft() | {"seq": self.sequence}
        self.sequence += 1
        self.sent.append(event)
        return event

    def again(self, sequence: int) -> list[Row] | None:
        """What was sent from that number on; None when some of it is lost."""
        first = self.sent[0]["seq"] if self.sent else self.sequence
        if not first <= sequence <= self.sequence:
            return None
        return [event for event in self.sent if event["seq"] >= sequence]


class Hub:
    def __init__(self, *, new_id: Callable[[], str], time: Callable[[], int]) -> None:
        self.connections: list[Connection] = []
        self.listeners: list[Callable[[str, Row, Set[str]], None]] = []
        """Told of each event, its data and who gets it: for whoever watches the server itself."""
        self.changes = 0
        """So many events have happened."""
        self._new_id = new_id
        self._time = time
        self._changed = asyncio.Event()
        self._past: deque[tuple[int, Callable[[], None]]] = deque()

    def publish(self, event: str, data: Row, users: Set[str], *, channel: str, own: Mapping[str, Row]) -> None:
        """Send to all connections of these users; `own` is data for one of them alone."""

        def deliver() -> None:
            for connection in [*self.connections]:
                if connection.user in users and _concerns(connection, event, channel):
                    self._queue(connection, event, data | own.get(connection.user, {}), channel)

        deliver()
        self._past.append((self._time(), deliver))
        while self._past and self._past[0][0] < self._time() - REMEMBERED:
            self._past.popleft()
        for listener in self.listeners:
            listener(event, data, users)
        self.changes += 1
        self._changed.set()

    async def changed(self, since: int) -> int:
        """Wait until more has happened than `since`; how much it is then."""
        while self.changes <= since:
            self._changed.clear()
            await self._changed.wait()
        return self.changes

    def redeliver(self) -> None:
        """Send every event of the last minute again, to whoever is connected now, with new numbers."""
        for _, deliver in [*self._past]:
            deliver()

    def connect(self, user: str, id: str | None, sequence: str | None) -> Connection | None:
        """The connection that a client of this user gets; None when the server hangs up on it.

        A client that names a connection it has lost must say which event it expects next (v11 source; the OpenAPI
        page says "last received", which is wrong), else it is hung up on. When all of what follows can be had, it
        is sent again, under the same id and without a hello (measured on a server). When not, or when the
        connection is not known, the connection has a new id and counts from 0, from a hello on.
        """
        self._reap()
        known = next((c for c in self.connections if c.id == id and c.user == user and c.wire is None), None)
        if known is None:
            connection = Connection(id=self._new_id(), user=user)
            self.connections.append(connection)
            self._hello(connection)
            return connection
        if sequence is None or not sequence.isdecimal():
            self.connections.remove(known)
            return None
        again = known.again(int(sequence))
        if again is None:
            known.id, known.sequence = self._new_id(), 0
            known.sent.clear()
            self._hello(known)
        else:
            known.sequence = int(sequence)
            known.waiting.extendleft(reversed(again))
            for _ in again:
                known.sent.pop()
        return known

    def leave(self, connection: Connection) -> None:
        """Its client is gone; what happens is kept for it for a while."""
        connection.wire = None
        connection.left_at = self._time()
        connection.news.set()

    def forget(self) -> None:
        """As after a restart of the server: no connection can be resumed."""
        for connection in self.connections:
            self.leave(connection)
        self.connections.clear()

    def _hello(self, connection: Connection) -> None:
        data = {"connection_id": connection.id, "server_version": "11.11.1.1.fake.true", "server_hostname": "fake"}
        connection.waiting.appendleft(_event("hello", data, "", connection.user))
        connection.news.set()

    def _queue(self, connection: Connection, event: str, data: Row, channel: str) -> None:
        if len(connection.waiting) >= ACTIVE_QUEUE:
            self.leave(connection)
            self.connections.remove(connection)
            return
        connection.waiting.append(_event(event, data, channel, "" if channel else connection.user))
        connection.news.set()

    def _reap(self) -> None:
        self.connections = [
            c
            for c in self.connections
            if c.wire is not None or c.left_at + REAPED_AFTER >= self._time() or not c.left_at
        ]


def _concerns(connection: Connection, event: str, channel: str) -> bool:
    """Typing and reactions reach only clients that show the channel, once a client has said what it shows (v11.10)."""
    seldom = event in ("typing", "reaction_added", "reaction_removed")
    return not seldom or connection.present in (None, channel)


def _event(event: str, data: Row, channel: str, user: str) -> Row:
    broadcast = {"omit_users": None, "user_id": user, "channel_id": channel, "team_id": "", "connection_id": ""}
    return {"event": event, "data": data, "broadcast": broadcast}
