"""The server itself: its addresses, who may ask, and how it can be made to misbehave."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from tests.fakes.mattermost import accounts, administration, files, listing, posts, websocket
from tests.fakes.mattermost.commands import Commands
from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.interactivity import Interactivity
from tests.fakes.mattermost.refusals import Refused, busy, refusal
from tests.fakes.mattermost.throttle import Throttle
from tests.fixtures.serving import running

Answer = Callable[[], Response]

WRITES = ("POST /posts", "PUT /posts/", "DELETE /posts/")

OPEN = ("/config/client", "/system/ping", "/users/login")
"""What is answered without a token."""


@dataclass
class Mattermost(Company):
    throttle: Throttle | None = None
    """None: as many calls as one likes, which is the server's default."""
    patience: float = 5.0
    """Seconds after which an event connection without a valid token is dropped (measured on a server)."""
    requests: list[str] = field(default_factory=list)
    """`GET /users/me` and so on, with the query, in the order of their arrival."""
    statuses: Counter[int] = field(default_factory=Counter)
    """How often each status was answered."""
    ill_formed: list[str] = field(default_factory=list)
    """Calls that were refused for what was in them."""
    faults: deque[tuple[str, Answer]] = field(default_factory=deque)
    """What the next requests are answered whose path and query hold a text, one each."""
    always: list[tuple[str, Answer]] = field(default_factory=list)
    """The same for all of them."""
    forbidden: set[str] = field(default_factory=set)
    """Channels whose posts the account may not read although it is a member."""
    exhausted: tuple[int, int] = (0, 0)
    """So many of the next calls that make, change or delete a post are over the rate limit, and to wait so long."""
    after: Callable[[str], None] = lambda request: None
    """Called once a request is answered: for what others do in the meantime."""
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app
    """What stands between the clients and the server."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.interactivity = Interactivity(self)
        self.commands = Commands(self, self.interactivity)
        self._running: uvicorn.Server | None = None

    def fault(self, answer: Answer, times: int = 1, *, of: str = "") -> None:
        """Answer the next `times` requests so, of those whose path and query hold the text `of`."""
        self.faults.extend([(of, answer)] * times)

    def asked(self, text: str) -> int:
        """How many requests held that text."""
        return sum(text in request for request in self.requests)

    def disconnect(self, *, resumable: bool = True) -> None:
        """Drop all event connections; when they are not `resumable`, as by a restart of the server."""
        sockets = [c.wire for c in self.hub.connections if isinstance(c.wire, WebSocket)]
        for connection in self.hub.connections:
            self.hub.leave(connection)
        if not resumable:
            self.hub.forget()
        for socket in sockets:
            self._abort(socket)

    @property
    def app(self) -> Starlette:
        routes: list[BaseRoute] = [
            Route(f"/api/v4{path}", self._guarded(do), methods=[m]) for m, path, do in self.routes
        ]
        routes.append(Route("/hooks/commands/{hook}", self.commands.respond, methods=["POST"]))
        return Starlette(routes=[*routes, WebSocketRoute("/api/v4/websocket", self._websocket)])

    @property
    def routes(self) -> list[tuple[str, str, accounts.Endpoint]]:
        """Method, path and what answers it, given the account that asks."""
        return [
            ("GET", "/system/ping", accounts.ping),
            ("GET", "/config/client", accounts.client_config),
            ("GET", "/users/me", accounts.me),
            ("GET", "/users/me/teams", accounts.my_teams),
            ("GET", "/users/me/channels", accounts.my_channels),
            ("GET", "/users/me/teams/{team}/channels", accounts.my_channels),
            ("GET", "/users/username/{name}", accounts.user_named),
            ("POST", "/users", administration.create_user),
            ("POST", "/users/login", administration.log_in),
            ("PUT", "/users/{user}/patch", administration.patch_user),
            ("POST", "/users/{user}/demote", administration.demote_user),
            ("DELETE", "/users/{user}", administration.deactivate_user),
            ("POST", "/users/ids", accounts.users_by("id")),
            ("POST", "/users/usernames", accounts.users_by("username")),
            ("GET", "/users", accounts.users),
            ("GET", "/users/{user}", accounts.user),
            ("GET", "/users/{user}/teams", accounts.forbidden),
            ("GET", "/users/{user}/groups", accounts.forbidden),
            ("GET", "/users/{user}/teams/{team}/channels", accounts.forbidden),
            ("POST", "/users/{user}/typing", posts.types),
            ("POST", "/users/{user}/tokens", accounts.create_token),
            ("DELETE", "/users/{user}/posts/{post}/reactions/{emoji}", posts.unreact),
            ("POST", "/channels", administration.create_channel),
            ("POST", "/channels/direct", accounts.direct),
            ("GET", "/channels/{channel}", accounts.channel),
            ("GET", "/channels/{channel}/stats", accounts.stats),
            ("GET", "/channels/{channel}/members", accounts.channel_members),
            ("POST", "/channels/{channel}/members", accounts.join("channel")),
            ("GET", "/channels/{channel}/members/{user}", accounts.member("channel")),
            ("GET", "/channels/{channel}/posts", self._posts),
            ("GET", "/teams", accounts.teams),
            ("POST", "/teams", administration.create_team),
            ("DELETE", "/teams/{team}", administration.archive_team),
            ("GET", "/teams/name/{name}", accounts.team_named),
            ("GET", "/teams/{team}/channels", accounts.team_channels),
            ("GET", "/teams/{team}/channels/name/{name}", accounts.channel_named),
            ("POST", "/teams/{team}/members", accounts.join("team")),
            ("GET", "/teams/{team}/members", accounts.team_members),
            ("GET", "/teams/{team}/members/{user}", accounts.member("team")),
            ("POST", "/posts", posts.create),
            ("POST", "/posts/ephemeral", posts.ephemeral),
            ("GET", "/posts/{post}", listing.post),
            ("GET", "/posts/{post}/thread", listing.thread),
            ("GET", "/posts/{post}/reactions", listing.reactions),
            ("GET", "/posts/{post}/files/info", files.of_post),
            ("GET", "/posts/{post}/edit_history", listing.history),
            ("PUT", "/posts/{post}/patch", posts.patch),
            ("DELETE", "/posts/{post}", posts.delete),
            ("POST", "/posts/{post}/actions/{action}", self.interactivity.do_action),
            ("POST", "/reactions", posts.react),
            ("POST", "/actions/dialogs/open", self.interactivity.open_dialog),
            ("POST", "/actions/dialogs/submit", self.interactivity.submit_dialog),
            ("POST", "/files", files.upload),
            ("GET", "/files/{file}/info", files.info),
            ("GET", "/files/{file}", files.content),
            ("GET", "/groups", accounts.groups),
            ("GET", "/groups/{group}/members", accounts.group_members),
            ("GET", "/bots", accounts.bots),
            ("POST", "/bots", accounts.create_bot),
            ("POST", "/bots/{user}/disable", administration.disable_bot),
            ("GET", "/commands", self.commands.shown),
            ("POST", "/commands", self.commands.create),
            ("PUT", "/commands/{command}", self.commands.change),
            ("POST", "/commands/execute", self.commands.execute),
        ]

    @asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[str]:
        """Listens on that loopback port (0: a free one) for the `base_url` that is handed out, in the running loop."""
        async with running(self.around(self.app), port, websockets=True) as (self._running, port):
            config = self._running.config
            config.ws_max_size, config.ws_ping_interval = websocket.FRAME_LIMIT, websocket.PING_SECONDS
            config.ws_ping_timeout = websocket.PONG_SECONDS
            self.commands.site = f"http://127.0.0.1:{port}"
            yield self.commands.site
            self.hub.forget()

    def _guarded(self, do: accounts.Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            query = f"?{request.url.query}" if request.url.query else ""
            said = f"{request.method} {request.url.path.removeprefix('/api/v4')}{query}"
            self.requests.append(said)
            response = await self._answered(request, said, do)
            response.headers["X-Version-Id"] = f"{accounts.VERSION}.1.fake.true"
            self.statuses[response.status_code] += 1
            return response

        return endpoint

    async def _answered(self, request: Request, said: str, do: accounts.Endpoint) -> Response:
        headers: dict[str, str] = {}
        if self.throttle is not None:
            passes, headers = self.throttle.take(request.client.host if request.client else "")
            if not passes:
                response = busy()
                response.headers.update(headers)
                return response
        calls, seconds = self.exhausted
        if calls and said.startswith(WRITES):
            self.exhausted = calls - 1, seconds
            return busy(seconds)
        for fault in self.faults:
            if fault[0] in said:
                self.faults.remove(fault)
                return fault[1]()
        for text, answer in self.always:
            if text in said:
                return answer()
        account = self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if account is None and request.url.path.removeprefix("/api/v4") not in OPEN:
            return refusal(401)
        try:
            response = await do(self, request, account or "")
        except Refused as refused:
            if refused.form and account == self.bot:
                self.ill_formed.append(f"{said}: {refused.id}")
            response = refused.response()
        response.headers.update(headers)
        self.after(said)
        return response

    async def _posts(self, company: Company, request: Request, account: str) -> Response:
        if request.path_params["channel"] in self.forbidden:
            raise Refused(403)
        return await listing.of_channel(company, request, account)

    async def _websocket(self, socket: WebSocket) -> None:
        await websocket.serve(self, socket, abort=self._abort, patience=self.patience)

    def _abort(self, socket: WebSocket) -> None:
        if self._running is not None and socket.client is not None:
            for protocol in [*self._running.server_state.connections]:
                if getattr(protocol, "client", None) == tuple(socket.client):
                    protocol.transport.abort()
