"""The chat page in a real browser, against a real server: what a person sees, hears and presses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect

from bot.model import AnswerEvent, Delta, Outcome, Question, Status, Turn
from bot.phrases import Phrases
from ingest.model import Readers
from tests.bot.platforms.web import FINANCE_KEY, Endless, Script, finished, passage, serving, site

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PHRASES = Phrases()

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}; apt-get install chromium"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium
        await chromium.close()


class Visit:
    """A page, with what it complained of and whom it talked to."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request))

    async def ask(self, question: str) -> Locator:
        """Type `question` and send it with Enter; returns where the exchange is shown."""
        shown = self.page.locator(".exchange")
        number = await shown.count()
        await self.page.locator("#question").fill(question)
        await self.page.keyboard.press("Enter")
        return shown.nth(number)


@asynccontextmanager
async def visiting(browser: Browser, app: FastAPI, **options: Any) -> AsyncIterator[Visit]:
    """The page of `app`, opened; afterwards it must have been content and have talked to its own server alone."""
    values = {"locale": "en-GB", **options}
    refusals = values.pop("refusals", False)
    async with serving(app) as url:
        context = await browser.new_context(**values)
        visit = Visit(await context.new_page(), url)
        await visit.page.goto(url)
        yield visit
        await context.close()
    # Chromium reports every refused request as an error of the page.
    complaints = [text for text in visit.complaints if not (refusals and text.startswith("Failed to load resource"))]
    assert complaints == []
    assert {request.url[: len(url)] for request in visit.requests} == {url}


def page_site(answerer: Any, **changes: Any) -> FastAPI:
    return site(answerer, say=PHRASES.say, languages=PHRASES.languages, **changes)


async def documents(source: str, document: str, tokens: Readers) -> tuple[str, tuple[str, ...]] | None:
    known = (source, document) == ("handbook", "people/annual leave.md") and "everyone" in tokens
    return ("Annual leave", ("## Leave\n\n### Carrying over\n\nFive days.", "Ask HR.")) if known else None


async def test_an_answer_appears_while_it_is_written_and_its_sources_open(browser: Browser) -> None:
    endless = Endless("**Five** days [1]")

    async def answerer(question: Question) -> AsyncIterator[AnswerEvent]:
        yield Status(text="Searching the documents…")
        async for event in endless(question):
            yield event if isinstance(event, Delta) else finished("**Five** days [1] over", passage(1))

    async with visiting(browser, page_site(answerer, documents=documents)) as visit:
        exchange = await visit.ask("How many days?")
        await expect(exchange.locator(".asked")).to_have_text("How many days?")
        await expect(exchange.locator(".status")).to_have_text("Searching the documents…")
        await expect(exchange.locator(".text strong")).to_have_text("Five")
        await expect(exchange.locator(".sources")).to_be_hidden()
        await expect(visit.page.locator("#announcer")).to_have_text("")
        endless.go_on.set()
        await expect(exchange.locator(".sources li")).to_contain_text("Annual leave")
        await expect(exchange.locator(".status")).to_be_hidden()
        await expect(visit.page.locator("#announcer")).to_contain_text("Five days 1 over")
        for link in (exchange.locator(".text a"), exchange.locator(".sources a")):
            await expect(link).to_have_attribute("rel", "noopener noreferrer")
            async with visit.page.context.expect_page() as opened:
                await link.click()
            document = await opened.value
            await expect(document.locator("h1")).to_have_text("Annual leave")
            assert document.url == f"{visit.url}/documents/handbook/people/annual%20leave.md#passage-1"
            await expect(document.locator(":target")).to_contain_text("Five days.")
            await document.close()


async def test_where_nothing_was_found_the_nearest_documents_open_and_a_lock_is_read_out(browser: Browser) -> None:
    async def answerer(question: Question) -> AsyncIterator[AnswerEvent]:
        yield Delta(text="Nothing.")
        yield finished("Nothing.", outcome=Outcome.NOT_FOUND, nearest=(passage(1, readers=frozenset({"group:hr"})),))

    async with visiting(browser, page_site(answerer)) as visit:
        shown = (await visit.ask("How many days?")).locator(".sources")
        await expect(shown.locator("h3")).to_have_text(PHRASES.say("en", "nearest"))
        await expect(shown.get_by_role("img", name=PHRASES.say("en", "restricted"))).to_be_visible()
        await expect(shown.locator(".number")).to_be_hidden()
        await expect(shown.get_by_role("link", name="Annual leave")).to_be_visible()
        await expect(shown).to_contain_text("English")


