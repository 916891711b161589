"""How a Mattermost server refuses, and what stands in front of one."""

from __future__ import annotations

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

PERMISSIONS = ("api.context.permissions.app_error", "You do not have the appropriate permissions.")

KNOWN = {
    401: ("api.context.session_expired.app_error", "Invalid or expired session, please login again."),
    403: PERMISSIONS,
    404: ("app.channel.get.existing.app_error", "Unable to find the existing channel."),
    500: ("app.post.get_posts.app_error", "Unable to get the posts for the channel."),
}


class Refused(Exception):
    """A call that the server answers with an error.

    `form` is whether the caller could have known better: a text that is too long, a field that is missing.
    """

    def __init__(self, status: int, id: str = "", message: str = "", *, form: bool | None = None) -> None:
        known, text = KNOWN.get(status, ("api.context.invalid_body_param.app_error", "Invalid or missing parameter."))
        super().__init__(id or known)
        self.status = status
        self.id = id or known
        self.message = message or text
        self.form = status in (400, 413) if form is None else form

    def response(self) -> Response:
        """As the server answers: JSON with an id of the error."""
        body = {"id": self.id, "message": self.message, "detailed_error": "", "request_id": ""}
        return JSONResponse({**body, "status_code": self.status}, status_code=self.status)


def refusal(status: int) -> Response:
    return Refused(status).response()


def busy(retry_after: int = 1) -> Response:
    """Over the rate limit: no JSON, and the reset in seconds from now (measured on a server)."""
    headers = {"Retry-After": str(retry_after), "X-Ratelimit-Limit": "101", "X-Ratelimit-Remaining": "0"}
    return PlainTextResponse("limit exceeded\n", 429, headers={**headers, "X-Ratelimit-Reset": "3"})


def broken() -> Response:
    return refusal(500)


def login_page() -> Response:
    """What a single sign-on in front of the server answers, with status 200."""
    return HTMLResponse("<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>")
