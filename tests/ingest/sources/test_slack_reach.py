"""What the Slack source does when channels, content, files, tokens or Slack itself are not what they were."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.errors import SouffleurError, Transient
from ingest.model import DocumentId, Entry
from ingest.sources.interface import (
    CursorExpired,
    DocumentGone,
    DocumentTooLarge,
    DocumentUnavailable,
    SourceRefused,
    SourceUnavailable,
)
from ingest.sources.slack.settings import SlackSettings
from tests.fakes.slack import (
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
from tests.fixtures.slack_run import Runs, made, thread

pytestmark = pytest.mark.usefixtures("without_waits")


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