async def test_stop_or_escape_keeps_what_is_written_and_ends_the_answer(browser: Browser) -> None:
    endless = Endless("So far")
    async with visiting(browser, page_site(endless)) as visit:
        exchange = await visit.ask("How many days?")
        await expect(exchange.locator(".text")).to_have_text("So far")
        await visit.page.locator("#stop").click()
        await expect(exchange.locator(".note")).to_have_text(PHRASES.say("en", "web-stopped"))
        await expect(exchange.locator(".text")).to_have_text("So far")
        await endless.closed.wait()
        await expect(visit.page.locator("#send")).to_be_visible()
        await expect(visit.page.locator("#question")).to_be_focused()
        exchange = await visit.ask("And now?")
        await expect(exchange.locator(".text")).to_have_text("So far")
        await visit.page.keyboard.press("Escape")
        await expect(exchange.locator(".note")).to_have_text(PHRASES.say("en", "web-stopped"))
        assert not endless.go_on.is_set()


async def test_everything_can_be_done_from_the_keyboard(browser: Browser) -> None:
    script = Script("Yes [1].", citations=(passage(1),))
    async with visiting(browser, page_site(script)) as visit:
        keyboard = visit.page.keyboard
        await expect(visit.page.locator("#question")).to_be_focused()
        await keyboard.type("First line")
        await keyboard.press("Shift+Enter")
        await keyboard.type("second line")
        await keyboard.press("Enter")
        await expect(visit.page.locator(".sources a")).to_be_visible()
        assert script.questions[0].text == "First line\nsecond line"
        for selector in (".copy", ".sources a", ".text a", "#new"):
            await keyboard.press("Shift+Tab")
            await expect(visit.page.locator(selector)).to_be_focused()
            outline = await visit.page.locator(selector).evaluate("element => getComputedStyle(element).outlineStyle")
            assert outline == "solid"
        await keyboard.press("Enter")
        await expect(visit.page.locator(".exchange")).to_have_count(0)
        await expect(visit.page.locator("#question")).to_be_focused()


async def test_enter_while_an_input_method_composes_sends_nothing(browser: Browser) -> None:
    script = Script("はい。")
    async with visiting(browser, page_site(script)) as visit:
        devtools = await visit.page.context.new_cdp_session(visit.page)
        await devtools.send("Input.imeSetComposition", {"text": "かんじ", "selectionStart": 3, "selectionEnd": 3})
        await visit.page.locator("#question").dispatch_event(
            "keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True}
        )
        await devtools.send("Input.insertText", {"text": "漢字"})
        assert script.questions == []
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator(".text")).to_have_text("はい。")
        assert [question.text for question in script.questions] == ["漢字"]


async def test_a_key_is_asked_for_only_when_the_server_wants_one_and_opens_documents_too(browser: Browser) -> None:
    script = Script("Yes [1].", citations=(passage(1),))
    app = page_site(script, documents=documents)
    # As behind a reverse proxy: from there nobody is a member without a key.
    headers = {"X-Forwarded-For": "203.0.113.9"}
    async with visiting(browser, app, refusals=True, extra_http_headers=headers) as visit:
        dialog = visit.page.locator("#key-dialog")
        await expect(dialog).to_be_hidden()
        exchange = await visit.ask("How many days?")
        await expect(dialog).to_be_visible()
        await expect(visit.page.locator("#key")).to_be_focused()
        await visit.page.keyboard.type("sk-wrong")
        await visit.page.keyboard.press("Enter")
        await expect(visit.page.locator("#key-error")).to_have_text(PHRASES.say("en", "web-wrong-key"))
        await visit.page.locator("#key").fill(FINANCE_KEY)
        await visit.page.keyboard.press("Enter")
        await expect(dialog).to_be_hidden()
        await expect(exchange.locator(".sources a")).to_be_visible()
        assert [question.asker.id for question in script.questions] == ["key:finance"]
        async with visit.page.context.expect_page() as opened:
            await exchange.locator(".sources a").click()
        await expect((await opened.value).locator("h1")).to_have_text("Annual leave")


async def test_without_a_key_the_question_comes_back_with_the_reason(browser: Browser) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    async with visiting(browser, page_site(Script("Yes.")), refusals=True, extra_http_headers=headers) as visit:
        exchange = await visit.ask("How many days?")
        await visit.page.locator("#key-cancel").click()
        await expect(exchange.locator(".note")).to_have_text(PHRASES.say("en", "web-key-needed"))
        await expect(visit.page.locator("#question")).to_have_value("How many days?")


