"""What is told instead of an answer: one localised sentence with the way out, in OpenAI's error shape or as a page."""

from __future__ import annotations

from collections.abc import Mapping

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""OWASP Secure Headers; nothing of this server is to be run, framed or read by another site."""


class Refusal(Exception):
    """Ends a request with a status and the phrase `key` in the caller's language; `app` makes the response of it."""

    def __init__(
        self,
        status: int,
        key: str,
        /,
        *,
        code: str,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        values: Mapping[str, str | int] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.key = key
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.values = dict(values or {})


class BadRequest(Exception):
    """Ends a request that its program wrote wrongly; the text is English, for who reads the program."""

    def __init__(self, message: str, *, code: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param


def error_body(status: int, message: str, *, code: str | None, param: str | None = None) -> dict[str, object]:
    """OpenAI's error shape: https://platform.openai.com/docs/guides/error-codes."""
    kinds = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = "server_error" if status >= 500 else kinds.get(status, "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
