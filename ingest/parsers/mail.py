"""A message in the format of the Internet (RFC 5322, MIME) as its parts; nothing that it points to is fetched."""

from __future__ import annotations

import email
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message as Part
from email.utils import parseaddr
from typing import TypeGuard

from ingest.parsers.interface import ParseError
from ingest.parsers.text import decode, moment

ENCRYPTED = "the message is encrypted: save a decrypted copy"

ENCRYPTED_SUFFIXES = (".pgp-encrypted", ".p7m")
ENCRYPTED_TYPES = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A part of a message with a name of its own, or a message within it."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What a person sees of a message."""

    subject: str
    sender: str
    recipients: str
    sent_at: datetime | None
    text: str
    html: str
    """The body as HTML, where there is no plain text or where that would lose a table; otherwise empty."""
    attachments: tuple[Attachment, ...]

    @property
    def author(self) -> str | None:
        name, address = parseaddr(self.sender)
        return name or address or None

    @property
    def heading(self) -> str:
        """Subject as the title, then who wrote to whom, when and with what attached, a line each."""
        sent = self.sent_at.strftime("%Y-%m-%d %H:%M %z").strip() if self.sent_at else ""
        names = ", ".join(attachment.name for attachment in self.attachments)
        lines = (("From", self.sender), ("To", self.recipients), ("Date", sent), ("Attachments", names))
        fields = "  \n".join(f"**{name}:** {value}" for name, value in lines if value)
        return "\n\n".join(filter(None, (f"# {self.subject}" if self.subject else "", fields)))


def read(data: bytes) -> Message:
    """Raises `ParseError` for a message that is encrypted, or that holds messages within messages without end."""
    try:
        return _read(data)
    except RecursionError as error:
        raise ParseError("its messages are nested too deeply: save the inner ones as files of their own") from error


def _read(data: bytes) -> Message:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:200]:
        data = decode(data).encode()
    message = email.message_from_bytes(data.lstrip())
    if message.get_content_type() in ENCRYPTED_TYPES:
        raise ParseError(ENCRYPTED)
    bodies: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attachments: list[Attachment] = []
    _collect(message, bodies, attachments)
    plain, html = "\n\n".join(bodies["text/plain"]), "\n".join(bodies["text/html"])
    return Message(
        subject=_header(message, "Subject"),
        sender=_header(message, "From"),
        recipients=", ".join(filter(None, (_header(message, "To"), _header(message, "Cc")))),
        sent_at=moment(_header(message, "Date")),
        text=plain,
        html=html if not plain.strip() or "<table" in html.lower() else "",
        attachments=tuple(attachments),
    )


def _collect(part: Part, bodies: dict[str, list[str]], attachments: list[Attachment]) -> None:
    """Sort the leaves of the message into its body and what hangs on it."""
    kind = part.get_content_type()
    name = _decoded(part.get_filename() or "")
    payload = part.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list):
        for inner in filter(_is_part, payload):
            subject = _header(inner, "Subject")
            named = name or f"{subject or 'message'}.eml"
            attachments.append(Attachment(name=named, media_type=kind, data=inner.as_bytes()))
    elif isinstance(payload, list):
        for inner in filter(_is_part, payload):
            _collect(inner, bodies, attachments)
    elif not kind.startswith("multipart/"):
        data = part.get_payload(decode=True)
        content = data if isinstance(data, bytes) else b""
        if kind in bodies and (not name or part.get_content_disposition() != "attachment"):
            bodies[kind].append(_text(content, part.get_content_charset()))
        elif name:
            attachments.append(Attachment(name=name, media_type=kind, data=content))


def _is_part(inner: object) -> TypeGuard[Part]:
    return isinstance(inner, Part)


def _text(content: bytes, charset: str | None) -> str:
    try:
        return content.decode(charset or "ascii")
    except (LookupError, UnicodeDecodeError):
        return decode(content)


def _header(message: Part, name: str) -> str:
    return _decoded(str(message.get(name) or ""))


def _decoded(value: str) -> str:
    """Encoded words as text, on one line."""
    try:
        value = str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        value = value.encode("utf-8", "replace").decode()
    return " ".join(value.encode("utf-8", "replace").decode().split())
