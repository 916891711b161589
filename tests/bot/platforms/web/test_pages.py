"""What a browser opens: the page, documents, threads."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

import pytest

from bot.model import Basis, Turn
from ingest.model import DocumentId, DocumentKey, Readers
from tests.bot.platforms.web import FINANCE_KEY, KEY, client, site

THREAD = "0b6f7b7e-6b1c-4a57-9d2f-3f1f6b1e9a10"

BUDGET = (
    """# Budget 2025

Read [the memo](https://evil.example) and ![a chart](https://evil.example/pixel.png) <script>alert(1)</script>
and [the other memo][m].
""",
    """## Travel

| City | Cost |
|---|---:|
| Lyon | 120 |

[m]: https://evil.example/m
""",
    "1. one\n2. two",
    "3. three </section><p id=passage-9>",
)


async def documents(source: str, document: str, tokens: Readers) -> tuple[str, tuple[str, ...]] | None:
    known = {("finance", "2025/budget a.md"): "group:finance", ("handbook", "leave.md"): "everyone"}
    return ("Budget 2025", BUDGET) if known.get((source, document)) in tokens else None


async def test_the_page_speaks_the_language_of_its_visitor() -> None:
    async with client(site()) as http:
        for accepted, language, direction in (
            ("fr-CA,fr;q=0.9", "fr", "ltr"),
            ("ar", "ar", "rtl"),
            ("sw, tlh;q=0.9", "en", "ltr"),
            ("", "en", "ltr"),
            ("en;q=0, fr;q=nonsense, ar;q=0.1", "ar", "rtl"),
        ):
            page = await http.get("/", headers={"Accept-Language": accepted})
            assert f'<html lang="{language}" dir="{direction}">' in page.text
            assert f"{language}:web-send" in page.text
            [phrases] = re.findall(r'id="phrases">(.*?)</script>', page.text)
            assert json.loads(phrases)["copy"] == f"{language}:web-copy"


async def test_every_file_of_the_page_is_there_under_an_address_that_changes_with_it() -> None:
    async with client(site()) as http:
        page = await http.get("/")
        for address in set(re.findall(r'(?:src|href)="(/page/[^"]+)"', page.text)):
            response = await http.get(address)
            assert response.status_code == 200
            assert "immutable" in response.headers["cache-control"]
        for missing in ("/page/index.html", "/page/..%2fpages.py", "/page/nothing"):
            assert (await http.get(missing)).status_code == 404


async def test_a_document_is_shown_without_anything_that_acts() -> None:
    async with client(site(documents=documents), authorization=f"Bearer {FINANCE_KEY}") as http:
        page = await http.get("/documents/finance/2025/budget%20a.md")
    assert page.status_code == 200
    body = page.text.partition("<main>")[2]
    assert body.count("Budget 2025") == 1
    assert "the memo" in body
    assert "a chart" in body
    assert "&lt;script&gt;" in body
    assert "evil.example" not in body
    assert "style=" not in body
    assert '<td class="align-right">120</td>' in body
    assert "and the other memo." in body
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")


async def test_each_passage_of_a_document_is_a_section_that_its_source_opens() -> None:
    async with client(site(documents=documents), authorization=f"Bearer {FINANCE_KEY}") as http:
        body = (await http.get("/documents/finance/2025/budget%20a.md")).text.partition("<main>")[2]
    sections = re.findall(r'<section id="([^"]+)">(.*?)</section>', body, re.DOTALL)
    assert [name for name, _ in sections] == ["passage-1", "passage-2", "passage-3", "passage-4"]
    assert "<h2>Travel</h2>" in sections[1][1]
    assert '<ol start="3">' in sections[3][1]
    assert "&lt;/section&gt;" in sections[3][1]


async def test_a_forbidden_document_cannot_be_told_from_one_that_is_not_there() -> None:
    async with client(site(documents=documents), authorization=f"Bearer {KEY}", accept="text/html") as http:
        forbidden = await http.get("/documents/finance/2025/budget%20a.md")
        missing = await http.get("/documents/finance/2025/nothing.md")
        assert (await http.get("/documents/handbook/leave.md")).status_code == 200
    assert forbidden.status_code == missing.status_code == 404
    assert forbidden.text == missing.text
    assert forbidden.headers == missing.headers


async def test_the_session_of_a_key_opens_documents_and_nothing_else() -> None:
    app = site(documents=documents)
    async with client(app, peer="203.0.113.9", base="http://bot.example") as http:
        entered = await http.post("/session", headers={"Authorization": f"Bearer {FINANCE_KEY}"})
        assert entered.status_code == 204
        for attribute in ("HttpOnly", "SameSite=lax", "Path=/documents"):
            assert attribute in entered.headers["set-cookie"]
        assert (await http.get("/documents/finance/2025/budget%20a.md")).status_code == 200
        cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
        assert (await http.get("/v1/models", headers=cookie)).status_code == 401


async def test_a_session_whose_key_is_gone_is_ended() -> None:
    async with client(site(documents=documents), accept="text/html", accept_language="fr") as http:
        refused = await http.get("/documents/handbook/leave.md", headers={"Cookie": "souffleur-key=sk-old"})
        assert refused.status_code == 401
        assert refused.headers["set-cookie"] == "souffleur-key=; Path=/documents; Max-Age=0"
        assert "fr:web-wrong-key" in refused.text
        assert (await http.get("/documents/handbook/leave.md")).status_code == 200


async def test_the_session_cookie_is_secure_behind_tls() -> None:
    async with client(site(), base="https://bot.example", authorization=f"Bearer {KEY}") as http:
        assert "Secure" in (await http.post("/session")).headers["set-cookie"]


async def test_a_thread_is_shown_to_its_asker_alone() -> None:
    async def threads(thread: str, asker: str) -> tuple[Turn, ...]:
        turns = (Turn(role="user", text="<b>Who?</b>"), Turn(role="assistant", text="**Ada** [1] <img src=x>"))
        return turns if (thread, asker) == (THREAD, "key:ada") else ()

    async with client(site(threads=threads)) as http:
        own = await http.get(f"/threads/{THREAD}", headers={"Authorization": f"Bearer {KEY}"})
        other = await http.get(f"/threads/{THREAD}", headers={"Authorization": f"Bearer {FINANCE_KEY}"})
        nobody = await http.get(f"/threads/{THREAD}")
        unknown = await http.get("/threads/1")
    [user, assistant] = own.json()["turns"]
    assert (user["role"], user["text"]) == ("user", "<b>Who?</b>")
    assert assistant["html"] == "<p><strong>Ada</strong> [1] &lt;img src=x&gt;</p>\n"
    assert [response.status_code for response in (other, nobody, unknown)] == [404, 404, 404]


async def test_an_old_answer_is_shown_only_to_who_may_read_now_what_it_rests_on() -> None:
    open_key, secret = ("handbook", DocumentId("leave.md")), ("finance", DocumentId("budget.md"))
    bases: tuple[Basis | None, ...] = (frozenset(), frozenset({open_key}), frozenset({open_key, secret}), None)

    async def threads(thread: str, asker: str) -> tuple[Turn, ...]:
        return tuple(Turn(role="assistant", text=f"canary-{at}", basis=basis) for at, basis in enumerate(bases))

    async def allows(documents: Collection[DocumentKey], tokens: Readers) -> set[DocumentKey]:
        return {key for key in documents if key == open_key or "group:finance" in tokens}

    for key, with_allows, shown in ((KEY, True, "01"), (FINANCE_KEY, True, "012"), (KEY, False, "0")):
        app = site(threads=threads, allows=allows if with_allows else None)
        async with client(app, authorization=f"Bearer {key}", accept_language="fr") as http:
            response = await http.get(f"/threads/{THREAD}")
        assert set(re.findall(r"canary-(\d)", response.text)) == set(shown)
        assert response.text.count('"fr:answer-withdrawn"') == 4 - len(shown)


@pytest.mark.parametrize("path", ["/nothing", "/docs", "/openapi.json", "/v1/chat/completions", "/documents/only"])
async def test_an_address_that_leads_nowhere_is_told_in_shape(path: str) -> None:
    async with client(site()) as http:
        response = await http.get(path)
    assert response.status_code in {404, 405}
    assert response.json()["error"]["message"] == "en:web-not-found"
