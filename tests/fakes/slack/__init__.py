"""A Slack workspace on loopback, on which the real slack-bolt and slack_sdk run, and which can be told to misbehave.

slack = Slack()
ops = slack.channel("ops")
first = slack.say(ops, "The printer is down.", by="UADA")
slack.say(ops, "It is back.", by="UBOB", thread=first)
slack.script(limited(retry_after=0), failing(503), on="conversations.history")  # the next two requests of that method
async with slack.served() as base_url: ...  # for `AsyncWebClient(base_url=…)`; real sockets

workspace      people, channels, messages, the clock; state that nothing changes by itself
people         what people do
membership     who comes and goes: in channels, user groups, the workspace
screen         what people see
events         what the app is told of it
interactivity  buttons, shortcuts, commands, forms: triggers, response addresses
outbox         what is to be delivered, again where nobody acknowledged it
socket_mode    delivery over websockets
http_delivery  delivery by signed requests
streaming      a message that is watched being written
sessions       status lines, and sessions with their Stop button
blocks         what is accepted as blocks, and how they read
rich_text      what Markdown is handed out as
tiers          rate limits
wire           requests, refusals, misbehaviour
methods        the Web API
server         all of it on a port

Each behaviour names the vendor's page that it rests on, or that it rests on reports from the field. By hand:
`python -m tests.fakes.slack`.
"""

from __future__ import annotations

from tests.fakes.slack.people import NotThere, typed
from tests.fakes.slack.server import Slack
from tests.fakes.slack.tiers import Tiers
from tests.fakes.slack.wire import (
    Behaviour,
    Received,
    Refused,
    answering,
    failing,
    half_json,
    limited,
    login_page,
    on_later_pages,
    plain_text,
    refusing,
)
from tests.fakes.slack.workspace import BOT_SCOPES, EVENTS, OWN_BOT, OWN_USER, SCOPES, Room

__all__ = [
    "BOT_SCOPES",
    "EVENTS",
    "OWN_BOT",
    "OWN_USER",
    "SCOPES",
    "Behaviour",
    "NotThere",
    "Received",
    "Refused",
    "Room",
    "Slack",
    "Tiers",
    "answering",
    "failing",
    "half_json",
    "limited",
    "login_page",
    "on_later_pages",
    "plain_text",
    "refusing",
    "typed",
]
