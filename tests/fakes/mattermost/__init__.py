"""A Mattermost server with its people, that can be told to change and to misbehave; `python -m` starts it by hand.

server = Mattermost()
team = server.team("engineering")
channel = server.channel(team, "town-square")            # the bot's account is a member
post = server.post(channel, server.user("ada", "Ada Lovelace"), "The lift is out of order.")
async with server.served() as base_url: ...              # on loopback, real sockets
transport = httpx.ASGITransport(app=server.app)          # in process, without event connections

Each behaviour rests on Mattermost's documentation, on its source, or on what was measured on a server; which one it is
stands beside it.

server         addresses, accounts, faults
people         who there is, and in which team, channel, group
company        their posts, and what happens to them
hub            event connections, what each was sent, what waits for those away
websocket      the wire of the event connections
posts          how posts are written
listing        how posts are read
files          sent up, handed out
accounts       people, bots, teams, channels
administration how an administrator makes them, and people log in
interactivity  buttons and forms
commands       slash commands
attachments    what hangs below a text
mentions       whom a text mentions
throttle       the rate limit
refusals       errors
screen         what a person sees
"""

from tests.fakes.mattermost.people import ADMIN_TOKEN, DAY, START, TOKEN
from tests.fakes.mattermost.refusals import broken, busy, login_page, refusal
from tests.fakes.mattermost.server import Mattermost
from tests.fakes.mattermost.throttle import Throttle

__all__ = ["ADMIN_TOKEN", "DAY", "START", "TOKEN", "Mattermost", "Throttle", "broken", "busy", "login_page", "refusal"]
