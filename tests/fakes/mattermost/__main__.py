"""A Mattermost to try the bot on without a server: `python -m tests.fakes.mattermost --port 8065`.

People talk from the prompt, one line each; what anybody would see is printed as it changes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Set

from tests.fakes.mattermost import ADMIN_TOKEN, TOKEN, Mattermost
from tests.fakes.mattermost.attachments import actions
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.refusals import Refused
from tests.fakes.mattermost.screen import text_of

HELP = """\
ada town-square @souffleur how do I …   write in a channel
ada direct how do I …                   write to the bot alone
ada reply …                             write in the thread that was last written in
ada edit …  ·  ada delete               change their last message
ada /ask …                              give the slash command, in town-square
ada react question                      react to the last message of a person
ada press down                          press a button: the last one of that action
ada submit …                            send the form that was opened
"""


class Conversation:
    """What the people at the prompt do, and what is printed of what happens."""

    def __init__(self, server: Mattermost, channel: str) -> None:
        self.server = server
        self.channel = channel
        self.root = ""
        server.hub.listeners.append(self.show)

    async def do(self, line: str) -> None:
        """Raises Refused, KeyError and IndexError for what cannot be done."""
        name, _, rest = line.strip().partition(" ")
        verb, _, text = rest.strip().partition(" ")
        person = self.server.named(name)
        match verb:
            case "direct":
                self._say(self.server.direct(person, self.server.bot), person, text)
            case "reply":
                self._say(self.server.posts[self.root]["channel_id"], person, text, self.root)
            case "edit":
                self.server.edit(self._last(person), text)
            case "delete":
                self.server.delete(self._last(person))
            case "react":
                self.server.react(self._last(), person, text or "question")
            case "press":
                await self.server.interactivity.press(person, self._with_button(text), text)
            case "submit":
                (element,) = self.server.interactivity.dialogs[person]["dialog"]["elements"]
                await self.server.interactivity.submit(person, {element["name"]: text})
            case command if command.startswith("/"):
                await self.server.commands.give(person, self.channel, rest)
            case channel:
                names = {row["name"]: id for id, row in self.server.channels.items()}
                self._say(names[channel], person, text)

    def show(self, event: str, data: Row, users: Set[str]) -> None:
        """Print an event of those that change what people see."""
        if event == "open_dialog":
            print(f"   form  {json.loads(data['dialog'])['dialog']['title']}", flush=True)
        if event not in ("posted", "post_edited", "post_deleted", "ephemeral_message"):
            return
        post = json.loads(data["post"])
        channel = self.server.channels[post["channel_id"]]
        place = channel["name"] if channel["type"] != "D" else "direct"
        by = self.server.users[post["user_id"]]["username"]
        what = {"posted": "", "post_edited": "~ ", "post_deleted": "deleted: ", "ephemeral_message": "only for "}[event]
        buttons = "  ".join(f"[{action['id']}: {action['name']}]" for action in actions(post))
        indent = "      " if post["root_id"] else "   "
        text = text_of(post).replace("\n", f"\n{indent}      ")
        print(f"{indent}{what}{by} in {place}: {text}  {buttons}".rstrip(), flush=True)

    def _say(self, channel: str, person: str, text: str, root: str = "") -> None:
        post = self.server.post(channel, person, text, root=root)
        self.root = root or post

    def _last(self, person: str | None = None) -> str:
        bot = self.server.bot
        rows = [row for row in self.server.posts.values() if not row["delete_at"] and row["user_id"] != bot]
        return str([row["id"] for row in rows if person in (None, row["user_id"])][-1])

    def _with_button(self, action: str) -> str:
        rows = [*self.server.posts.values(), *self.server.ephemerals.values()]
        live = [row for row in sorted(rows, key=lambda row: row["create_at"]) if not row["delete_at"]]
        return str([row["id"] for row in live if any(one["id"] == action for one in actions(row))][-1])


async def main(port: int, callback_url: str) -> None:
    server = Mattermost(clock=lambda: int(time.time() * 1000))
    team = server.team("company")
    channel = server.channel(team, "town-square")
    server.admin()
    people = server.user("ada", "Ada Lovelace"), server.user("bob", "Bob Ross")
    server.join(team, *people)
    server.join(channel, *people)
    command = server.commands.add(team, "ask", f"{callback_url}/mattermost/command")
    conversation = Conversation(server, channel)
    async with server.served(port) as url:
        print(f"# souffleur.yaml\nmattermost:\n  url: {url}\n  callback_url: {callback_url}\n\n# environment")
        print(f"SOUFFLEUR_MATTERMOST_TOKEN={TOKEN}\nSOUFFLEUR_MATTERMOST_COMMAND_TOKEN={command['token']}")
        print(f"SOUFFLEUR_MATTERMOST_ADMIN_TOKEN={ADMIN_TOKEN}   # for `bot setup mattermost`\n")
        print(HELP, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                if line.strip():
                    await conversation.do(line)
            except Refused as refused:
                print(f"   refused: {refused.message}", flush=True)
            except (LookupError, ValueError):
                print(f"   there is nothing like that\n\n{HELP}", flush=True)
        await asyncio.Event().wait()  # the prompt is closed, the server is not


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.mattermost", description=__doc__)
    parser.add_argument("--port", type=int, default=8065)
    parser.add_argument("--callback", default="http://127.0.0.1:8080", help="where the bot's web application listens")
    options = parser.parse_args()
    try:
        asyncio.run(main(options.port, options.callback.rstrip("/")))
    except KeyboardInterrupt:
        sys.exit(0)
