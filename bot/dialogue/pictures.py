"""Pictures of a conversation put into words by a vision model, so that questions about them can be answered."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

from bot.llm.interface import BudgetSpent, ChatRefused, ChatUnavailable, Writer
from bot.prompting import Prompts
from ingest.errors import Terminal, Transient
from ingest.model import Parsed

MEDIA_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What vision models take (https://platform.openai.com/docs/guides/images-vision)."""

MAX_BYTES = 10 * 1024 * 1024
"""Of one picture; in a request it grows by a third."""

PATIENCE = 45.0
"""Seconds: somebody waits for the answer."""


class PictureUnread(Terminal):
    """The vision model made nothing of the picture, or refused it."""


class PictureLater(Transient):
    """The vision model is away, took too long, or is not paid for now."""


class Pictures:
    """Reads pictures with a chat model that sees."""

    def __init__(self, writer: Writer, prompts: Prompts) -> None:
        self._writer = writer
        self._prompts = prompts

    async def read(self, path: Path, media_type: str, *, by: str) -> Parsed:
        """The words for one picture, for `by`, an id as `Asker.id`. Raises `PictureUnread`, `PictureLater`."""
        content = await asyncio.to_thread(path.read_bytes)
        url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
        prompt = replace(self._prompts.picture(url), user=by)
        try:
            async with asyncio.timeout(PATIENCE):
                text = "".join([piece async for piece in self._writer.write(prompt)]).strip()
        except BudgetSpent as error:
            raise PictureLater(f"the vision model: {error}") from error
        except ChatRefused as error:
            raise PictureUnread(f"the vision model refused a picture: {error}") from error
        except (ChatUnavailable, TimeoutError) as error:
            raise PictureLater(f"the vision model is away: {str(error) or 'it took too long'}") from error
        if not text:
            raise PictureUnread("the vision model wrote nothing about a picture; try another model in `models.vision`")
        return Parsed(text=text)
