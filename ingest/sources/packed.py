"""The content of an HTTP answer, unpacked a little at a time, so that no answer is larger than its reader allows."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, AsyncIterator

import httpx

from ingest.sources.interface import DocumentTooLarge

PIECE = 64 * 1024
"""Bytes that are unpacked at once: what a compressed answer may grow to before its size is looked at."""

GZIP = b"\x1f"
"""How gzip begins."""


async def unpacked(response: httpx.Response, *, max_bytes: int) -> AsyncIterator[bytes]:
    """The content of a streamed `response`, in pieces, never more than `max_bytes` however small it was packed.

    Only gzip is understood, which is all that a request should offer (`Accept-Encoding: gzip`). Raises
    `DocumentTooLarge`, and `httpx.DecodingError` for content that is damaged or packed in another way.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise httpx.DecodingError(f"its content is packed as {encoding!r}, which was not asked for")
    if encoding in ("", "identity") and int_of(response.headers.get("content-length", "")) > max_bytes:
        raise DocumentTooLarge.over(max_bytes)
    written = packed = 0
    async for piece in _pieces(response, encoding):
        written += len(piece)
        packed = response.num_bytes_downloaded
        if max(written, packed) > max_bytes:
            raise DocumentTooLarge.over(max_bytes)
        yield piece


async def gunzipped(packed: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Unpacked in pieces of at most `PIECE` bytes (empty ones too, so that the caller can count what came in).

    Raises `httpx.DecodingError`.
    """
    member = zlib.decompressobj(wbits=31)
    begun = False
    async for data in packed:
        while data:
            try:
                if member.eof:
                    if not data.startswith(GZIP):
                        return  # what servers append to an archive that has ended
                    member = zlib.decompressobj(wbits=31)
                begun = True
                yield member.decompress(data, PIECE)
            except zlib.error as error:
                raise httpx.DecodingError(f"its gzip is damaged: {error}") from error
            data = member.unused_data if member.eof else member.unconsumed_tail
    if begun and not member.eof:
        raise httpx.DecodingError("its gzip ends too early")


def int_of(text: str) -> int:
    """The number that a header holds; 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _pieces(response: httpx.Response, encoding: str) -> AsyncIterator[bytes]:
    if response.is_stream_consumed:  # it was read, and unpacked, before
        return response.aiter_bytes(PIECE)
    return gunzipped(response.aiter_raw(PIECE)) if "gzip" in encoding else response.aiter_raw(PIECE)
