"""A message in a conversation is a question to search for, unless the model plainly marks it as work on the thread."""

from __future__ import annotations

from datetime import date

import pytest

from bot.followup import Followup, Standalone
from bot.llm.interface import ChatRefused, ChatUnavailable
from bot.llm.scripted import Failure, Reply, ScriptedWriter
from bot.model import Turn
from bot.prompting import ON_CONVERSATION, Budget, Prompts

PROMPTS = Prompts(
    Budget(context_tokens=2000, answer_tokens=300),
    answer_language=lambda language: f"[{language}]",
    today=lambda: date(2026, 11, 23),
)
TURNS = (Turn(role="user", text="How many days of leave?"), Turn(role="assistant", text="25 days [1]."))


async def decided(reply: Reply, question: str = "and in Lyon?") -> Standalone:
    return await Followup(ScriptedWriter([reply]), PROMPTS).standalone(question, TURNS, "en")


@pytest.mark.parametrize(
    "reply",
    [
        ON_CONVERSATION,
        f" **{ON_CONVERSATION}**\n",
        f"`{ON_CONVERSATION}`",
        f"{ON_CONVERSATION}.",
        f"{ON_CONVERSATION}: a summary of the thread is wanted. " + "It goes on. " * 100,
        f'"{ON_CONVERSATION}"\n\nThe last message asks for a summary.',
    ],
)
async def test_the_mark_makes_it_work_on_the_conversation(reply: str) -> None:
    assert await decided(reply, "tl;dr") == Standalone(query="tl;dr", on_conversation=True)


@pytest.mark.parametrize(("reply", "query"), [('"How long is leave in Lyon?"', "How long is leave in Lyon?")])
async def test_any_other_line_is_the_question(reply: str, query: str) -> None:
    assert await decided(reply) == Standalone(query=query)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        '""',
        "x" * 501,
        f"This is a task, so {ON_CONVERSATION}",
        f"{ON_CONVERSATION}S are what?",
        Failure(error=ChatUnavailable("the gateway is away")),
        Failure(error=ChatRefused("the key is wrong")),
        Failure(error=ChatUnavailable("the stream ended"), after=ON_CONVERSATION),
    ],
)
async def test_whatever_is_unclear_is_searched_for_as_asked(reply: Reply) -> None:
    found = await decided(reply)
    assert (found.query, found.on_conversation) == ("and in Lyon?", False)
    assert found.notice is not None
    assert found.notice.startswith("follow-up searched as asked: ")


async def test_the_model_knows_the_turns_the_files_and_the_mark() -> None:
    writer = ScriptedWriter([ON_CONVERSATION])
    await Followup(writer, PROMPTS).standalone("Translate it", TURNS, "en", files=["offer.pdf"])
    system, user = (message.content for message in writer.prompts[0].messages)
    assert ON_CONVERSATION in system
    assert "25 days" in user
    assert "offer.pdf" in user
    assert user.endswith("Last message: Translate it")
