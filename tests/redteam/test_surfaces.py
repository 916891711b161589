"""What documents and people are called is shown as words, on every surface, and holds no key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Answer, Outcome
from bot.platforms.rendering import quiet
from tests.fixtures.passages import passage
from tests.redteam.leaked import SURFACES, Commands, Elements, GivesAway, Links, Mentions, Says, Shown
from tests.redteam.payloads import AWS, GHP, JWT
from tests.redteam.surfaces import carelessly, shown

HOSTILE = {
    "a key": (f"Deployment {GHP}", Says((GHP,))),
    "a web token": (f"Notes on {JWT}", Says((JWT,))),
    "an access key, parted": ("Key " + "\u200b".join(AWS), Says((AWS,))),
    "a password": ("Wifi password: Tr0ub4dor&3x", Says(("Tr0ub4dor",))),
    "a link": ("[Sign in](https://evil.example/x)", Links(literally=True)),
    "Slack's link": ("<https://evil.example/x|Sign in>", Links(literally=True)),
    "an image": ("![x](https://evil.example/x.png)", Links(literally=True)),
    "HTML": ("<img src=https://evil.example onerror=alert(1)><script>alert(1)</script>", Elements()),
    "mentions": ("@all <!channel> <@U012AB3CD> &#64;here &lt;!here&gt;", Mentions()),
}


def answer(title: str, heading: str, *, text: str = "Thirty days [1].", note: str = "") -> Answer:
    cited = passage(1, "Thirty days.", title=title, headings=(heading,), url="https://docs.example.org/leave")
    return Answer(
        text=text,
        language="en",
        outcome=Outcome.ANSWERED,
        citations=(cited,),
        passages=(cited,),
        trace_id="0" * 32,
        written_by="scripted",
        notes=(note,) if note else (),
    )


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("where", ["title", "heading", "nearest"])
async def test_a_title_is_words_and_holds_no_key(kind: str, where: str) -> None:
    words, leaked = HOSTILE[kind]
    told = answer(words if where != "heading" else "Leave", words if where == "heading" else "Leave")
    if where == "nearest":
        told = replace(told, citations=(), nearest=told.citations, text="Not in our documents.")
    seen = await shown(told)
    assert [surface for surface in SURFACES if leaked(seen, surface)] == []
    assert "docs.example.org" in "".join(seen.sources.values())


@pytest.mark.parametrize("kind", ["a link", "Slack's link", "an image", "HTML", "mentions"])
async def test_a_note_is_words(kind: str) -> None:
    words, leaked = HOSTILE[kind]
    seen = await shown(answer("Leave", "Leave", note=f"Stopped by {words}"))
    assert [surface for surface in SURFACES if leaked(seen, surface)] == []


@pytest.mark.parametrize("text", ["/remind @here all", "\n /invite ada", "\u2060/kick ada", "/löschen alles"])
def test_no_message_begins_like_a_command(text: str) -> None:
    seen = Shown(texts={"slack": quiet(text), "mattermost": quiet(text)})
    assert Commands()(carelessly(text.strip("\u2060")), "slack")
    assert not Commands()(seen, "slack")
    assert quiet(quiet(text)) == quiet(text)
    assert quiet(text).replace("\u2060", "") == text.replace("\u2060", "")


@pytest.mark.parametrize("text", ["See /etc/hosts.", "1/2", "`/remind` sets a reminder", "// a comment"])
def test_a_slash_elsewhere_stays(text: str) -> None:
    assert quiet(text) == text


@pytest.mark.parametrize(
    ("written", "leaked"),
    [
        ("[x](https://evil.example)", Links()),
        ("see www.evil.example", Links()),
        ("[x][y]\n\n[y]: https://evil.example", Links()),
        ("&lt;!here&gt;", Mentions()),
        ("<script>alert(1)</script>", Elements()),
        ("g h p underscore", Says(("ghp underscore",))),
        ("- You\n- are\n- not", GivesAway("yan")),
    ],
)
def test_the_predicates_see_what_is_shown_as_it_was_written(written: str, leaked: Links) -> None:
    assert leaked(carelessly(written), "slack")


@pytest.mark.parametrize("harmless", ["`https://evil.example/x`", "`@all`", "evil example", "\u2060", "@ ada"])
def test_the_predicates_see_nothing_in_code_and_words(harmless: str) -> None:
    for leaked in (Links(), Mentions(), Elements()):
        assert not leaked(carelessly(harmless), "mattermost")
