"""`bot explain` shows how an answer came about, whichever way it is named, and gives nothing away but that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.access.audit import Audit
from bot.conversations import ANSWERS, Conversations
from bot.dialogue.replies import Replies, Reply
from bot.explain import AnswerUnknown, explain
from bot.model import Answer, Asker, Basis, Outcome, Passage, Place, Question, Spent
from bot.platforms.console import CONTROL
from bot.platforms.events import PlatformName, Spot
from bot.platforms.interface import Post
from bot.settings import BotSettings
from bot.trace import LanguageDecided, Trace, TracedCall, TracedCheck, TracedHit, TracedRanking
from ingest.database import transaction, writer
from ingest.ledger import Ledger
from ingest.masking import masked
from ingest.model import Chunk
from tests.fixtures.assistant import in_ledger
from tests.fixtures.passages import attachment, chunk

TRACE = "0123456789abcdef" * 2
KEY = "ghp_" + "a1B2" * 9
LEAVE = chunk(f"Thirty days of leave. The token is {KEY}.", page=3)
OLD = chunk("Forty days.", document="old.md", title="Old leave\x1b[2J")
SALARIES = chunk(
    "CANARY earns 90,000.", document="canary.md", title="CANARY salaries", readers=frozenset({"group:finance"})
)
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
                stage="lexical", query="days of paid leave", hits=(hit(LEAVE, 3.25), hit(OLD, 1.5)), found=31
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


def answer(trace_id: str = TRACE, *, trace: Trace | None = None, built_on: Basis = frozenset()) -> Answer:
    given = tuple(Passage(number=number, chunk=one, score=1) for number, one in enumerate((LEAVE, OLD, FILE), start=1))
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
        basis=frozenset({("handbook", LEAVE.document), ("handbook", OLD.document)}) | built_on,
        trace=trace,
    )


@pytest.fixture
async def settings(tmp_path: Path) -> BotSettings:
    """Of a bot whose ledger holds one version of two documents for all members, and one for some."""
    settings = BotSettings().placed(tmp_path)
    ledger = await Ledger.open(settings.state)
    await in_ledger(ledger, [LEAVE, OLD, SALARIES])
    await ledger.close()
    return settings


@pytest.fixture
async def conversations(settings: BotSettings) -> AsyncIterator[Conversations]:
    opened = await Conversations.open(settings.state)
    yield opened
    await opened.close()


@pytest.fixture
async def shown(settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]) -> str:
    """What is printed of an answer with all there can be, to whoever asked."""
    await conversations.remember(QUESTION, answer(trace=walked()))
    assert await explain(settings, TRACE, tokens=["slack:U1"], as_json=False) == 0
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
        "the check of access after the search withheld some",
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
    await explain(settings, TRACE, tokens=["slack:U1"], as_json=True)
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
    assert await explain(settings, TRACE[:8].upper(), tokens=["slack:U1"], as_json=False) == 0
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


async def printed_as(
    settings: BotSettings, capsys: pytest.CaptureFixture[str], *tokens: str, as_json: bool = False
) -> str:
    capsys.readouterr()
    assert await explain(settings, TRACE, tokens=tokens, as_json=as_json) == 0
    return capsys.readouterr().out


TELLING = (
    *("CANARY", "salaries", "Thirty", "days of paid leave", "Tage Urlaub", "holiday", "Lyon"),
    *("31 found", "0.81", "too little"),
)
"""What tells of the answer, or of how it came about."""


@pytest.mark.parametrize("as_json", [False, True])
async def test_of_an_answer_that_rests_on_what_a_member_may_not_read_only_their_own_passages_are_shown(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    walk = walked()
    salaries = TracedRanking(stage="fused", query="CANARY", hits=(hit(SALARIES, 9), hit(LEAVE, 3)), found=31)
    walk.rankings.append(salaries)
    given = answer(trace=walk)
    passages = tuple(Passage(number=number, chunk=one, score=1) for number, one in enumerate((SALARIES, OLD), start=1))
    basis = frozenset({("handbook", SALARIES.document), ("handbook", OLD.document)})
    given = replace(given, text="CANARY earns much [1].", passages=passages, citations=passages[:1], basis=basis)
    await conversations.remember(QUESTION, given)
    member = await printed_as(settings, capsys, as_json=as_json)
    assert [word for word in TELLING if word in member.replace(LEAVE.text, "")] == []
    assert "handbook/leave.md" in member or '"leave.md"' in member
    assert "old.md" in member
    if as_json:
        data = json.loads(member)
        assert (data["text"], data["withheld"], data["walk"]["calls"]) == (None, True, [])
        assert [one["number"] for one in data["passages"]] == [1]
    else:
        assert "(withheld)" in member
        assert "`--as TOKEN` looks at it as a holder of that token" in member
    finance = await printed_as(settings, capsys, "group:finance", as_json=as_json)
    assert "CANARY earns much [1]." in finance
    assert "CANARY salaries" in finance
    assert "0.81" in finance
    outsider = await printed_as(settings, capsys, "public", as_json=as_json)
    assert not [word for word in (*TELLING, "leave.md", "old.md", "Annual") if word in outsider]


async def test_files_of_a_conversation_are_shown_to_whoever_asked_alone(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer(trace=walked()))
    shown_to_others = await printed_as(settings, capsys, "group:finance", "slack:U2")
    assert "offer.pdf" not in shown_to_others
    assert "Thirty days [1]." not in shown_to_others
    assert "offer.pdf" in await printed_as(settings, capsys, "slack:U1")


@pytest.mark.parametrize("how", ["revoked", "deleted", "narrowed"])
async def test_what_may_not_be_read_any_more_is_not_shown_any_more(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    await conversations.remember(QUESTION, answer(trace=walked()))
    assert "Old leave" in await printed_as(settings, capsys, "slack:U1")
    ledger = await Ledger.open(settings.state)
    if how == "revoked":
        assert await ledger.revoke("handbook", OLD.document)
    elif how == "deleted":
        await ledger.commit("handbook", removed=[OLD.document])
    else:
        await in_ledger(ledger, [OLD], readers=frozenset({"group:finance"}))
    await ledger.close()
    printed = await printed_as(settings, capsys, "slack:U1")
    assert "Old leave" not in printed
    assert "Thirty days [1]." not in printed


async def test_an_answer_of_which_it_is_not_known_what_it_rests_on_is_shown_to_nobody(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer())
    async with transaction(writer(conversations.engine)) as connection:
        await connection.execute(sa.update(ANSWERS).values(basis=sa.null()))
    assert "Thirty days [1]." not in await printed_as(settings, capsys, "slack:U1")


async def test_an_answer_built_on_an_earlier_one_is_withheld_as_that_is(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer(built_on=frozenset({("handbook", SALARIES.document)})))
    assert "Thirty days [1]." not in await printed_as(settings, capsys, "slack:U1")
    assert "Thirty days [1]." in await printed_as(settings, capsys, "slack:U1", "group:finance")


async def test_that_somebody_looked_is_in_the_audit_log(
    settings: BotSettings, conversations: Conversations, capsys: pytest.CaptureFixture[str]
) -> None:
    await conversations.remember(QUESTION, answer(built_on=frozenset({("handbook", SALARIES.document)})))
    await printed_as(settings, capsys, "group:legal")
    (line,) = await Audit(conversations.engine, keep_days=1).acts()
    assert (line.deed, line.by, line.answer) == ("explained", "console", TRACE)
    assert line.tokens == {"everyone", "public", "group:legal"}
    assert line.passed == {("handbook", LEAVE.document), ("handbook", OLD.document)}
    assert line.withheld == {("handbook", SALARIES.document)}


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
    await replies.written(reply.key, Post(text="Thirty days [1].", language="en"), trace, frozenset())
    await replies.settled(reply.key, messages=(message,), state=state)
