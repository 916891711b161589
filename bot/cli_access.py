"""`bot audit`, `revoke`, `restore`, `answers`, `forget`, `tidy`: who was told what, and what is not to be told or kept.

`COMMANDS` are all of them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from bot.command import run, settings_of
from ingest.options import CONFIG, DEBUG

if TYPE_CHECKING:
    from bot.access.audit import Audit, Line
    from bot.access.erasure import Erased
    from bot.access.recall import Recall, Resting
    from bot.settings import BotSettings
    from ingest.model import DocumentKey

DEEDS = (
    "asked", "limited", "offered", "fuller", "shared", "disclosed", "explained", "exported", "revoked", "restored",
    "recalled", "forgotten",
)  # fmt: skip
"""As `bot.access.interface.Deed`, which `--help` need not load."""

SHOWN = 10
"""Documents, and tokens, of one line of the log that people are shown; JSON has all."""

NOT_OURS = """\
What is not in our hands: messages at Slack and Mattermost, the bot's among them; what gateways, proxies and logs
recorded; backups, and Postgres's own files until they are vacuumed. Under answers to others it may still say who
stopped or shared one, and how those came about may quote what was said in a thread; both go with their time."""


@click.command()
@click.option("--user", default="", metavar="USER", help="Only acts of slack:U…, mattermost:…, key:NAME or console.")
@click.option("--document", metavar="DOCUMENT", help="Only what bore on this document: SOURCE/ID, or its address.")
@click.option("--answer", default="", metavar="TRACE", help="Only what was done with the answer of this trace id.")
@click.option("--deed", type=click.Choice(DEEDS), help="Only acts of this kind.")
@click.option(
    "--since",
    type=click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="YYYY-MM-DD",
    help="Only from this day on (UTC).",
)
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="The latest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@CONFIG
@DEBUG
@click.pass_context
def audit(context: click.Context, /, as_json: bool, **query: Any) -> None:
    """Show who did what, with which tokens, on which documents; the latest last.

    No question, no answer and no title is in it.
    """
    run(context, _audit(settings_of(context), as_json=as_json, **query))


async def _audit(
    settings: BotSettings, *, document: str | None, since: datetime | None, as_json: bool, **query: Any
) -> int:
    from bot.access.erasure import see_that_it_names_somebody

    if query["user"]:
        see_that_it_names_somebody(query["user"])
    async with _recall(settings) as (recall, log):
        about = None if document is None else await recall.named(document, known=False)
        lines = await log.acts(document=about, since=since and since.replace(tzinfo=UTC), **query)
    for line in lines:
        _say(_as_json(_act_as_json(line)) if as_json else _act_as_text(line))
    if not lines and not as_json:
        _say("Nothing of that kind is in the audit log.")
    return 0


def _act_as_json(line: Line) -> dict[str, Any]:
    return {
        "number": line.number,
        "at": _moment(line.at),
        "deed": line.deed,
        "by": line.by,
        "platform": line.platform,
        "place": line.place,
        "tokens": sorted(line.tokens),
        "passed": sorted(map(_name, line.passed)),
        "withheld": sorted(map(_name, line.withheld)),
        "left_out": dict(line.left_out),
        "answer": line.answer,
    }


def _act_as_text(line: Line) -> str:
    def some(name: str, items: list[str]) -> str:
        more = len(items) - SHOWN + line.left_out.get(name, 0) if len(items) > SHOWN else line.left_out.get(name, 0)
        shown = ", ".join(sorted(items)[:SHOWN]) + (f" and {more} more" if more else "")
        return f"{name}: {shown}" if items else ""

    parts = (
        _moment(line.at),
        f"{line.deed:9}",
        line.by,
        line.place or line.platform,
        f"answer {line.answer}" if line.answer else "",
        some("tokens", list(line.tokens)),
        some("passed", list(map(_name, line.passed))),
        some("withheld", list(map(_name, line.withheld))),
    )
    return "  ".join(part for part in parts if part).replace("\n", " ")


@click.command()
@click.argument("document")
@CONFIG
@DEBUG
@click.pass_context
def revoke(context: click.Context, document: str) -> None:
    """Let nobody read DOCUMENT from now on, whatever later syncs find.

    DOCUMENT is SOURCE/ID, as `bot explain` and `ingest search` print it, or the address that its citations open.
    """
    run(context, _revoke(settings_of(context), document))


async def _revoke(settings: BotSettings, reference: str) -> int:
    async with _recall(settings) as (recall, _):
        document = await recall.named(reference)
        done = await recall.revoke(document)
        answers = await recall.resting(document)
    name = _name(document)
    if done:
        _say(f"{name} is out of new answers from now on, until `bot restore {shlex.quote(name)}`.")
    else:
        _say(
            f"{name} is not there (any more), so no new answer rests on it; should its source list it again, revoke it."
        )
    cited = sum(answer.cited for answer in answers)
    if answers:
        _say(f"Answers given before that cite it: {cited}; that only used it: {len(answers) - cited}.")
        _say(f"To withdraw them: bot answers --citing {shlex.quote(name)} --used --withdraw")
    return 0


@click.command()
@click.argument("document")
@CONFIG
@DEBUG
@click.pass_context
def restore(context: click.Context, document: str) -> None:
    """Give a revoked DOCUMENT back to whom its source names. Answers that were withdrawn stay so."""
    run(context, _restore(settings_of(context), document))


async def _restore(settings: BotSettings, reference: str) -> int:
    async with _recall(settings) as (recall, _):
        document = await recall.named(reference)
        done = await recall.restore(document)
    name = _name(document)
    _say(f"{name} may be read again by whom its source names." if done else f"{name} was not revoked.")
    return 0


@click.command()
@click.option("--citing", required=True, metavar="DOCUMENT", help="SOURCE/ID, or the address that citations open.")
@click.option("--used", is_flag=True, help="Also those that were only written with it at hand, or built on such.")
@click.option("--withdraw", is_flag=True, help="Take them back: their text is deleted, here and at the platform.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@CONFIG
@DEBUG
@click.pass_context
def answers(context: click.Context, citing: str, used: bool, withdraw: bool, as_json: bool) -> None:
    """List the answers that rest on a document, and withdraw them."""
    run(context, _answers(settings_of(context), citing, used=used, withdraw=withdraw, as_json=as_json))


async def _answers(settings: BotSettings, reference: str, *, used: bool, withdraw: bool, as_json: bool) -> int:
    async with _recall(settings) as (recall, _):
        document = await recall.named(reference)
        every = await recall.resting(document)
        found = [answer for answer in every if used or answer.cited]
        messages = await recall.withdraw(document, found) if withdraw else 0
    if as_json:
        _say(_as_json([_answer_as_json(answer) for answer in found], indent=2))
        return 0
    for answer in found:
        _say(_answer_as_text(answer))
    _told(found, every, messages=messages, withdraw=withdraw)
    return 0


def _told(found: list[Resting], every: list[Resting], *, messages: int, withdraw: bool) -> None:
    if not found:
        _say("No answer that is kept cites it.")
    if len(every) > len(found):
        _say(f"Further answers that only used it: {len(every) - len(found)} (`--used` lists them, too).")
    if not (withdraw and found):
        return
    _say(f"Withdrawn: {len(found)}. Their text is deleted here.")
    if messages:
        _say(f"Messages that `bot serve` replaces at the platform, at once or when it runs next: {messages}.")
    if any(reply.private and not reply.messages for answer in found for reply in answer.replies):
        _say("Some were shown to one person alone, for the moment: those go when the window is loaded again.")


def _answer_as_json(answer: Resting) -> dict[str, Any]:
    return {
        "trace": answer.trace or None,
        "answered_at": _moment(answer.answered_at) or None,
        "platform": answer.platform,
        "thread": answer.thread or None,
        "asker": answer.asker,
        "cited": answer.cited,
        "messages": [reply.spot.key_of(message) for reply in answer.replies for message in reply.messages],
    }


def _answer_as_text(answer: Resting) -> str:
    how = "cited" if answer.cited else "used"
    trace = answer.trace or "(stopped before it was finished)"
    return "  ".join(
        (_moment(answer.answered_at) or " " * 20, answer.thread or answer.platform, answer.asker, how, trace)
    )


@click.command()
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@CONFIG
@DEBUG
@click.pass_context
def forget(context: click.Context, users: tuple[str, ...], dry_run: bool) -> None:
    """Delete what is kept of a person.

    USER is slack:U042, mattermost:ID or key:NAME, as `bot audit` shows it; user:EMAIL for the accounts that are known
    to have held the token of that address.
    """
    run(context, _forget(settings_of(context), users, dry_run=dry_run))


async def _forget(settings: BotSettings, users: tuple[str, ...], *, dry_run: bool) -> int:
    from bot.access.audit import Audit
    from bot.access.erasure import Erasure
    from bot.conversations import Conversations

    conversations = await Conversations.open(settings.state)
    try:
        log = Audit(conversations.engine, keep_days=settings.retention.audit_days)
        erasure = Erasure(conversations.engine, log.note)
        people = dict.fromkeys([account for user in users for account in await erasure.accounts(user)])
        for person in people:
            _forgotten(await erasure.forget(person, dry_run=dry_run), dry_run=dry_run)
    finally:
        await conversations.close()
    _say(NOT_OURS)
    return 0


def _forgotten(erased: Erased, *, dry_run: bool) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in erased.counts.items())
    if not counts:
        _say(f"{erased.person}: nothing is kept.")
    else:
        _say(f"{erased.person}: {'would delete' if dry_run else 'deleted'} {counts}.")
    if erased.at_work:
        _say(f"  {erased.at_work} of their questions are being answered now, and were left: run this again.")


@click.command()
@CONFIG
@DEBUG
@click.pass_context
def tidy(context: click.Context) -> None:
    """Delete what is older than `retention` has it kept; `bot serve` does so every hour."""
    run(context, _tidy(settings_of(context)))


async def _tidy(settings: BotSettings) -> int:
    from bot.access.retention import Retention
    from bot.conversations import Conversations

    conversations = await Conversations.open(settings.state)
    try:
        retention = Retention(conversations.engine, settings.retention, explain_days=settings.answer.explain_days)
        counts = await retention.tidy()
    finally:
        await conversations.close()
    gone = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    _say(f"Deleted as too old: {gone}." if gone else "Nothing is older than it is kept.")
    return 0


@asynccontextmanager
async def _recall(settings: BotSettings) -> AsyncIterator[tuple[Recall, Audit]]:
    from bot.access.audit import Audit
    from bot.access.recall import Recall
    from bot.conversations import Conversations
    from bot.phrases import Phrases
    from ingest.ledger import Ledger

    async with AsyncExitStack() as stack:
        conversations = await Conversations.open(settings.state)
        stack.push_async_callback(conversations.close)
        ledger = await Ledger.open(settings.state)
        stack.push_async_callback(ledger.close)
        log = Audit(conversations.engine, keep_days=settings.retention.audit_days)
        yield Recall(conversations, ledger, note=log.note, say=Phrases().say), log


def _say(line: str) -> None:
    """Print it without what a terminal takes for commands: ids of documents may hold any."""
    from bot.platforms.console import printable

    click.echo(printable(line))


def _as_json(data: object, *, indent: int | None = None) -> str:
    """Such characters as escapes: the same data."""
    from bot.platforms.console import escaped

    return escaped(json.dumps(data, ensure_ascii=False, indent=indent))


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(document: DocumentKey) -> str:
    return "/".join(document)


COMMANDS = (answers, audit, forget, restore, revoke, tidy)
