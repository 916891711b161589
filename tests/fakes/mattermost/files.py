"""Files: sent up, described, handed out to those who may read the post that they hang on."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.listing import readable
from tests.fakes.mattermost.refusals import Refused


async def upload(company: Company, request: Request, account: str) -> Response:
    """As a form with `files`, or as the bare content with `filename` in the query."""
    query, content = request.query_params, await request.body()
    media_type = request.headers.get("content-type", "application/octet-stream")
    parts = [(query.get("filename", ""), content, media_type, "")]
    if media_type.startswith("multipart/form-data"):
        parts = [*_parts(content, media_type)]
    channel = query.get("channel_id") or next((bytes(p[1]).decode() for p in parts if p[3] == "channel_id"), "")
    if account not in company.members.get(channel, set()):
        raise Refused(403)
    ids = [company.file(name, data, type, by=account, channel=channel) for name, data, type, _ in parts if name]
    if not ids:
        raise Refused(400, message="There is no file.")
    return JSONResponse({"file_infos": [company.files[id] for id in ids], "client_ids": []}, 201)


async def info(company: Company, request: Request, account: str) -> Response:
    return _of_file(company, request, account, JSONResponse)


async def of_post(company: Company, request: Request, account: str) -> Response:
    post = readable(company, request.path_params["post"], account)
    return JSONResponse([company.files[file] for file in post["file_ids"]])


async def content(company: Company, request: Request, account: str) -> Response:
    """The bytes; a page is not handed out as one, so that no browser shows it."""

    def answer(file: Row) -> Response:
        html = file["mime_type"].startswith("text/html")
        media_type = "text/plain" if html else file["mime_type"] or "application/octet-stream"
        return Response(company.contents[file["id"]], media_type=media_type)

    return _of_file(company, request, account, answer)


def _of_file(company: Company, request: Request, account: str, answer: Callable[[Row], Response]) -> Response:
    file = company.files.get(request.path_params["file"])
    if file is None or file["delete_at"]:
        raise Refused(404, "app.file_info.get.app_error", "Unable to get the file info.")
    if not file["post_id"]:
        if file["user_id"] != account:
            raise Refused(403)
        return answer(file)
    if not company.may_read(company.posts[file["post_id"]]["channel_id"], account):
        raise Refused(403)
    return answer(file)


def _parts(content: bytes, media_type: str) -> Iterator[tuple[str, bytes, str, str]]:
    """File name, content, media type and field name of each part of a form."""
    head = f"Content-Type: {media_type}\r\n\r\n".encode()
    form = email.message_from_bytes(head + content, policy=email.policy.HTTP)
    for part in form.iter_parts():
        field = part.get_param("name", "", header="content-disposition")
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        yield part.get_filename() or "", data, part.get_content_type(), str(field)
