"""A workspace by hand: two people, a channel, and a prompt to talk at.

python -m tests.fakes.slack --port 3901

ada #general @souffleur how many days of leave do we have?
ada @souffleur the same, in a direct message
ada #general >3 a reply in the thread of message 3
ada #general /ask when does the canteen open?
ada !4 up            press a button under message 4
ada ?2               ask for an answer to message 2, by shortcut
ada stop 3           press Stop in the thread of message 3
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
import time

from tests.fakes.slack import BOT_SCOPES, OWN_USER, NotThere, Slack, Tiers, typed
from tests.fakes.slack.screen import pressable, read, receipt, status, visible

SHORTCUT = "souffleur_answer"

SETTINGS = """\
A Slack workspace is at {base_url}, with Ada and Bob in #general ({channel}).

  souffleur.yaml   slack: {{base_url: "{base_url}"}}
  environment      SOUFFLEUR_SLACK_BOT_TOKEN={token} SOUFFLEUR_SLACK_APP_TOKEN={app_token}
                   SOUFFLEUR_SLACK_SIGNING_SECRET={secret}  (for mode: http, with --events http://127.0.0.1:…/slack/events)

Talk:  ada #general @souffleur how do I …      ada @souffleur … (direct)      ada #general >3 … (thread of message 3)
       ada #general /ask …      ada !4 up (press)      ada ?2 (shortcut)      ada stop 3      Ctrl-D ends
"""


class Desk:
    """What is on the screens, printed as it changes, with a short number for each message."""

    def __init__(self, slack: Slack, channel: str) -> None:
        self.slack = slack
        self.channel = channel
        self.numbers: dict[tuple[str, str], int] = {}
        self._fresh = itertools.count(1)
        self._shown: dict[tuple[str, str], str] = {}
        self._statuses: dict[tuple[str, str], str] = {}

    def place(self, number: int) -> tuple[str, str]:
        """Channel and `ts` of a message."""
        for place, known in self.numbers.items():
            if known == number:
                return place
        raise NotThere(f"no message {number}")

    async def watch(self) -> None:
        while True:
            await self.slack.changed(within=1e9)
            self.show()

    def show(self) -> None:
        for room in self.slack.rooms.values():
            for message in sorted([*room.messages.values(), *room.whispers], key=lambda one: float(one["ts"])):
                self._message(room.id, message)
            for thread in {message.get("thread_ts", message["ts"]) for message in room.messages.values()}:
                line = status(self.slack, room.id, thread)
                if line != self._statuses.get((room.id, thread), ""):
                    self._statuses[(room.id, thread)] = line
                    print(f"    … {line}" if line else "    …", flush=True)

    def _message(self, channel: str, message: dict[str, object]) -> None:
        place = (channel, str(message["ts"]))
        number = self.numbers.setdefault(place, 0) or next(self._fresh)
        self.numbers[place] = number
        text, links = read(self.slack, {**message, "channel": channel})
        labels = [str(element["text"]["text"]) for element in pressable(message) if "text" in element]
        stream = self.slack.streams.get(place)
        marks = [" (being written)"] if stream and stream.running else []
        marks += [" (private)"] if "recipient" in message else []
        thread = self.numbers.get((channel, str(message.get("thread_ts", ""))))
        where = f"{self._name(channel)}{f' >{thread}' if thread and thread != number else ''}"
        below = [f"      {link}" for link in links] + ([f"      [{'] ['.join(labels)}]"] if labels else [])
        head = f"  {number:>3} {where} {self.slack.name(str(message.get('user', '')))}{''.join(marks)}: "
        shown = "\n".join([head + text.replace("\n", "\n      "), *below])
        if self._shown.get(place) != shown:
            self._shown[place] = shown
            print(shown, flush=True)

    def _name(self, channel: str) -> str:
        room = self.slack.rooms[channel]
        return "(direct)" if room.is_im else f"#{room.name}"


async def do(desk: Desk, line: str) -> None:
    """One line of the prompt."""
    slack = desk.slack
    who, _, rest = line.strip().partition(" ")
    by = f"U{who.upper()}"
    if by not in slack.users or not rest:
        raise NotThere("begin with a name, ada or bob, then say what they do")
    if match := re.fullmatch(r"!(\d+) (\w+)", rest):
        channel, ts = desk.place(int(match.group(1)))
        await _press(slack, channel, ts, match.group(2), by)
    elif match := re.fullmatch(r"\?(\d+)", rest):
        channel, ts = desk.place(int(match.group(1)))
        await slack.shortcut(channel, ts, SHORTCUT, by=by)
    elif match := re.fullmatch(r"stop (\d+)", rest):
        slack.stop(*desk.place(int(match.group(1))), by=by)
    elif match := re.fullmatch(r"form (.*)", rest):
        await slack.submit(match.group(1), by=by)
    elif match := re.fullmatch(r"#general (/\w+) ?(.*)", rest):
        interaction = await slack.command(desk.channel, match.group(1), match.group(2), by=by)
        if not (interaction.delivery and interaction.delivery.acknowledged):
            print("  (the app did not respond)")
    else:
        where, _, words = rest.partition(" ") if rest.startswith("#general") else ("", "", rest)
        channel = desk.channel if where else slack.direct(by)
        thread = None
        if match := re.match(r">(\d+) ", words):
            channel, thread = desk.place(int(match.group(1)))
            words = words[match.end() :]
        text = typed(words).replace("@souffleur", f"<@{OWN_USER}>")
        slack.say(channel, text, by=by, thread=thread)


async def _press(slack: Slack, channel: str, ts: str, action: str, by: str) -> None:
    (message,) = [one for one in visible(slack, channel, by=by, thread=ts) if one["ts"] == ts] or [
        slack.on_screen(slack.rooms[channel], ts, by)
    ]
    sides = {"positive": "up", "negative": "down"}
    for element in pressable(message):
        if action in (sides.get(element.get("side", "")), str(element["action_id"]).rpartition("_")[2]):
            side = str(element.get("side", ""))
            interaction = await slack.press(channel, ts, element["action_id"], by=by, side=side)
            if interaction.delivery and not interaction.delivery.acknowledged:
                print("  (the app did not respond)")
            elif told := await receipt(slack, interaction):
                print(f"  → {told}" + ("   (answer with: form …)" if interaction.view else ""))
            return
    raise NotThere(f"no button {action!r} there")


async def run(port: int, events: str | None, *, limits: bool) -> None:
    slack = Slack(
        token="xoxb-by-hand",
        app_token="xapp-by-hand",
        scopes=BOT_SCOPES,
        now=time.time,
        tiers=Tiers() if limits else None,
    )
    channel = slack.channel("general", "C0GENERAL", members={OWN_USER, "UADA", "UBOB"})
    slack.user("UADA", "Ada", locale="en-GB")
    slack.user("UBOB", "Bob", locale="de-DE")
    slack.user("UCLEO", "Cleo", locale="en-US")
    slack.user_tokens |= {f"xoxp-{name}": f"U{name.upper()}" for name in ("ada", "bob", "cleo")}
    desk = Desk(slack, channel)
    async with slack.served(port) as base_url:
        print(
            SETTINGS.format(
                base_url=base_url,
                channel=channel,
                token=slack.token,
                app_token=slack.app_token,
                secret=slack.signing_secret,
            ),
            flush=True,
        )
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(desk.watch())
            if events:
                async with slack.posting_to(events):
                    await talk(desk)
            else:
                await talk(desk)
            watching.cancel()


async def talk(desk: Desk) -> None:
    """Do each line that is typed, until the end of input."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            try:
                await do(desk, line)
            except NotThere as error:
                print(f"  {error}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.slack", description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=3901)
    parser.add_argument("--events", metavar="URL", help="post events there, signed, instead of Socket Mode")
    parser.add_argument("--no-limits", action="store_true", help="keep no rate limits")
    given = parser.parse_args()
    asyncio.run(run(given.port, given.events, limits=not given.no_limits))


if __name__ == "__main__":
    main()
