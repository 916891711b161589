"""The sources that docs/adding-a-source.md shows, as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from ingest.change import Outcome
from ingest.model import Cursor, Entry, Gone
from ingest.sources.interface import CursorExpired, DocumentGone, SourceRefused
from tests.ingest.workplace import Workplace

PAGE = Path(__file__).parents[3] / "docs" / "adding-a-source.md"


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """What the page's code defines, in the order of the page."""
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        exec(compile(block, PAGE, "exec", dont_inherit=True), names)
    return names


async def test_the_page_begins_with_a_source_of_ten_lines_that_syncs(shown: dict[str, Any], tmp_path: Path) -> None:
    table, workplace = tmp_path / "faq.csv", Workplace(tmp_path / "near")
    table.write_text("question,answer\nWhen is lunch?,Lunch is served at noon.\nWhere is Ada?,In the laboratory.\n")

    first = await workplace.sync(shown["Faq"]("faq", table))

    assert (first.clean, first.counts[Outcome.ADDED]) == (True, 2)
    assert await workplace.found("lunch noon") == {"When is lunch?"}
    table.write_text("question,answer\nWhen is lunch?,Lunch is served at one.\n")
    second = await workplace.sync(shown["Faq"]("faq", table))
    assert (second.counts[Outcome.CHANGED], second.counts[Outcome.REMOVED]) == (1, 1)
    assert await workplace.found("laboratory") == set()
    source = PAGE.read_text(encoding="utf-8").partition("import Source, as_file\n")[2].partition("```")[0]
    assert len([line for line in source.splitlines() if line.strip()]) == 10


PAGES = {
    "17": {"title": "Leave", "author": "Ada", "changed_at": "2026-03-01T12:00:00Z", "markdown": "Thirty days a year."},
    "18": {"title": "Pay", "author": "Bob", "changed_at": "2026-03-02T12:00:00Z", "markdown": "On the first."},
}

CHANGES = {
    "": {"changes": [{"id": "17", "revision": 1, "url": "https://wiki.example.org/17"}], "next": "a", "more": True},
    "a": {"changes": [{"id": "18", "revision": 1, "groups": ["finance"]}, {"id": "16", "deleted": True}],
          "next": "b", "more": False},
    "b": {"changes": [{"id": "17", "revision": 2}, {"id": "18", "deleted": True}, {"id": "17", "revision": 3}],
          "next": "c", "more": False},
    "c": {"changes": [], "next": "c", "more": False},
}  # fmt: skip


def answer(request: httpx.Request) -> httpx.Response:
    if request.headers["authorization"] != "Bearer key":
        return httpx.Response(401)
    what, _, id = request.url.path.strip("/").partition("/")
    if what == "pages":
        return httpx.Response(200, json=PAGES[id]) if id in PAGES else httpx.Response(404)
    after = request.url.params["after"]
    return httpx.Response(200, json=CHANGES[after]) if after in CHANGES else httpx.Response(410)


@pytest.fixture
def wiki(shown: dict[str, Any], tmp_path: Path) -> Any:
    settings = shown["WikiSettings"](url="https://wiki.example.org", token=SecretStr("key"))
    return shown["Wiki"]("wiki", settings, cache=tmp_path / "cache", transport=httpx.MockTransport(answer))


async def test_the_complete_source_lists_what_changed_since(wiki: Any) -> None:
    everything = [item async for item in wiki.list(None)]
    changed = [item async for item in wiki.list("b")]

    assert [(item.id, item.version, item.readers) for item in everything if isinstance(item, Entry)] == [
        ("17", "1", None), ("18", "1", {"group:finance"}),
    ]  # fmt: skip
    assert everything[2:] == [Cursor(value="b")]
    assert changed[1:] == [Gone(id="18"), Cursor(value="c")]
    assert (changed[0].id, changed[0].version) == ("17", "3")
    with pytest.raises(CursorExpired, match="'wiki'"):
        [item async for item in wiki.list("forgotten")]
    await wiki.close()


async def test_the_complete_source_hands_documents_out_and_refuses_a_wrong_token(
    wiki: Any, shown: dict[str, Any], tmp_path: Path
) -> None:
    entry, other, _ = [item async for item in wiki.list(None)]

    async with wiki.fetch(entry) as original:
        assert original.path.read_text() == "Thirty days a year."
        assert (original.title, original.author, original.updated_at.day) == ("Leave", "Ada", 1)
    with pytest.raises(DocumentGone):
        async with wiki.fetch(Entry(id=other.id + "0", version="1")):
            pass
    await wiki.close()

    settings = shown["WikiSettings"](url="https://wiki.example.org", token=SecretStr("wrong"))
    stranger = shown["Wiki"]("wiki", settings, cache=tmp_path, transport=httpx.MockTransport(answer))
    with pytest.raises(SourceRefused, match="SOUFFLEUR_SOURCE_WIKI_TOKEN"):
        [item async for item in stranger.list(None)]
    await stranger.close()


async def test_the_complete_source_syncs_by_its_cursor(wiki: Any, tmp_path: Path) -> None:
    workplace = Workplace(tmp_path / "near")

    assert (await workplace.sync(wiki)).counts[Outcome.ADDED] == 2
    second = await workplace.sync(wiki)
    third = await workplace.sync(wiki)

    assert (second.counts[Outcome.CHANGED], second.counts[Outcome.REMOVED]) == (1, 1)
    assert (third.parsed, third.clean) == (0, True)
    assert await workplace.found("thirty days") == {"17"}
    await wiki.close()
