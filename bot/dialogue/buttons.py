"""What can be done about an answer: buttons that only this program can have made."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from pydantic import SecretStr

from bot.model import Outcome
from bot.phrases import Say
from bot.platforms.events import PlatformName, Pressed, Spot
from bot.platforms.interface import Button
from ingest.errors import ConfigurationError

Action = Literal["stop", "again", "up", "down", "share", "person", "resolved", "fuller", "disclose"]

ACTIONS: Final = frozenset(get_args(Action))

ONLY: Final = "only:"
FORM: Final = "form:"

UNDER: Final[Mapping[Outcome, tuple[Action, ...]]] = {
    Outcome.ANSWERED: ("up", "down", "again", "person"),
    Outcome.NOT_FOUND: ("up", "down", "again", "person"),
    Outcome.FAILED: ("again", "person"),
    Outcome.INVALID: (),
    Outcome.LIMITED: (),
    Outcome.WITHDRAWN: ("again",),
}
"""What is offered under an answer, by how it ended."""

UNDER_PRIVATE: Final[frozenset[Action]] = frozenset({"up", "down"})
"""What of it makes sense where nobody else can see the answer, and nothing of it can be changed any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What a button of ours stands for."""

    action: Action
    key: str
    """Of the reply that it belongs to."""
    spot: Spot
    """Of that reply: a platform does not always tell the thread of a press, and a private answer may lie elsewhere."""
    only: str = ""
    """The one person that it was made for; empty: whoever sees it."""


class Buttons:
    """Makes buttons, and knows its own again.

    A value is `action|place|thread|key|signature`: HMAC-SHA256 (RFC 2104) over all that is before it. Platforms carry
    it to people and back; whoever has not been shown a button cannot make its value. One that was made for a person
    alone says so before the signature (`|only:U042`). What a form carries is seen by whoever fills it in, and so it has
    their id there (`|form:U042`), and is good for nobody else.
    """

    def __init__(self, tokens: Mapping[PlatformName, SecretStr], say: Say) -> None:
        """`tokens`: of the bot's account on each platform, the same in every replica; buttons live as long as it.

        Raises:
            ConfigurationError: one is empty.
        """
        self._keys: dict[PlatformName, bytes] = {}
        self._say = say
        for platform, token in tokens.items():
            if not token.get_secret_value():
                raise ConfigurationError(f"the token of {platform} is empty; its buttons could not be signed: set it")
            # Not the token itself: what is signed with it must mean nothing anywhere else.
            self._keys[platform] = hmac.digest(token.get_secret_value().encode(), b"souffleur buttons", "sha256")

    def button(self, action: Action, key: str, spot: Spot, *, language: str, only: str = "") -> Button:
        """The button that does `action` to the reply `key` in `spot`; with `only`, for that person and nobody else."""
        return Button(
            action=action,
            label=self._say(language, f"chat-{action}"),
            value=self._signed(spot.platform, _words(action, key, spot, only)),
        )

    def of_form(self, signed: Signed, *, by: str) -> str:
        """The value of the form that opens where `by` has pressed what is `signed`."""
        words = _words(signed.action, signed.key, signed.spot, signed.only)
        return self._signed(signed.spot.platform, f"{words}|{FORM}{by}")

    def under(
        self, key: str, spot: Spot, *, outcome: Outcome, language: str, owners: bool, only: str = ""
    ) -> tuple[Button, ...]:
        """The buttons of a finished answer.

        `owners`: whether there is anybody to hand the question to; `only`: who alone sees it, where somebody does.
        """
        actions = [
            action
            for action in UNDER[outcome]
            if (not only or action in UNDER_PRIVATE) and (action != "person" or owners)
        ]
        if only and not spot.direct and outcome is Outcome.ANSWERED:
            actions.append("share")
        return tuple(self.button(action, key, spot, language=language, only=only) for action in actions)

    def opened(self, pressed: Pressed) -> Signed | None:
        """What was pressed; None for anything that this program has not signed for that workspace."""
        signed, _, signature = pressed.value.rpartition("|")
        platform = pressed.spot.platform
        expected = self._signature(platform, signed) if platform in self._keys else ""
        if not expected or not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            return None
        action, where, thread, key, *whose = signed.split("|")
        only = whose.pop(0).removeprefix(ONLY) if whose and whose[0].startswith(ONLY) else ""
        if whose != ([] if pressed.remark is None else [f"{FORM}{pressed.by}"]):
            return None
        _, of_platform, workspace, channel, _ = key.split("/", 4)
        if action not in ACTIONS or (of_platform, workspace) != (platform, pressed.spot.workspace):
            return None
        spot = Spot(platform=platform, workspace=workspace, channel=channel, thread=thread, direct=where == "direct")
        return Signed(action=action, key=key, spot=spot, only=only)  # type: ignore[arg-type]  # one of ACTIONS

    def _signed(self, platform: PlatformName, words: str) -> str:
        return f"{words}|{self._signature(platform, words)}"

    def _signature(self, platform: PlatformName, signed: str) -> str:
        digest = hmac.digest(self._keys[platform], signed.encode(errors="surrogatepass"), "sha256")
        return urlsafe_b64encode(digest).decode().rstrip("=")


def _words(action: Action, key: str, spot: Spot, only: str) -> str:
    words = (action, "direct" if spot.direct else "channel", spot.thread, key)
    return "|".join((*words, f"{ONLY}{only}") if only else words)


def action_of(value: str) -> str:
    """The action that a value names, whoever made it: for events whose signature was checked when they came in."""
    return value.partition("|")[0]
