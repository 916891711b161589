"""One model's door at an OpenAI-compatible server: JSON in, checked JSON out, tried again while the server is busy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import stamina
from pydantic import BaseModel, SecretStr, ValidationError

from ingest.http import asked_to_wait, is_busy, pause, words
from ingest.index.interface import ModelMisconfigured, ModelUnavailable

ATTEMPTS = 4
"""Tries of one request, the first included; the waits between them grow from 0.1 to 5 s, with up to 1 s of jitter."""

CONNECT_SECONDS = 5.0
"""A server that does not even accept a connection in this time is tried again."""

Shape = TypeVar("Shape", bound=BaseModel)


class Endpoint:
    """POSTs to `base_url`/`route`, at most `concurrency` at once, each in `timeout_seconds` with its waits and retries.

    `section` is the part of the configuration that describes it (`models.embedding`): messages name it.
    """

    def __init__(
        self,
        *,
        section: str,
        base_url: str,
        route: str,
        model: str,
        api_key: SecretStr | None,
        timeout_seconds: float,
        concurrency: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._section = section
        self._timeout = timeout_seconds
        self._free = asyncio.Semaphore(concurrency)
        try:
            self._url = f"{api_root(base_url).removesuffix('/' + route)}/{route}"
            key = plain_key(api_key)
        except ValueError as error:
            raise ModelMisconfigured(f"{section}: {error}") from error
        self.who = f"{section}: {model!r} at {self._url!r}"
        """How messages begin."""
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"Authorization": f"Bearer {key}"} if key else None,
        )

    async def post(self, body: Mapping[str, object], shape: type[Shape]) -> Shape:
        """What the server answers to `body`. Raises `ModelUnavailable`, `ModelMisconfigured`."""
        # Lone surrogates, which UTF-8 cannot carry, become question marks.
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        async with self._free:
            response = await self._send(content)
        try:
            return shape.model_validate_json(response.content)
        except ValidationError as error:
            raise ModelUnavailable(
                f"{self.who} answered something else than the expected JSON: {words(response.text)!r}; "
                f"is `base_url` the address of an OpenAI-compatible server?"
            ) from error

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, content: bytes) -> httpx.Response:
        try:
            async with asyncio.timeout(self._timeout):
                async for attempt in stamina.retry_context(on=self._wait, attempts=ATTEMPTS, timeout=self._timeout):
                    with attempt:
                        response = await self._client.post(
                            self._url, content=content, headers={"Content-Type": "application/json"}
                        )
                        response.raise_for_status()
        except TimeoutError as error:
            raise ModelUnavailable(
                f"{self.who} did not answer in {self._timeout:g} s; is it overloaded? "
                f"Raise {self._section}.timeout_seconds or lower the load"
            ) from error
        except httpx.HTTPStatusError as error:
            raise self._refusal(error.response) from error
        except httpx.HTTPError as error:
            raise ModelUnavailable(
                f"{self.who} cannot be reached ({type(error).__name__}: {error}); is the server up?"
            ) from error
        return response

    def _wait(self, error: Exception) -> bool | float:
        if isinstance(error, httpx.HTTPStatusError):
            return pause(error.response.status_code, error.response.headers, limit=self._timeout)
        return isinstance(error, httpx.TransportError)

    def _refusal(self, response: httpx.Response) -> ModelUnavailable | ModelMisconfigured:
        status = response.status_code
        said = f"{self.who} answered {status}"
        if is_busy(status):
            later = asked_to_wait(response.headers)
            return ModelUnavailable(f"{said}{later}: {words(response.text)!r}; try again later")
        key = f"SOUFFLEUR_{self._section.rpartition('.')[2].upper()}_API_KEY"
        if status in (401, 403):
            # The server's words are left out: some gateways repeat a part of the key in them.
            return ModelMisconfigured(f"{said}: the key is wrong or may not use this model; set {key}")
        if response.is_redirect:
            return ModelMisconfigured(
                f"{said}, a redirect to {response.headers.get('location')!r}; correct {self._section}.base_url"
            )
        return ModelMisconfigured(
            f"{said}: {words(response.text)!r}; check `base_url` and `model` in {self._section}, {key}, "
            "and the server's limits"
        )


def api_root(base_url: str) -> str:
    """`base_url` without a trailing slash, and with `/v1` where it has no path at all (`http://gateway:4000`).

    Raises ValueError when it is no http address, and when it holds a name or password, which messages would show.
    """
    if "@" in base_url:
        raise ValueError("`base_url` holds a name or password; put the API key into the environment instead")
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # Half an IPv6 address, or a port that is no number or too high.
        usable = False
    if not usable or "?" in base_url or "#" in base_url:
        raise ValueError(f"`base_url` {base_url!r} is no address; write it as http://host:port/v1")
    root = base_url.rstrip("/")
    return root if urlsplit(root).path else f"{root}/v1"


def plain_key(api_key: SecretStr | None) -> str | None:
    """The key as a header can hold it: without the line break that a secret file may end in; None when there is none.

    Raises ValueError, which does not repeat the key, for characters that no key has.
    """
    key = "" if api_key is None else api_key.get_secret_value().strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key holds characters that a header cannot carry; set it again")
    return key or None
