"""The web platform: one small server for people (a chat page), programs (an OpenAI-compatible endpoint) and probes.

app            create_app: every part below, behind the guard
guard          around every request: trace id, security headers, caps, exceptions in shape
keys           who asks: an API key, or a person on this machine
rotation       keys exchanged in the configuration file while the server runs
refusal        what is told instead of an answer, as JSON or as a page
openai_api     /v1/chat/completions, /v1/models
conversation   one request's question, and its answer as events
sources        citations as a Markdown list, as annotations, as links
markdown       text of models and documents to HTML that can do nothing
pages          /, /documents/…, /threads/…, /session; the files of the page are in page/
probes         /healthz, /readyz, /metrics
readiness      the checks behind /readyz
bounds         what one connection may take: seconds, bytes
server         WebPlatform: binds the port, runs, finishes running answers when told to stop
"""

from __future__ import annotations

from bot.platforms.web.app import create_app
from bot.platforms.web.bounds import Bounds
from bot.platforms.web.keys import Keys
from bot.platforms.web.readiness import Check
from bot.platforms.web.rotation import Rotation
from bot.platforms.web.server import PortTaken, WebPlatform
from bot.platforms.web.site import Allows, ReadDocument, ReadThread

__all__ = [
    "Allows",
    "Bounds",
    "Check",
    "Keys",
    "PortTaken",
    "ReadDocument",
    "ReadThread",
    "Rotation",
    "WebPlatform",
    "create_app",
]
