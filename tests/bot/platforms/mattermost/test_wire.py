"""What refusals of the server mean, and that no message holds a token."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from bot.platforms.interface import MessageGone, PlatformRefused, PlatformUnavailable
from bot.platforms.mattermost.client import Client
from ingest.errors import Terminal, Transient

TOKEN = "sekret-token"
ME = {"id": "m" * 26, "username": "souffleur", "is_bot": True}


def _client(answer: httpx.Response | Exception, seen: list[httpx.Request] | None = None) -> Client:
    def handler(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client("https://chat.example.org/mm/", SecretStr(f"{TOKEN}\n"), transport=httpx.MockTransport(handler))


def _refusal(status: int, id: str = "api.some.app_error", **headers: str) -> httpx.Response:
    body = {"id": id, "message": "It is not so.", "status_code": status}
    return httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (_refusal(401), PlatformRefused, "SOUFFLEUR_MATTERMOST_TOKEN"),
        (_refusal(403), PlatformRefused, "add the bot to the team and to the channel"),
        (_refusal(404), MessageGone, "not there any more"),
        (_refusal(404, "api.context.404.app_error"), PlatformRefused, "`mattermost.url` right"),
        (_refusal(400), PlatformRefused, "It is not so."),
        (_refusal(501), PlatformRefused, "licence"),
        (_refusal(500), PlatformUnavailable, "It is not so."),
        (httpx.Response(502, text="<html>Bad gateway</html>"), PlatformUnavailable, "502"),
        (httpx.Response(200, html="<html>Sign in</html>"), PlatformRefused, "login page"),
        (httpx.Response(302, headers={"location": "https://sso.example.org/?x=1"}), PlatformRefused, "redirects"),
        (httpx.Response(200, json={"id": 7}), PlatformRefused, "not as Mattermost does"),
        (httpx.Response(200, text="{", headers={"content-type": "application/json"}), PlatformUnavailable, "damaged"),
        (httpx.ConnectError("no route"), PlatformUnavailable, "is it up"),
        (httpx.ReadTimeout("too long"), PlatformUnavailable, "ReadTimeout"),
    ],
)
async def test_each_refusal_says_what_can_be_done(
    answer: httpx.Response | Exception, kind: type[Exception], says: str, without_waits: None
) -> None:
    client = _client(answer)
    with pytest.raises(kind, match=says) as caught:
        await client.post("p" * 26)
    await client.close()

    assert type(caught.value).__mro__.count(Terminal) + type(caught.value).__mro__.count(Transient) == 1
    assert TOKEN not in f"{caught.value!r} {caught.value}"


async def test_the_token_goes_to_the_server_and_follows_no_redirect() -> None:
    seen: list[httpx.Request] = []
    client = _client(httpx.Response(307, headers={"location": "https://elsewhere.example.org/"}), seen)
    with pytest.raises(PlatformRefused, match=r"elsewhere\.example\.org"):
        await client.me()
    await client.close()

    (request,) = seen
    assert str(request.url) == "https://chat.example.org/mm/api/v4/users/me"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


async def test_an_answer_to_a_command_goes_without_the_token() -> None:
    seen: list[httpx.Request] = []
    client = _client(httpx.Response(200, text="ok"), seen)
    await client.respond("https://public.example.org/hooks/commands/abc123", {"text": "Thirty."})
    await client.close()

    assert [str(request.url) for request in seen] == ["https://chat.example.org/mm/hooks/commands/abc123"]
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("token", [None, SecretStr(""), SecretStr("tök\nen")])
async def test_a_token_that_cannot_be_one_is_told_of(token: SecretStr | None) -> None:
    client = Client("https://chat.example.org", token)
    with pytest.raises(PlatformRefused, match="SOUFFLEUR_MATTERMOST_TOKEN"):
        await client.me()
    await client.close()


async def test_what_changes_something_is_not_sent_twice_unless_that_is_harmless(without_waits: None) -> None:
    seen: list[httpx.Request] = []
    client = _client(_refusal(500), seen)
    with pytest.raises(PlatformUnavailable):
        await client.typing("c", "")
    assert len(seen) == 1
    with pytest.raises(PlatformUnavailable):
        await client.create(channel="c", root="", message="m", props={}, pending="me:1")
    await client.close()

    assert len(seen) > 2


async def test_a_post_whose_thread_is_gone_is_told_from_one_that_is_refused() -> None:
    client = _client(_refusal(400, "api.post.create_post.root_id.app_error"))
    with pytest.raises(MessageGone):
        await client.create(channel="c", root="r", message="m", props={}, pending="me:1")
    await client.close()


async def test_calls_pause_before_the_server_refuses_them() -> None:
    client = _client(httpx.Response(200, json=ME, headers={"X-Ratelimit-Remaining": "3"}))
    await client.me()
    await client.close()

    assert not client.buckets.free("mattermost")


@pytest.mark.parametrize(
    "answer",
    [
        _refusal(404),
        _refusal(400),
        _refusal(401),
        _refusal(500),
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(302, headers={"location": "https://chat.example.org/hooks/commands/abc123"}),
        httpx.ConnectError("no route"),
    ],
)
async def test_no_message_tells_where_a_command_is_answered(
    answer: httpx.Response | Exception, without_waits: None
) -> None:
    client = _client(answer)
    with pytest.raises((MessageGone, PlatformRefused, PlatformUnavailable)) as caught:
        await client.respond("https://chat.example.org/hooks/commands/abc123", {"text": "Thirty."})
    await client.close()

    assert "abc123" not in f"{caught.value!r} {caught.value}"