@pytest.mark.parametrize(("locale", "direction"), [("fr-FR", "ltr"), ("ar-EG", "rtl")])
async def test_the_page_speaks_the_language_of_the_browser(browser: Browser, locale: str, direction: str) -> None:
    language = locale[:2]
    async with visiting(browser, page_site(Script("Oui.")), locale=locale) as visit:
        html = visit.page.locator("html")
        await expect(html).to_have_attribute("lang", language)
        await expect(html).to_have_attribute("dir", direction)
        await expect(visit.page.locator("h1")).to_have_text(PHRASES.say(language, "web-welcome"))
        label = PHRASES.say(language, "web-question")
        await visit.page.get_by_label(label, exact=True).fill("Combien ?")
        await visit.page.get_by_role("button", name=PHRASES.say(language, "web-send"), exact=True).click()
        copy = visit.page.get_by_role("button", name=PHRASES.say(language, "web-copy"))
        await expect(copy).to_be_visible()


async def test_an_arabic_answer_on_an_english_page_reads_from_right_to_left(browser: Browser) -> None:
    script = Script("يحصل الموظفون على 26 يومًا.", language="ar")
    async with visiting(browser, page_site(script)) as visit:
        exchange = await visit.ask("كم يوم إجازة؟")
        text = exchange.locator(".text")
        await expect(text).to_have_attribute("lang", "ar")
        for shown in (text, exchange.locator(".asked")):
            assert await shown.evaluate("element => element.matches(':dir(rtl)')")


async def test_markup_of_the_model_is_shown_as_text_while_it_is_written_and_after(browser: Browser) -> None:
    hostile = (
        "<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![](http://evil.example/a.png) <http://evil.example> "
        "<script>alert(1)</script> <style>*{display:none}</style> [y]: http://evil.example\n\n[y] &lt;b&gt; "
    )
    endless = Endless(hostile)
    async with visiting(browser, page_site(endless)) as visit:
        exchange = await visit.ask("<img src=x onerror=alert(1)>")
        for _ in range(2):
            await expect(exchange.locator(".text")).to_contain_text(
                "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
            )
            active = exchange.locator("img, script, style, iframe, .text a, [onerror]")
            await expect(active).to_have_count(0)
            endless.go_on.set()
            await expect(visit.page.locator("#send")).to_be_visible()


async def test_a_reload_keeps_the_conversation_and_a_new_one_forgets_it(browser: Browser) -> None:
    script = Script("**Yes** [1].", citations=(passage(1),))
    async with visiting(browser, page_site(script)) as visit:
        await expect((await visit.ask("First?")).locator(".sources a")).to_be_visible()
        await visit.page.reload()
        await expect(visit.page.locator(".asked")).to_have_text("First?")
        await expect(visit.page.locator(".text strong")).to_have_text("Yes")
        await expect(visit.page.locator(".sources a")).to_have_text("Annual leave")
        await expect((await visit.ask("Second?")).locator(".sources a")).to_be_visible()
        await visit.page.locator("#new").click()
        await expect((await visit.ask("Third?")).locator(".sources a")).to_be_visible()
    first, second, third = script.questions
    assert second.history == (Turn(role="user", text="First?"), Turn(role="assistant", text="**Yes** [1]."))
    assert second.place.thread == first.place.thread
    assert third.history == ()
    assert third.place.thread != first.place.thread


async def test_the_address_of_a_conversation_opens_it_in_another_tab(browser: Browser) -> None:
    async def threads(thread: str, asker: str) -> tuple[Turn, ...]:
        assert (thread, asker) == ("0b6f7b7e-6b1c-4a57-9d2f-3f1f6b1e9a10", "loopback")
        return (Turn(role="user", text="Before?"), Turn(role="assistant", text="*Yes*."))

    async with visiting(browser, page_site(Script("No."), threads=threads)) as visit:
        await visit.page.goto(f"{visit.url}/#0b6f7b7e-6b1c-4a57-9d2f-3f1f6b1e9a10")
        await expect(visit.page.locator(".asked")).to_have_text("Before?")
        await expect(visit.page.locator(".text em")).to_have_text("Yes")


async def test_an_answer_that_breaks_says_so_and_keeps_what_came(browser: Browser) -> None:
    async def broken(question: Question) -> AsyncIterator[AnswerEvent]:
        yield Delta(text="So far")
        raise ZeroDivisionError

    async with visiting(browser, page_site(broken)) as visit:
        exchange = await visit.ask("How many days?")
        await expect(exchange.locator(".note")).to_contain_text(re.compile("[0-9a-f]{16,}"))
        await expect(exchange.locator(".text")).to_have_text("So far")


async def test_nothing_is_cut_off_at_twice_the_size_of_a_small_screen(browser: Browser) -> None:
    wide = "| " + " | ".join(f"column {number}" for number in range(12)) + " |\n" + "|---" * 12 + "|\n\n" + "x" * 300
    async with visiting(browser, page_site(Script(wide)), viewport={"width": 320, "height": 320}) as visit:
        await expect((await visit.ask("How " * 60)).locator("table")).to_be_visible()
        overflow = await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0
