"""The Slack source against a workspace that pages, forgets, refuses and is busy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from ingest.errors import SouffleurError, Transient
from ingest.model import Cursor, DocumentId, Entry, Gone, Listed, Skipped
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
)
from ingest.sources.slack.settings import SlackSettings
from ingest.sources.slack.source import Slack as SlackSource
from tests.fixtures.slack import (
    OWN_USER,
    Behaviour,
    Slack,
    answering,
    failing,
    half_json,
    limited,
    login_page,
    on_later_pages,
    plain_text,
    refusing,
)

pytestmark = pytest.mark.usefixtures("without_waits")


class Run:
    """One run over the source, as a newly started program makes it."""

    def __init__(self, source: SlackSource) -> None:
        self.source = source
        self.listed: list[Listed] = []

    async def list(self, since: str | None = None) -> Run:
        self.listed = [item async for item in self.source.list(since)]
        return self

    @property
    def entries(self) -> dict[str, Entry]:
        return {item.id: item for item in self.listed if isinstance(item, Entry)}

    @property
    def versions(self) -> dict[str, str]:
        return {id: entry.version for id, entry in self.entries.items()}

    @property
    def gone(self) -> set[str]:
        return {item.id for item in self.listed if isinstance(item, Gone)}

    @property
    def skipped(self) -> dict[str, str]:
        return {item.id: item.reason for item in self.listed if isinstance(item, Skipped)}

    @property
    def cursor(self) -> str:
        (cursor,) = [item.value for item in self.listed if isinstance(item, Cursor)]
        return cursor

    async def text(self, id: str) -> str:
        async with self.source.fetch(self.entries[id]) as original:
            return original.path.read_text()

    async def texts(self) -> dict[str, str]:
        return {id: await self.text(id) for id in self.entries}


Runs = Callable[..., Any]


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack(page_size=2)
    async with slack.served():
        yield slack


@pytest.fixture
def run(slack: Slack, tmp_path: Path) -> Runs:
    """A listing by a new program: `async with run(since, setting=…) as listed`."""

    @asynccontextmanager
    async def opened(since: str | None = None, *, cache: str = "cache", **settings: Any) -> AsyncIterator[Run]:
        source = made(slack, tmp_path / cache, **settings)
        try:
            yield await Run(source).list(since)
        finally:
            await source.close()

    return opened


def made(slack: Slack, cache: Path, **settings: Any) -> SlackSource:
    return SlackSource(
        "chat",
        SlackSettings(**{"token": SecretStr(slack.token), "base_url": slack.base_url, **settings}),
        cache=cache,
        max_file_mb=1,
    )


def thread(slack: Slack, channel: str, text: str, *replies: str) -> str:
    ts = slack.say(channel, text)
    for reply in replies or ("Noted.",):
        slack.say(channel, reply, by="UBOB", thread=ts)
    return ts


def today(slack: Slack) -> str:
    return datetime.fromtimestamp(slack.clock, UTC).date().isoformat()


async def test_a_thread_is_a_document_with_its_replies_its_link_and_its_author(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    ts = thread(slack, ops, "Where is the *badge* office?", "Room 12.", "Open from nine, says <@UADA>.", "Thanks!")
    async with run() as listed:
        (entry,) = listed.entries.values()
        async with listed.source.fetch(entry) as original:
            text = original.path.read_text()
    assert entry.id == f"{ops}/{ts}"
    assert entry.url == f"https://acme.slack.com/archives/{ops}/p{ts.replace('.', '')}"
    assert entry.readers == {"everyone"}
    assert (original.title, original.author) == ("#ops: Where is the badge office?", "Ada Lovelace")
    assert original.updated_at == datetime.fromtimestamp(slack.clock, UTC)
    assert text == (
        "**Ada Lovelace, 2026-05-28:** Where is the **badge** office?\n\n"
        "**Bob:** Room 12.\n\nOpen from nine, says @Ada Lovelace.\n\nThanks!"
    )


async def test_what_is_said_on_one_day_outside_threads_is_one_document(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    first = slack.say(ops, "Lunch?")
    slack.say(ops, "has joined", subtype="channel_join", by="UBOB")
    shown = thread(slack, ops, "Threaded")
    slack.say(ops, "Threaded, and told everybody", thread=shown, subtype="thread_broadcast")
    slack.say(ops, "At noon.", by="UBOB")
    slack.pass_days(1)
    slack.say(ops, "Good morning")
    async with run() as listed:
        texts = await listed.texts()
        url = listed.entries[f"{ops}/2026-05-28"].url
    assert texts[f"{ops}/2026-05-28"] == "**Ada Lovelace:** Lunch?\n\n**Bob:** At noon."
    assert texts[f"{ops}/2026-05-29"] == "**Ada Lovelace:** Good morning"
    assert "told everybody" in texts[f"{ops}/{shown}"]
    assert len(texts) == 3
    assert url == f"https://acme.slack.com/archives/{ops}/p{first.replace('.', '')}"


async def test_questions_to_this_app_and_its_answers_are_no_documents(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    asked = slack.say(ops, f"<@{OWN_USER}> how many days of leave?")
    slack.say(ops, "Thirty [1].", by=OWN_USER, bot_id="B0BOT", thread=asked)
    slack.say(ops, f"<@{OWN_USER}> and where is the canteen?")
    slack.say(ops, "Answer to nobody", by=OWN_USER, bot_id="B0BOT")
    async with run(bots=True) as listed:
        assert not listed.entries


async def test_messages_of_apps_are_read_when_the_settings_say_so(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.say(ops, "Deployed 1.2", by="UAPP", bot_id="B1", subtype="bot_message", username="deploy")
    async with run() as listed:
        assert not listed.entries
    async with run(bots=True) as listed:
        assert [*(await listed.texts()).values()] == ["**deploy:** Deployed 1.2"]


async def test_private_and_shared_channels_are_for_their_members_and_direct_messages_never_read(
    slack: Slack, run: Runs
) -> None:
    public, board = slack.channel("all"), slack.channel("board", is_private=True)
    partners = slack.channel("partners", is_ext_shared=True)
    direct, group = slack.channel("", is_im=True, id="D1"), slack.channel("mpdm", is_mpim=True, is_private=True)
    for channel in (public, board, partners, direct, group):
        thread(slack, channel, "Something")
    slack.channel("elsewhere", members=set())
    async with run(private=True, readers=["group:staff"]) as listed:
        readers = {id.partition("/")[0]: entry.readers for id, entry in listed.entries.items()}
    assert readers == {public: {"group:staff"}, board: {f"slack:{board}"}, partners: {f"slack:{partners}"}}
    async with run() as listed:
        assert {id.partition("/")[0] for id in listed.entries} == {public, partners}


async def test_channels_are_chosen_by_name_or_id_and_one_that_cannot_be_had_is_told(slack: Slack, run: Runs) -> None:
    ops, hr, other = slack.channel("ops"), slack.channel("hr", id="C0123456"), slack.channel("other")
    for channel in (ops, hr, other):
        thread(slack, channel, "Something")
    async with run(channels=["#ops", "C0123456", "lost", "C9999999"]) as listed:
        assert {id.partition("/")[0] for id in listed.entries} == {ops, hr}
        assert listed.skipped.keys() == {"#lost", "C9999999/"}
        assert "/invite" in listed.skipped["#lost"]


async def test_all_of_a_long_history_is_read_whatever_the_pages_and_nothing_older(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.say(ops, "Too old")
    slack.pass_days(11)
    said = []
    for day in range(10):
        for turn in range(3):
            slack.say(ops, f"day {day} turn {turn}")
            said.append(f"day {day} turn {turn}")
        slack.pass_days(1)
    async with run(history_days=10) as listed:
        texts = "\n".join((await listed.texts()).values())
    assert all(text in texts for text in said)
    assert "Too old" not in texts
    async with run(history_days=None) as listed:
        assert "Too old" in "\n".join((await listed.texts()).values())


async def test_people_of_other_companies_and_channels_elsewhere_have_names_too(slack: Slack, run: Runs) -> None:
    slack.user("UEXT", "Zoë (Partner)")
    slack.strangers.add("UEXT")
    ops = slack.channel("ops")
    slack.channel("elsewhere", id="C900", members=set())
    slack.say(ops, "See <#C900> and <#C901> and <@UGONE>", by="UEXT")
    slack.say(ops, "Again <#C900>", by="UEXT")
    async with run() as listed:
        (text,) = (await listed.texts()).values()
    assert text == "**Zoë (Partner):** See #elsewhere and #C901 and @UGONE\n\nAgain #elsewhere"
    assert len(slack.called("users.info")) == 2
    assert len(slack.called("conversations.info")) == 2


async def test_the_clock_of_this_machine_does_not_matter(slack: Slack, run: Runs) -> None:
    slack.clock = 4_000_000_000.0  # in 2096
    ops = slack.channel("ops")
    thread(slack, ops, "From the future")
    async with run(history_days=1) as listed:
        assert len(listed.entries) == 1
        slack.say(ops, "A minute later")
    async with run(listed.cursor, history_days=1) as after:
        assert len(after.entries) == 2


async def test_what_is_unchanged_keeps_its_version_and_asks_for_no_names(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Something")
    slack.say(ops, "Else")
    async with run() as first:
        pass
    async with run(first.cursor) as second:
        assert second.versions == first.versions
        assert not second.gone
    assert not slack.called("users.list")


async def test_an_edited_reply_is_found_within_recheck_days_of_the_last_reply(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    ts = thread(slack, ops, "Question", "The old answer")
    reply = [*slack.rooms[ops].messages][-1]
    async with run(recheck_days=2) as before:
        pass
    slack.pass_days(1)
    slack.edit(ops, reply, "The new answer")
    async with run(before.cursor, recheck_days=2) as after:
        assert after.versions != before.versions
        assert "new answer" in await after.text(f"{ops}/{ts}")
        assert "old answer" not in await after.text(f"{ops}/{ts}")


async def test_an_edit_is_found_however_long_after_it_the_next_sync_runs(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Question", "The old answer")
    async with run(recheck_days=2, full_days=60) as before:
        pass
    slack.edit(ops, [*slack.rooms[ops].messages][-1], "The new answer")
    slack.pass_days(40)
    async with run(before.cursor, recheck_days=2, full_days=60, follow_days=10) as after:
        assert after.versions != before.versions


async def test_threads_that_have_been_silent_for_long_are_not_read_again(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    for number in range(3):
        thread(slack, ops, f"Question {number}")
    async with run() as first:
        pass
    slack.pass_days(5)
    live = thread(slack, ops, "Question 3")
    async with run(first.cursor) as second:
        pass
    asked = len(slack.called("conversations.replies"))
    slack.pass_days(1)
    async with run(second.cursor) as third:
        assert third.versions == second.versions
    assert [params["ts"] for params in slack.called("conversations.replies")[asked:]] == [live]
    async with run(second.cursor, recheck_days=0):
        assert len(slack.called("conversations.replies")) == asked + 1


async def test_a_thread_with_edited_replies_keeps_its_version_when_it_is_no_longer_reread(
    slack: Slack, run: Runs
) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Question", "Anser")
    slack.edit(ops, [*slack.rooms[ops].messages][-1], "Answer")
    async with run() as fresh:
        texts = await fresh.texts()
    slack.pass_days(20)
    async with run() as old:
        assert old.versions == fresh.versions
    async with run(cache="lost") as lost:  # costs a request, and nothing else
        assert await lost.texts() == texts


async def test_new_and_deleted_replies_change_the_thread(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    ts = thread(slack, ops, "Question", "First", "Second")
    async with run() as before:
        pass
    slack.pass_days(5)
    third = slack.say(ops, "Third", thread=ts)
    async with run(before.cursor) as added:
        assert added.versions != before.versions
        assert "Third" in await added.text(f"{ops}/{ts}")
    slack.delete(ops, third)
    async with run(added.cursor) as deleted:
        assert deleted.versions != added.versions
        assert "Third" not in await deleted.text(f"{ops}/{ts}")


async def test_deleted_messages_are_gone_after_the_next_listing(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    first = slack.say(ops, "A day of one message")
    slack.pass_days(1)
    ts = thread(slack, ops, "A secret question", "A reply")
    reply = [*slack.rooms[ops].messages][-1]
    async with run() as before:
        pass
    slack.delete(ops, first)
    slack.delete(ops, ts)
    async with run(before.cursor) as tombstone:
        assert tombstone.gone == {f"{ops}/2026-05-28"}
        assert tombstone.versions != before.versions
        assert await tombstone.text(f"{ops}/{ts}") == "**Bob, 2026-05-29:** A reply"
    slack.delete(ops, reply)
    slack.rooms[ops].messages.clear()
    async with run(tombstone.cursor) as after:
        assert after.gone == {f"{ops}/{ts}"}
        assert not after.entries
    async with run(after.cursor) as later:
        assert not later.gone


async def test_a_message_that_is_answered_later_moves_from_its_day_to_a_thread(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    ts = slack.say(ops, "Anybody?")
    async with run() as before:
        assert before.entries.keys() == {f"{ops}/2026-05-28"}
    slack.say(ops, "Here", by="UBOB", thread=ts)
    async with run(before.cursor) as after:
        assert after.entries.keys() == {f"{ops}/{ts}"}
        assert after.gone == {f"{ops}/2026-05-28"}


async def test_what_is_older_than_follow_days_is_looked_at_by_a_whole_listing(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    old = thread(slack, ops, "Long ago")
    slack.pass_days(40)
    slack.say(ops, "Now")
    async with run() as before:
        assert len(before.entries) == 2
    slack.rooms[ops].messages = {
        ts: said for ts, said in slack.rooms[ops].messages.items() if float(ts) > float(old) + 9
    }
    slack.pass_days(1)
    async with run(before.cursor) as after:
        assert after.entries.keys() == {f"{ops}/{datetime.fromtimestamp(slack.clock - 86_400, UTC).date()}"}
        assert not after.gone
    slack.pass_days(6)
    with pytest.raises(CursorExpired, match="full_days"):
        async with run(after.cursor):
            pass
    async with run() as whole:
        assert f"{ops}/{old}" not in whole.entries


async def test_what_grows_older_than_follow_days_stays(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.say(ops, "Long ago")
    thread(slack, ops, "As long ago")
    slack.pass_days(30)
    async with run() as before:
        assert len(before.entries) == 2
    slack.pass_days(1)
    async with run(before.cursor) as after:
        assert not after.entries
        assert not after.gone


async def test_a_program_that_lists_again_tells_what_is_there_now(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.say(ops, "Stays")
    said = slack.say(ops, "Goes")
    async with run() as listed:
        slack.delete(ops, said)
        await listed.list(listed.cursor)
        assert await listed.text(f"{ops}/2026-05-28") == "**Ada Lovelace:** Stays"


async def test_nothing_is_missed_between_two_listings_far_apart(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.say(ops, "Before")
    async with run(full_days=90) as before:
        pass
    slack.pass_days(3)
    ts = thread(slack, ops, "In between")
    slack.pass_days(50)
    async with run(before.cursor, full_days=90, follow_days=7) as after:
        assert f"{ops}/{ts}" in after.entries


@pytest.mark.parametrize("change", [{"is_private": True}, {"is_ext_shared": True}, {"name": "operations"}])
async def test_a_channel_with_other_readers_or_another_name_is_listed_whole(
    slack: Slack, run: Runs, change: dict[str, Any]
) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Long ago")
    slack.pass_days(60)
    thread(slack, ops, "Now")
    async with run(private=True) as before:
        pass
    vars(slack.rooms[ops]).update(change)
    with pytest.raises(CursorExpired, match=r"#(ops|operations)"):
        async with run(before.cursor, private=True):
            pass
    async with run(private=True) as after:
        assert len(after.entries) == 2
        if "name" in change:
            assert not set(after.versions.values()) & set(before.versions.values())
            assert after.entries.keys() == before.entries.keys()
        else:
            assert after.versions == before.versions
            assert {entry.readers for entry in after.entries.values()} == {frozenset({f"slack:{ops}"})}


async def test_a_channel_that_the_app_has_left_is_gone_and_a_new_one_is_listed_whole(slack: Slack, run: Runs) -> None:
    ops, hr, it = slack.channel("ops"), slack.channel("hr"), slack.channel("it")
    for channel in (ops, hr):
        thread(slack, channel, "Something")
    slack.rooms[it].members.clear()
    old = thread(slack, it, "Long ago")
    slack.pass_days(100)
    async with run() as before:
        assert len(before.entries) == 2
    slack.rooms[ops].members.clear()
    slack.rooms[hr].is_archived = True
    slack.rooms[it].members.add(OWN_USER)
    async with run(before.cursor) as after:
        assert after.gone == {f"{ops}/", f"{hr}/"}
        assert after.entries.keys() == {f"{it}/{old}"}


async def test_a_channel_lost_while_listing_is_withdrawn_and_the_others_are_listed(slack: Slack, run: Runs) -> None:
    ops, hr = slack.channel("ops"), slack.channel("hr")
    for channel in (ops, hr):
        thread(slack, channel, "Something")
    async with run() as before:
        pass
    slack.script(refusing("not_in_channel"), on="conversations.history")
    async with run(before.cursor) as after:
        assert [*after.skipped] == [f"{ops}/"]
        assert "#ops" in after.skipped[f"{ops}/"]
        assert {id.partition("/")[0] for id in after.entries} == {hr}
    async with run(after.cursor) as again:
        assert len(again.entries) == 2


async def test_a_cursor_of_other_things_has_expired(slack: Slack, run: Runs) -> None:
    thread(slack, slack.channel("ops"), "Something")
    async with run() as before:
        pass
    for since, settings in (("", {}), ("{}", {}), ('{"form": 9}', {}), (before.cursor, {"bots": True})):
        with pytest.raises(CursorExpired):
            async with run(since, **settings):
                pass
    slack.team = "T0OTHER"
    with pytest.raises(CursorExpired, match="workspace"):
        async with run(before.cursor):
            pass


async def test_a_run_without_a_listing_reads_threads_and_days_from_slack(
    slack: Slack, run: Runs, tmp_path: Path
) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Question", *(f"Answer {number}" for number in range(5)))
    for number in range(5):
        slack.say(ops, f"Message {number}")
    slack.pass_days(1)
    slack.say(ops, "Tomorrow")
    async with run(recheck_days=0) as listed:
        expected = await listed.texts()
    source = made(slack, tmp_path / "other", recheck_days=0)
    try:
        for id, entry in listed.entries.items():
            async with source.fetch(entry) as original:
                assert original.path.read_text() == expected[id]
    finally:
        await source.close()
    assert len(expected) == 3
    assert "Answer 4" in "".join(expected.values())


async def test_content_is_handed_out_from_what_the_listing_read(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    thread(slack, ops, "Question")
    slack.say(ops, "Message")
    async with run() as listed:
        asked = len(slack.called("conversations.history")), len(slack.called("conversations.replies"))
        await listed.texts()
    assert (len(slack.called("conversations.history")), len(slack.called("conversations.replies"))) == asked


async def test_what_has_gone_since_the_listing_is_told_so(slack: Slack, run: Runs) -> None:
    ops, hr = slack.channel("ops"), slack.channel("hr")
    old = thread(slack, ops, "Long ago")
    thread(slack, hr, "Something")
    slack.pass_days(30)
    async with run() as listed:
        del slack.rooms[ops].messages[old]
        with pytest.raises(DocumentGone):
            await listed.text(f"{ops}/{old}")
        with pytest.raises(DocumentGone, match="C999"):
            async with listed.source.fetch(Entry(id=DocumentId("C999/1.0"), version="")):
                pass


async def test_messages_that_were_read_leave_no_copy_on_disk(slack: Slack, run: Runs, tmp_path: Path) -> None:
    thread(slack, slack.channel("ops"), "The unmistakable needle")
    async with run():
        pass
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert kept
    assert b"needle" not in kept


async def test_a_damaged_cache_is_replaced_and_an_unusable_one_is_named(
    slack: Slack, run: Runs, tmp_path: Path
) -> None:
    thread(slack, slack.channel("ops"), "Something")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "edits.db").write_bytes(b"no database" * 1000)
    async with run() as listed:
        assert len(await listed.texts()) == 1
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SourceUnavailable, match="file"):
        async with run(cache="file/cache"):
            pass


async def test_shared_files_are_documents_for_whoever_reads_the_channel(slack: Slack, run: Runs) -> None:
    board = slack.channel("board", is_private=True)
    ts = thread(slack, board, "The plan is attached")
    for number in range(3):
        slack.share(board, f"plan-{number}.md", f"# Plan {number}".encode(), media_type="text/markdown", thread=ts)
    async with run(private=True, files=True) as listed:
        files = {id: entry for id, entry in listed.entries.items() if "/F" in id}
        async with listed.source.fetch(files[f"{board}/F001"]) as original:
            assert original.path.read_text() == "# Plan 0"
            assert (original.name, original.title, original.author) == ("plan-0.md", "plan-0", "Ada Lovelace")
            assert original.media_type == "text/markdown"
        assert "📎 plan-2.md" in await listed.text(f"{board}/{ts}")
    assert files.keys() == {f"{board}/F001", f"{board}/F002", f"{board}/F003"}
    assert {entry.readers for entry in files.values()} == {frozenset({f"slack:{board}"})}
    assert files[f"{board}/F001"].url == "https://acme.slack.com/files/UADA/F001/plan-0.md"
    slack.unshare("F001")
    async with run(listed.cursor, private=True, files=True) as after:
        assert after.gone == {f"{board}/F001"}
        assert "plan-0.md" not in await after.text(f"{board}/{ts}")


async def test_large_files_and_recordings_are_skipped_unread(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.share(ops, "big.txt", b"x" * (1 << 20), media_type="text/plain")
    slack.share(ops, "bigger.txt", b"x" * ((1 << 20) + 1), media_type="text/plain")
    slack.share(ops, "talk.mp4", b"...", media_type="video/mp4")
    async with run(files=True) as listed:
        assert {id for id in listed.entries if "/F" in id} == {f"{ops}/F001"}
        assert listed.skipped.keys() == {f"{ops}/F002", f"{ops}/F003"}
        assert "max_file_mb" in listed.skipped[f"{ops}/F002"]
        slack.files["F001"]["size"] += 1
        with pytest.raises(DocumentTooLarge):
            await listed.text(f"{ops}/F001")
        slack.files["F001"]["size"] = 3  # and more is sent than was said
        slack.contents["F001"] += b"x"
        with pytest.raises(DocumentTooLarge):
            await listed.text(f"{ops}/F001")
    assert not [params for params in slack.called("download") if params["file"] != "F001"]


async def test_the_token_is_sent_to_slack_alone(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    slack.share(ops, "plan.txt", b"plan", media_type="text/plain")
    elsewhere = Slack()
    async with elsewhere.served() as base_url, run(files=True) as listed:
        slack.files["F001"]["url_private_download"] = base_url.replace("api/", "files-pri/T-F001/download/plan.txt")
        with pytest.raises(DocumentGone, match=r"127\.0\.0\.1"):
            await listed.text(f"{ops}/F001")
    assert not elsewhere.requests


async def test_without_the_scope_for_files_the_source_says_so(slack: Slack, run: Runs) -> None:
    slack.share(slack.channel("ops"), "plan.txt", b"plan", media_type="text/plain")
    slack.scopes.discard("files:read")
    with pytest.raises(SourceRefused, match=r"'files:read'.*SOUFFLEUR_SOURCE_CHAT_TOKEN"):
        async with run(files=True):
            pass
    async with run():
        pass


async def test_a_login_page_in_the_place_of_a_file_is_no_document(slack: Slack, run: Runs) -> None:
    slack.share(slack.channel("ops"), "plan.txt", b"plan", media_type="text/plain")
    slack.always(login_page, on="download")
    async with run(files=True) as listed:
        with pytest.raises(Transient, match="login page") as once:
            await listed.text("C001/F001")
    assert not isinstance(once.value, SourceUnavailable), "trouble with one file stops no other"
    slack.tells_scopes = False
    async with run(files=True) as listed:
        with pytest.raises(SourceRefused, match="files:read"):
            await listed.text("C001/F001")


async def test_what_alone_cannot_be_had_is_one_document_s_trouble(slack: Slack, run: Runs) -> None:
    ops = slack.channel("ops")
    old = thread(slack, ops, "Long ago")
    slack.share(ops, "plan.txt", b"plan", media_type="text/plain")
    slack.pass_days(30)
    async with run(files=True) as listed:
        slack.always(failing(500), on="download")
        slack.always(failing(500), on="conversations.replies")
        for id in (f"{ops}/{old}", f"{ops}/F001"):
            with pytest.raises(DocumentUnavailable, match="500"):
                await listed.text(id)
        slack.always(failing(500))
        with pytest.raises(SourceUnavailable):
            await listed.text(f"{ops}/{old}")


async def test_a_web_page_that_was_shared_is_no_login_page(slack: Slack, run: Runs) -> None:
    slack.share(slack.channel("ops"), "page.html", b"<h1>Shared</h1>", media_type="text/html")
    async with run(files=True) as listed:
        assert await listed.text("C001/F001") == "<h1>Shared</h1>"


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "invalid_auth", "token_expired"])
async def test_a_token_that_is_refused_is_told_with_the_variable_to_set(slack: Slack, run: Runs, error: str) -> None:
    slack.revoked = error
    with pytest.raises(SourceRefused, match=f"{error}.*SOUFFLEUR_SOURCE_CHAT_TOKEN"):
        async with run():
            pass


@pytest.mark.parametrize(
    ("scope", "settings"),
    [
        ("channels:read", {}),
        ("channels:history", {}),
        ("groups:read", {"private": True}),
        ("groups:history", {"private": True}),
        ("users:read", {}),
    ],
)
async def test_a_missing_scope_is_named(slack: Slack, run: Runs, scope: str, settings: dict[str, Any]) -> None:
    slack.say(slack.channel("ops"), "Something")
    slack.say(slack.channel("board", is_private=True), "Something")
    slack.scopes.discard(scope)
    with pytest.raises(SourceRefused, match=f"'{scope}'.*SOUFFLEUR_SOURCE_CHAT_TOKEN"):
        async with run(**settings) as listed:
            await listed.texts()


async def test_without_a_token_nothing_is_asked(slack: Slack, run: Runs) -> None:
    with pytest.raises(SourceRefused, match="SOUFFLEUR_SOURCE_CHAT_TOKEN"):
        async with run(token=None):
            pass
    assert not slack.requests


@pytest.mark.parametrize(
    "trouble",
    [limited(0), limited(None), failing(503), failing(502), refusing("ratelimited"), refusing("internal_error")],
)
async def test_a_busy_slack_is_waited_for(slack: Slack, run: Runs, trouble: Behaviour) -> None:
    ops = slack.channel("ops")
    ts = thread(slack, ops, "Question", "One", "Two", "Three")
    slack.script(*[trouble] * 5)
    slack.script(trouble, trouble, on="conversations.replies")
    async with run() as listed:
        assert "Three" in await listed.text(f"{ops}/{ts}")


@pytest.mark.parametrize(("trouble", "attempts"), [(limited(0), 8), (failing(500), 8), (limited(3600), 1)])
async def test_a_slack_that_stays_busy_is_unavailable(
    slack: Slack, run: Runs, trouble: Behaviour, attempts: int
) -> None:
    thread(slack, slack.channel("ops"), "Question")
    slack.always(trouble, on="conversations.history")
    with pytest.raises(SourceUnavailable, match=r"conversations\.history"):
        async with run():
            pass
    assert len(slack.called("conversations.history")) == attempts


async def test_a_server_that_is_not_there_is_unavailable(slack: Slack, run: Runs) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        async with run(base_url="http://127.0.0.1:9/api/"):
            pass


@pytest.mark.parametrize("method", ["users.conversations", "conversations.history", "conversations.replies"])
async def test_a_listing_of_which_a_later_page_fails_has_no_end(slack: Slack, run: Runs, method: str) -> None:
    for name in ("a", "b", "c"):
        channel = slack.channel(name)
        thread(slack, channel, "Question", "One", "Two", "Three")
        for number in range(3):
            slack.say(channel, f"Message {number}")
    slack.always(on_later_pages(failing(500)), on=method)
    with pytest.raises(SourceUnavailable, match=method):
        async with run():
            pass


async def test_a_listing_in_circles_ends(slack: Slack, run: Runs) -> None:
    channel = slack.channel("ops")
    for number in range(5):
        slack.say(channel, f"Message {number}")
    again = {"ok": True, "messages": [], "response_metadata": {"next_cursor": "again"}}
    slack.always(answering(again), on="conversations.history")
    with pytest.raises(SourceUnavailable, match="circle"):
        async with run():
            pass


@pytest.mark.parametrize("answer", [login_page, plain_text, half_json])
async def test_what_is_no_answer_of_slack_is_told_so(slack: Slack, run: Runs, answer: Behaviour) -> None:
    slack.always(answer)
    with pytest.raises(SourceRefused, match="base_url"):
        async with run():
            pass


async def test_an_unknown_error_is_passed_on(slack: Slack, run: Runs) -> None:
    slack.script(refusing("never_heard_of"), on="users.conversations")
    with pytest.raises(SouffleurError, match="never_heard_of"):
        async with run():
            pass


def test_settings_load_without_the_client_library() -> None:
    code = "import ingest.sources.slack.settings, sys; sys.exit('slack_sdk' in sys.modules or 'aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_settings_take_no_nonsense() -> None:
    for wrong in ({"history_days": 0}, {"full_days": 0}, {"base_url": "slack.com"}, {"chanels": ["ops"]}):
        with pytest.raises(ValidationError):
            SlackSettings.model_validate(wrong)
