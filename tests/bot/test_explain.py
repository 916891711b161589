"""`bot explain` shows how an answer came about, whichever way it is named, and gives nothing away but that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.conversations import Conversations
from bot.dialogue.replies import Replies, Reply
from bot.explain import AnswerUnknown, explain
from bot.model import Answer, Asker, Outcome, Passage, Place, Question, Spent
from bot.platforms.console import CONTROL
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Post
from bot.settings import BotSettings
from bot.trace import LanguageDecided, Trace, TracedCall, TracedCheck, TracedHit, TracedRanking
from ingest.ledger import Ledger
from ingest.masking import masked
from ingest.model import Chunk
from tests.fixtures.assistant import in_ledger
from tests.fixtures.passages import attachment, chunk

TRACE = "0123456789abcdef" * 2
KEY = "ghp_" + "a1B2" * 9
LEAVE = chunk(f"Thirty days of leave. The token is {KEY}.", page=3)
GONE = chunk("Forty days.", document="old.md", title="Old leave\x1b[2J")
REWRITTEN = chunk("Twenty days, as it used to say.", position=1)
FILE = attachment("An offer.")

QUESTION = Question(
    text="How many days?",
    asker=Asker(id="slack:U1", readers=frozenset({"everyone"})),
    place=Place(platform="slack", thread="slack/T1/C042/1699999999.000100"),
)


def hit(chunk: Chunk, score: float) -> TracedHit:
    return TracedHit(chunk=chunk.id, source=chunk.source, document=chunk.document, title=chunk.title, score=score)


def walked() -> Trace:
    return Trace(
        decided=LanguageDecided(language="en", confidence=0.98, how="function words"),
        route="documents",
        query="days of paid leave",
        translations={"de": "Tage Urlaub"},
        variants=("holiday entitlement",),
        widened="the best passages say too little",
        rankings=[
            TracedRanking(
                stage="lexical", query="days of paid leave", hits=(hit(LEAVE, 3.25), hit(GONE, 1.5)), found=31
            ),
            TracedRanking(stage="reranked", query="days of paid leave", hits=(hit(REWRITTEN, 0.5),), found=1),
        ],
        withheld=4,
        evidence={"top": 3.25},
        probability=0.81,
        threshold=0.44,
        calls=[
            TracedCall(
                task="answer",
                model="assistant",
                messages=(("system", "Answer from the passages.\nCite them."), ("user", f"The token is {KEY}.")),
                reply="Thirty\x9b2J days [1]. In Lyon forty.",
                seconds=1.25,
                prompt_tokens=900,
                reply_tokens=12,
                estimated=False,
            ),
            TracedCall(
                task="retry",
                model="assistant",
                messages=(),
                reply="",
                seconds=0.1,
                prompt_tokens=0,
                reply_tokens=0,
                estimated=True,
                error="the gateway is away",
            ),
        ],
        checks=[TracedCheck(check="grounding", text="In Lyon forty.", verdict="removed", why="Lyon is in no passage")],
    )


def answer(trace_id: str = TRACE, *, trace: Trace | None = None) -> Answer:
    given = tuple(Passage(number=number, chunk=one, score=1) for number, one in enumerate((LEAVE, GONE, FILE), start=1))
    return Answer(
        text="Thirty days [1].",
        language="en",
        outcome=Outcome.ANSWERED,
        citations=given[:1],
        passages=given,
        nearest=(Passage(number=1, chunk=REWRITTEN, score=1),),
        trace_id=trace_id,
        written_by="assistant",
        notices=("the reranker was away",),
        spent=Spent(calls=2, prompt_tokens=900, reply_tokens=12, estimated=True),
        timings={"retrieve": 0.0125, "total": 1.5},
        trace=trace,
    )


@pytest.fixture
async def settings(tmp_path: Path) -> BotSettings:
    """Of a bot whose ledger holds one version of one document."""
    settings = BotSettings().placed(tmp_path)
    ledger = await Ledger.open(settings.state)
    await in_ledger(ledger, [LEAVE])
    await ledger.close()
    return settings


@pytest.fixture
async def conversations(settings: BotSettings) -> AsyncIterator[Conversations]:
    opened = await Conversations.open(settings.state)
    yield opened
    await opened.close()


@pytest.fixture
async def shown(settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of an answer with all there can be."""
    await conversations.remember(QUESTION, answer(trace=walked()))
    assert await explain(settings, TRACE, as_json=False) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "question: How many days?",
        "asked by: slack:U1",
        "where: slack slack/T1/C042/1699999999.000100",
        "en, with a confidence of 0.98: function words",
        "query: days of paid leave",
        "in de: Tage Urlaub",
        "variant: holiday entitlement",
        "searched a second time: the best passages say too little",
        "Ranking lexical: 31 found (the first 2 of 31)",
        f"1.    3.2500  Annual leave — handbook/leave.md  {LEAVE.id}",
        "withheld by the check of access after the search: 4",
        "the passages answer the question with a probability of 0.810; the threshold is 0.440: enough",
        "[1] handbook/leave.md (Entitlement › page 3, cited)",
        "Model call 1: answer by assistant, 1.25 s, 900 + 12 tokens",
        "    Answer from the passages.\n    Cite them.",
        "failed: the gateway is away",
        "grounding: removed: Lyon is in no passage\n      In Lyon forty.",
        "retrieve: 12.5 ms",
        "tokens: 900 of prompts, 12 of replies (partly estimated)",
        "Answer: answered, by assistant",
        "notice: the reranker was away",
    ],
)
def test_everything_on_the_way_to_an_answer_is_shown(shown: str, line: str) -> None:
    assert line in shown


