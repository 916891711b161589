"""The Slack source against a workspace that pages, forgets, refuses and is busy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.sources.interface import (
    CursorExpired,
)
from tests.fakes.slack import (
    OWN_USER,
    Slack,
)
from tests.fixtures.slack_run import Runs, thread

pytestmark = pytest.mark.usefixtures("without_waits")


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
