"""Who may ask, and as whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.platforms.web import Keys, WebPlatform
from bot.settings import ApiKey
from ingest.errors import ConfigurationError
from tests.bot.platforms.web import ASKED, FINANCE_KEY, KEY, KEYS, Script, client, entry, site


async def test_a_key_gives_the_tokens_of_its_holder_from_anywhere() -> None:
    script = Script("Yes.")
    async with client(site(script), peer="203.0.113.9", base="http://bot.example") as http:
        for key in (KEY, FINANCE_KEY):
            await http.post("/v1/chat/completions", json=ASKED, headers={"Authorization": f"bearer {key}"})
    assert [(question.asker.id, question.asker.readers) for question in script.questions] == [
        ("key:ada", {"everyone", "public"}),
        ("key:finance", {"everyone", "public", "group:finance"}),
    ]


@pytest.mark.parametrize(
    ("peer", "base"),
    [
        ("127.0.0.1", "http://localhost:8080"),
        ("127.8.9.1", "http://127.0.0.1"),
        ("::1", "http://[::1]:8080"),
        ("::ffff:127.0.0.1", "http://127.0.0.1:8080"),
    ],
)
async def test_without_a_key_this_machine_asks_as_a_member(peer: str, base: str) -> None:
    script = Script("Yes.")
    async with client(site(script), peer=peer, base=base) as http:
        assert (await http.post("/v1/chat/completions", json=ASKED)).status_code == 200
        assert (await http.post("/v1/chat/completions", json=ASKED, headers={"Authorization": "Bearer "})).is_success
    assert {question.asker.readers for question in script.questions} == {frozenset({"everyone", "public"})}


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("203.0.113.9", {}),
        ("10.0.0.1", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"Host": "evil.example"}),
        ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}),
        ("127.0.0.1", {"Host": "localhost.evil.example:80"}),
        ("127.0.0.1", {"Host": "evil.example@127.0.0.1.nip.io"}),
        ("127.0.0.1", {"Host": "["}),
        ("127.0.0.1", {"Host": ""}),
        ("not an address", {}),
    ],
)
async def test_without_a_key_nobody_else_may_ask_or_read(peer: str, headers: dict[str, str]) -> None:
    script = Script("Yes.")
    async with client(site(script), peer=peer, accept_language="fr") as http:
        refused = await http.post("/v1/chat/completions", json=ASKED, headers=headers)
        others = [
            await http.get("/v1/models", headers=headers),
            await http.get("/documents/handbook/a.md", headers=headers),
            await http.get("/threads/0b6f7b7e-6b1c-4a57-9d2f-3f1f6b1e9a10", headers=headers),
        ]
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["error"]["message"] == "fr:web-key-needed"
    assert [response.status_code for response in others] == [401, 401, 401]
    assert script.questions == []


async def test_behind_a_proxy_that_hides_itself_nobody_asks_without_a_key() -> None:
    script = Script("Yes.")
    async with client(site(script, keys=Keys(keyless_here=False)), peer="127.0.0.1", base="http://localhost") as http:
        assert (await http.post("/v1/chat/completions", json=ASKED)).status_code == 401
    assert script.questions == []


@pytest.mark.parametrize("authorization", ["Bearer sk-wrong", "Basic YWRhOnNrLWFkYQ==", f"Bearer {KEY}x", "Bearer é"])
async def test_a_wrong_key_is_refused_on_this_machine_too(authorization: str) -> None:
    script = Script("Yes.")
    async with client(site(script)) as http:
        headers = {"Authorization": authorization.encode()}
        response = await http.post("/v1/chat/completions", json=ASKED, headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert script.questions == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
@pytest.mark.parametrize("authorization", [{}, {"Authorization": f"Bearer {KEY}"}])
async def test_another_site_cannot_ask_in_the_name_of_who_visits_it(
    headers: dict[str, str], authorization: dict[str, str]
) -> None:
    script = Script("Yes.")
    async with client(site(script)) as http:
        response = await http.post("/v1/chat/completions", json=ASKED, headers={**headers, **authorization})
    assert response.status_code == 403
    assert script.questions == []


async def test_the_page_of_this_server_may_ask() -> None:
    headers = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    async with client(site()) as http:
        assert (await http.post("/v1/chat/completions", json=ASKED, headers=headers)).status_code == 200


def test_a_digest_that_is_none_is_refused_by_the_name_of_its_key() -> None:
    with pytest.raises(ConfigurationError, match=r"'ada'.*64 hexadecimal"):
        Keys([ApiKey.model_construct(name="ada", sha256="sk-ada")])


def test_a_digest_under_two_names_is_refused_by_both() -> None:
    with pytest.raises(ConfigurationError, match=r"'ada' and 'eve' have the same `sha256`"):
        Keys([entry("ada", "sk-1"), entry("eve", "sk-1")])


async def test_an_old_key_and_a_new_one_of_a_name_are_the_same_asker_until_the_old_one_expires() -> None:
    end = datetime(2026, 3, 2, tzinfo=UTC)
    clock = [end - timedelta(seconds=1)]
    keys = Keys([entry("ada", "sk-old", expires=end), entry("ada", "sk-new")], now=lambda: clock[0])
    script = Script("Yes.")

    async def ask(key: str) -> httpx.Response:
        async with client(site(script, keys=keys), accept_language="fr", authorization=f"Bearer {key}") as http:
            return await http.post("/v1/chat/completions", json=ASKED)

    assert [(await ask(key)).status_code for key in ("sk-old", "sk-new")] == [200, 200]
    clock[0] = end
    old, new = await ask("sk-old"), await ask("sk-new")
    assert (old.status_code, new.status_code) == (401, 200)
    assert (old.json()["error"]["code"], old.json()["error"]["message"]) == ("expired_api_key", "fr:web-key-expired")
    assert [question.asker.id for question in script.questions] == ["key:ada"] * 3


async def test_a_key_asks_so_often_within_a_minute_and_no_more_and_others_are_not_held_up() -> None:
    now = [0.0]
    entries = [entry("ada", "sk-1", per_minute=2), entry("ada", "sk-2", per_minute=2), entry("eve", "sk-3")]
    app = site(keys=Keys(entries, clock=lambda: now[0]))

    async def ask(key: str) -> httpx.Response:
        async with client(app, accept_language="fr", authorization=f"Bearer {key}") as http:
            return await http.get("/v1/models")

    assert (await ask("sk-1")).status_code == 200
    now[0] = 20.5
    assert (await ask("sk-2")).status_code == 200
    refused = await ask("sk-1")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
    assert refused.json()["error"] == {
        "message": "fr:web-too-fast",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (await ask("sk-3")).status_code == 200
    now[0] = 60.0
    assert [(await ask("sk-1")).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_where_other_machines_reach_it_a_server_does_not_start_without_keys(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"`bot key NAME`.*`serve\.host` to 127\.0\.0\.1"):
        WebPlatform(site(keys=Keys()), host=host, port=0).bind()


@pytest.mark.parametrize(("host", "keys"), [("0.0.0.0", KEYS), ("localhost", Keys()), ("127.0.0.9", Keys())])
async def test_with_keys_or_for_this_machine_alone_it_starts(host: str, keys: Keys) -> None:
    platform = WebPlatform(site(keys=keys), host=host, port=0)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(platform.run())
        platform.bind()
        platform.stop()
        await running