def test_what_is_not_there_any_more_is_named_so(shown: str) -> None:
    assert f"{GONE.id} [its document is not there any more]" in shown
    assert f"{REWRITTEN.id} [its document has changed, and no longer holds this text]" in shown
    assert "[3] @attached/offer.pdf (a file of the conversation)" in shown


def test_no_secret_and_no_command_of_a_terminal_is_shown(shown: str) -> None:
    assert KEY not in shown
    assert f"The token is {masked(KEY)}." in shown
    assert not CONTROL.search(shown)


async def test_json_is_the_same_as_data(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer(trace=walked()))
    await explain(settings, TRACE, as_json=True)
    printed = capsys.readouterr().out
    assert KEY not in printed
    assert not CONTROL.search(printed)
    data: dict[str, Any] = json.loads(printed)
    assert data["walk"]["calls"][0]["reply"] == "Thirty\x9b2J days [1]. In Lyon forty."
    assert [one["found"] for one in data["walk"]["rankings"]] == [31, 1]
    assert [(one["document"], one["cited"], one["page"]) for one in data["passages"]] == [
        ("leave.md", True, 3),
        ("old.md", False, None),
        ("offer.pdf", False, None),
    ]
    assert data["passages"][0]["text"].startswith("Thirty days of leave.")
    assert data["nearest"][0]["gone"].startswith("its document has changed")
    assert data["spent"]["prompt_tokens"] == 900


async def test_an_answer_without_a_trace_is_shown_as_far_as_it_is_kept(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer())
    assert await explain(settings, TRACE[:8].upper(), as_json=False) == 0
    printed = capsys.readouterr().out
    assert "not kept (any more): `answer.explain_days` is 30" in printed
    assert "Thirty days [1]." in printed


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("0123456", "too short: give at least the first 8 digits"),
        ("fedcba98", "no answer with the trace id fedcba98 is known here"),
        ("00000000", "several answers begin with 00000000: 0{31}1, 0{31}2; give more digits"),
        ("hello", "neither a trace id nor the link to a message"),
        ("https://acme.slack.com/archives/C042/p1699999999123456", "no answer is known to https://"),
        ("https://acme.slack.com/archives/C042", "is no link to a message"),
        ("https://[::1", "is no address"),
    ],
)
async def test_what_names_no_answer_is_told_with_the_way_out(
    settings: BotSettings, conversations: Conversations, reference: str, says: str
) -> None:
    for number in (1, 2):
        await conversations.remember(QUESTION, answer(f"{number:032}"))
    with pytest.raises(AnswerUnknown, match=says):
        await explain(settings, reference, as_json=False)


ROOT, ASKED, ANSWERED = "1699999999.000100", "1699999999.123456", "1699999999.200000"
POSTS = {name: name * 26 for name in "raq"}


@pytest.mark.parametrize(
    ("platform", "messages", "link"),
    [
        ("slack", (ROOT, ASKED, ANSWERED), "https://acme.slack.com/archives/C042/p1699999999200000?thread_ts=1699999999.000100"),
        ("slack", (ROOT, ASKED, ANSWERED), "https://acme.slack.com/archives/C042/p1699999999123456"),
        ("slack", (ROOT, ASKED, ANSWERED), "https://acme.slack.com/archives/C042/p1699999999000100"),
        ("slack", (ROOT, ASKED, ANSWERED), "https://acme.slack.com/archives/C042/p1699999999999999?thread_ts=1699999999.000100&cid=C042"),
        *(("mattermost", tuple(POSTS.values()), f"https://chat.example.org/acme/pl/{post}") for post in POSTS.values()),
    ],
)  # fmt: skip
async def test_a_link_to_the_answer_the_question_or_its_thread_names_it(
    settings: BotSettings,
    conversations: Conversations,
    capsys: pytest.CaptureFixture[str],
    platform: PlatformName,
    messages: tuple[str, str, str],
    link: str,
) -> None:
    root, question, message = messages
    await replied(conversations, platform, root, question, message)
    await conversations.remember(QUESTION, answer(trace=walked()))
    assert await explain(settings, link, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["trace_id"] == TRACE


async def test_a_thread_with_several_answers_shows_the_latest_and_names_the_others(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (question, message) in enumerate((("1.000001", "1.000002"), ("1.000003", "1.000004")), start=1):
        trace = f"{number:032}"
        await replied(conversations, "slack", "100000.000000", question, message, trace=trace)
        await conversations.remember(QUESTION, answer(trace))
    await explain(settings, "https://acme.slack.com/archives/C042/p100000000000", as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert {data["trace_id"], *data["other_answers"]} == {f"{1:032}", f"{2:032}"}


@pytest.mark.parametrize(("state", "says"), [("writing", "is still being written"), ("stopped", "was stopped")])
async def test_an_answer_that_was_not_finished_is_told_so(
    settings: BotSettings, conversations: Conversations, state: Any, says: str
) -> None:
    await replied(conversations, "mattermost", *POSTS.values(), trace=None, state=state)
    with pytest.raises(AnswerUnknown, match=says):
        await explain(settings, f"https://chat.example.org/acme/pl/{POSTS['q']}", as_json=False)


async def replied(
    conversations: Conversations,
    platform: PlatformName,
    root: str,
    question: str,
    message: str,
    *,
    trace: str | None = TRACE,
    state: Any = "shown",
) -> None:
    replies = Replies(conversations.engine)
    spot = Spot(platform=platform, workspace="T1", channel="C042", thread=root, direct=False)
    reply = Reply(key=f"said/{question}", spot=spot, asker="U1", question=question, language="en")
    await replies.begin(reply)
    await replies.written(reply.key, Post(text="Thirty days [1].", language="en"), trace)
    await replies.settled(reply.key, messages=(message,), state=state)
