"""An answer that is withdrawn, while it is written or after: nothing of it stays, or comes back."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.platforms.interface import Button, MessageGone, PlatformUnavailable, Post
from bot.platforms.mattermost.platform import MattermostPlatform
from tests.bot.platforms.mattermost.conftest import STOP, Made, Place
from tests.fakes.mattermost import TOKEN, broken

SECRET = "The bonus is secret. " * 1800
WITHDRAWN = Post(text="This answer was withdrawn.", language="en", replaces=True)
UP = Button(action="up", label="Good", value="signed-up")


def _draft(platform: MattermostPlatform, place: Place, thread: str, told: list[str]) -> Any:
    async def posted(message: str) -> None:
        told.append(message)

    return platform.draft(place.spot(thread), asker=place.ada, language="en", stop=STOP, posted=posted)


async def _call(place: Place, method: str, path: str, token: str = TOKEN, **content: Any) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return await client.request(method, f"{place.url}/api/v4{path}", headers=headers, **content)


async def test_what_was_written_so_far_is_gone_from_all_messages(place: Place, make: Made) -> None:
    told: list[str] = []
    question = place.say("What is the bonus?")
    async with _draft(make(), place, question, told) as draft:
        await draft.write(SECRET)
        await place.until(lambda: len(place.by_bot()) == 3)
        before = [*told]
        ids = await draft.finish(WITHDRAWN)

    (row,) = place.by_bot()
    assert (row["message"], row["root_id"], row["id"]) == ("This answer was withdrawn.", question, told[-1])
    assert ids == (row["id"],)
    assert row["id"] not in before
    assert "secret" not in str([place.server.shown(place.server.posts[id]) for id in before])


async def test_a_change_that_comes_late_does_not_bring_it_back(place: Place, make: Made) -> None:
    told: list[str] = []
    async with _draft(make(), place, place.say("What is the bonus?"), told) as draft:
        await draft.write("The bonus is secret. And ")
        await place.until(place.by_bot)
        await draft.finish(WITHDRAWN)

    late = await _call(place, "PUT", f"/posts/{told[0]}/patch", json={"message": "The bonus is secret. And more."})

    assert late.status_code == 403
    assert [row["message"] for row in place.by_bot()] == ["This answer was withdrawn."]


async def test_what_a_post_was_before_nobody_but_the_bot_may_look_up(place: Place, make: Made) -> None:
    """The reason why an answer that only grows may be changed in place."""
    place.server.tokens["adas"] = place.ada
    spot = place.spot(place.say("What is the bonus?"))
    (id,) = await make().show(spot, Post(text="The bonus is secret.", language="en"))
    await make().change(spot, [id], Post(text="No bonus.", language="en"))

    assert (await _call(place, "GET", f"/posts/{id}/edit_history", "adas")).status_code == 403
    assert "secret" in (await _call(place, "GET", f"/posts/{id}/edit_history")).text
    since = await _call(place, "GET", f"/channels/{place.channel}/posts?since=1", "adas")
    assert "secret" not in since.text


async def test_an_answer_that_was_posted_is_replaced_for_good(place: Place, make: Made) -> None:
    platform, question = make(), place.say("What is the bonus?")
    before = await platform.show(place.spot(question), Post(text=SECRET, language="en", buttons=(UP,)))

    after = await platform.change(place.spot(question), before, WITHDRAWN)

    assert [(row["id"], row["message"]) for row in place.by_bot()] == [(after[0], "This answer was withdrawn.")]
    assert not {*before} & {*after}
    with pytest.raises(MessageGone):
        await platform.change(place.spot(question), before, WITHDRAWN)
    assert len(place.by_bot()) == 1


async def test_what_people_replied_to_a_message_of_the_bot_stays(place: Place, make: Made) -> None:
    platform, server = make(), place.server
    direct = server.direct(place.ada, server.bot)
    await platform.whisper(place.spot(""), place.ada, Post(text="The bonus is secret.", language="en"))
    (row,) = place.by_bot(direct)
    server.post(direct, place.ada, "Thanks a lot", root=row["id"])

    await platform.change(place.spot(row["id"], channel=direct, direct=True), [row["id"]], WITHDRAWN)

    assert [row["message"] for row in server.live(direct)] == ["This answer was withdrawn.", "Thanks a lot"]


async def test_one_message_that_cannot_be_deleted_keeps_no_other_from_it(
    place: Place, make: Made, without_waits: None
) -> None:
    platform, spot = make(), place.spot(place.say("What is the bonus?"))
    before = await platform.show(spot, Post(text=SECRET, language="en"))
    place.server.fault(broken, times=10, of=f"DELETE /posts/{before[0]}")

    with pytest.raises(PlatformUnavailable):
        await platform.change(spot, before, WITHDRAWN)
    assert [row["id"] for row in place.by_bot()] == [before[0]]

    place.server.faults.clear()
    await platform.change(spot, before, WITHDRAWN)
    assert [row["message"] for row in place.by_bot()] == ["This answer was withdrawn."]
