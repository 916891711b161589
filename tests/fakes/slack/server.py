"""The workspace on a loopback port: its Web API, downloads, response addresses and Socket Mode."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from tests.fakes.slack.http_delivery import delivering
from tests.fakes.slack.methods import METHODS
from tests.fakes.slack.methods.chat import respond
from tests.fakes.slack.methods.of_people import METHODS_OF_PEOPLE
from tests.fakes.slack.people import People
from tests.fakes.slack.socket_mode import SocketMode
from tests.fakes.slack.tiers import Tiers
from tests.fakes.slack.wire import LOGIN_PAGE, Behaviour, Received, Refused, arguments, limited
from tests.fixtures.serving import served

HAPPENS = frozenset(
    {
        *("already_reacted", "channel_not_found", "expired_trigger_id", "is_archived", "message_not_found"),
        *("message_not_in_streaming_state", "no_reaction", "not_in_channel", "ratelimited", "stopped_by_user"),
        *("streaming_state_conflict", "thread_not_found", "user_not_found", "user_not_in_channel"),
    }
)
"""Refusals that a correct app may meet: somebody did something meanwhile. Any other one is a fault of the app."""


class Slack(People):
    """`tiers` counts calls as Slack's rate limits do; without it nobody is ever too fast."""

    def __init__(self, *, tiers: Tiers | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.tiers = tiers
        self.tells_scopes = True
        """Whether answers carry `X-OAuth-Scopes`; something between may take it out."""
        self.user_tokens: dict[str, str] = {}
        """People by the tokens that they gave the app (`xoxp-…`)."""
        self.revoked: str | None = None
        """The error that every request gets (`token_revoked`, `account_inactive`)."""
        self.requests: list[Received] = []
        self.refusals: list[tuple[str, str, dict[str, Any]]] = []
        """Method, error and arguments of each call that was answered with an error."""
        self.too_many = 0
        """Calls answered with 429."""
        self.around: Callable[[ASGIApp], ASGIApp] = lambda app: app
        """What stands between the app and the server."""
        self.socket_mode = SocketMode(self)
        self._script: defaultdict[str, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str, Behaviour] = {}
        self._busy: deque[int] = deque()

    def script(self, *behaviours: Behaviour, on: str = "") -> None:
        """What to do with the next requests (of the method `on`), one behaviour each."""
        self._script[on].extend(behaviours)

    def always(self, behaviour: Behaviour | None, on: str = "") -> None:
        """What to do with every request (of the method `on`) after the script; None behaves."""
        if behaviour is None:
            self._always.pop(on, None)
        else:
            self._always[on] = behaviour

    def busy(self, calls: int, *, seconds: int = 1) -> None:
        """Answer the next so many calls that write with 429."""
        self._busy.extend([seconds] * calls)

    def called(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each request of that method, so far."""
        return [received.params for received in self.requests if received.method == method]

    def faults(self) -> list[str]:
        """Calls of the app that were refused for a fault of its own."""
        return [
            f"{method}: {error} {json.dumps(params, default=str)[:300]}"
            for method, error, params in self.refusals
            if error not in HAPPENS
        ]

    def expire_streams(self) -> None:
        """End whatever is being streamed, as after five minutes."""
        for stream in self.streams.values():
            stream.started = float("-inf")
        self.touch()

    def redeliver(self, seconds: float = 60) -> None:
        """Deliver every event of the last seconds again, as after an acknowledgement that got lost."""
        for delivery in list(self.outbox.delivered):
            if delivery.made_at >= self.clock - seconds and delivery.attempt == 0:
                self.outbox.put("events_api", delivery.payload, attempt=1)

    def disconnect(self, *, resumable: bool = True) -> None:
        """Cut the Socket Mode connections; else also lose whatever happens until the app is connected again."""
        for connection in list(self.socket_mode.connections):
            self.socket_mode.cut(connection)
        if not resumable:
            self.outbox.forget()

    def posting_to(self, url: str) -> AbstractAsyncContextManager[None]:
        """Deliver by HTTP, signed, while the context lasts."""
        return delivering(self, url)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/{method}", self._receive, methods=["GET", "POST"]),
                Route("/files-pri/{place}/download/{name}", self._download),
                Route("/upload/v1/{file}", self._upload, methods=["POST"]),
                Route("/{kind:str}/{team}/{address}", self._respond, methods=["POST"]),
                WebSocketRoute("/link/", self.socket_mode.serve),
            ]
        )

    @asynccontextmanager
    async def served(self, port: int = 0) -> AsyncIterator[str]:
        """Listens on a loopback port (0: a free one) for the `base_url` that is handed out, in the running loop."""
        async with served(self.around(self.app), port, date_header=False, websockets=True) as port:
            self.base_url = f"http://127.0.0.1:{port}/api/"
            yield self.base_url

    async def _receive(self, request: Request) -> Response:
        received = Received(
            method=request.path_params["method"],
            params=await arguments(request),
            authorization=request.headers.get("authorization"),
        )
        self.requests.append(received)
        response = self._misbehaviour(received) or self._answer(received)
        response.headers["Date"] = formatdate(self.clock, usegmt=True)
        return response

    def _misbehaviour(self, received: Received) -> Response | None:
        for on in (received.method, ""):
            if self._script[on]:
                return self._script[on].popleft()(received)
        if self._busy and received.method.startswith(("chat.", "assistant.", "agents.", "views.", "reactions.")):
            self.too_many += 1
            return limited(self._busy.popleft())(received)
        behaviour = self._always.get(received.method) or self._always.get("")
        return None if behaviour is None else behaviour(received)

    def _answer(self, received: Received) -> Response:
        method, params = received.method, received.params
        if person := self.user_tokens.get((received.authorization or "").removeprefix("Bearer ")):
            return self._answer_to(person, received)
        try:
            self._authorise(received)
            if self.tiers and (seconds := self.tiers.wait(method, str(params.get("channel", "")))):
                self.too_many += 1
                too_many = limited(seconds)(received)
                assert too_many is not None
                return too_many
            if method == "apps.connections.open":
                answer = self.socket_mode.open(params)
            elif method in METHODS:
                answer = METHODS[method](self, params)
            else:
                raise Refused("unknown_method", req_method=method)
            answer = {"ok": True, **answer}
        except Refused as refused:
            answer = refused.answer
            self.refusals.append((method, refused.error, params))
        headers = {"X-OAuth-Scopes": ",".join(sorted(self.scopes))} if self.tells_scopes else {}
        return JSONResponse(answer, headers=headers)

    def _answer_to(self, person: str, received: Received) -> Response:
        """A call with a person's token; its limits and refusals are none of the app's."""
        try:
            if received.method not in METHODS_OF_PEOPLE:
                raise Refused("not_allowed_token_type")
            return JSONResponse({"ok": True, **METHODS_OF_PEOPLE[received.method](self, person, received.params)})
        except Refused as refused:
            return JSONResponse(refused.answer)

    async def _upload(self, request: Request) -> Response:
        """docs.slack.dev/reference/methods/files.getUploadURLExternal: raw bytes, and no token."""
        id = request.path_params["file"]
        if id not in self.contents:
            return PlainTextResponse("not found", status_code=404)
        self.contents[id] = await request.body()
        return PlainTextResponse(f"OK - {len(self.contents[id])}")

    def _authorise(self, received: Received) -> None:
        """A bot's token for everything but `apps.connections.open`, which wants the app's
        (docs.slack.dev/authentication/tokens)."""
        if received.authorization is None:
            raise Refused("not_authed")
        wanted, other = self.token, self.app_token
        if received.method == "apps.connections.open":
            wanted, other = other, wanted
        if received.authorization == f"Bearer {other}":
            raise Refused("not_allowed_token_type")
        if received.authorization != f"Bearer {wanted}":
            raise Refused("invalid_auth")
        if self.revoked is not None:
            raise Refused(self.revoked)

    async def _respond(self, request: Request) -> Response:
        """Who holds the address needs no token."""
        body = await request.json()
        address = request.path_params["address"]
        received = Received(method="response_url", params=body, authorization=request.headers.get("authorization"))
        self.requests.append(received)
        if (response := self._misbehaviour(received)) is not None:
            return response
        try:
            error = respond(self, address, body)
        except Refused as refused:
            error = refused.error
        if error:
            self.refusals.append(("response_url", error, body))
            return PlainTextResponse(error, status_code=404 if error.endswith("_url") else 400)
        return PlainTextResponse("ok")

    async def _download(self, request: Request) -> Response:
        """Without the scope or the right token a login page, with status 200 (field reports)."""
        id = request.path_params["place"].partition("-")[2]
        authorization = request.headers.get("authorization")
        received = Received(method="download", params={"file": id}, authorization=authorization)
        self.requests.append(received)
        if (response := self._misbehaviour(received)) is not None:
            return response
        if authorization != f"Bearer {self.token}" or self.revoked or "files:read" not in self.scopes:
            return HTMLResponse(LOGIN_PAGE)
        if id not in self.contents:
            return HTMLResponse("<html>gone</html>", status_code=404)
        name = request.path_params["name"]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(self.contents[id], media_type=self.files[id]["mimetype"], headers=headers)
