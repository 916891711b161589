"""Posts as they are written: created, patched, deleted, reacted to."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.listing import readable
from tests.fakes.mattermost.refusals import Refused

MESSAGE_LIMIT = 16_383
"""Runes: 65,535 bytes of four each (measured on a server: one more is refused)."""
PROPS_LIMIT = 800_000
"""Runes of all props as JSON (v11 source)."""
PENDING_MILLISECONDS = 30_000
"""For so long is a `pending_post_id` remembered (inferred from the server's cache)."""


async def body_of(request: Request) -> Row:
    """The JSON object that was sent. Raises Refused for anything else."""
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refused(400, message="The body is no JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, message="The body is no JSON object.")
    return body


async def create(company: Company, request: Request, account: str) -> Response:
    """The author is whoever asks, whatever the body says; `silent=true` notifies nobody (v11.10)."""
    body = await body_of(request)
    channel, root = str(body.get("channel_id", "")), str(body.get("root_id") or "")
    if account not in company.members.get(channel, set()) or channel not in company.channels:
        raise Refused(403)
    if company.channels[channel]["delete_at"]:
        raise Refused(400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel.")
    if known := _pending(company, account, str(body.get("pending_post_id") or "")):
        return JSONResponse(company.shown(known), 201)
    _check(body.get("message", ""), body.get("props") or {})
    if root:
        _check_root(company, root, channel)
    props = dict(body.get("props") or {})
    if company.users[account].get("is_bot"):
        props["from_bot"] = "true"
    files = [
        file
        for file in body.get("file_ids") or ()
        if file in company.files and company.files[file]["user_id"] == account and not company.files[file]["post_id"]
    ]
    post = company.post(
        channel,
        account,
        body.get("message", ""),
        root=root,
        files=files,
        props=props,
        pending=str(body.get("pending_post_id") or ""),
        silent=request.query_params.get("silent") == "true",
    )
    company.typing.get((channel, root), {}).pop(account, None)
    return JSONResponse(company.shown(company.posts[post]), 201)


async def patch(company: Company, request: Request, account: str) -> Response:
    """Props take the place of props, keys that are left out stay (measured on a server).

    A post that is gone is refused like one of somebody else: without the permission (v11 source).
    """
    body, post = await body_of(request), company.posts.get(request.path_params["post"])
    if post is None or post["delete_at"] or post["user_id"] != account:
        raise Refused(403)
    message, props = body.get("message"), body.get("props")
    _check(post["message"] if message is None else message, post["props"] if props is None else props)
    if message == post["message"]:
        message = None
    company.edit(post["id"], message, props=props)
    return JSONResponse(company.shown(post))


async def delete(company: Company, request: Request, account: str) -> Response:
    post = readable(company, request.path_params["post"], account)
    if post["user_id"] != account and not company.is_admin(account):
        raise Refused(403)
    company.delete(post["id"], by=account)
    return JSONResponse({"status": "OK"})


async def ephemeral(company: Company, request: Request, account: str) -> Response:
    """Needs the permission `create_post_ephemeral`, which system administrators alone have (measured on a server)."""
    body = await body_of(request)
    if not company.is_admin(account):
        raise Refused(403)
    post = body.get("post") or {}
    id = company.ephemeral(body["user_id"], post["channel_id"], post["message"], root=post.get("root_id", ""))
    return JSONResponse(company.shown(company.ephemerals[id]), 201)


async def react(company: Company, request: Request, account: str) -> Response:
    body = await body_of(request)
    if body.get("user_id") != account:
        raise Refused(403)
    post = readable(company, str(body.get("post_id")), account)
    company.react(post["id"], account, body["emoji_name"])
    return JSONResponse(company.reactions[-1], 201)


async def unreact(company: Company, request: Request, account: str) -> Response:
    path = request.path_params
    if path["user"] not in (account, "me"):
        raise Refused(403)
    company.unreact(readable(company, path["post"], account)["id"], account, path["emoji"])
    return JSONResponse({"status": "OK"})


async def types(company: Company, request: Request, account: str) -> Response:
    body = await body_of(request)
    if request.path_params["user"] not in (account, "me"):
        raise Refused(403)
    if account not in company.members.get(str(body.get("channel_id")), set()):
        raise Refused(403)
    company.types(body["channel_id"], account, body.get("parent_id", ""))
    return JSONResponse({"status": "OK"})


def _pending(company: Company, account: str, pending: str) -> Row | None:
    """The post that this call has made already, when it is sent again (measured on a server)."""
    for row in reversed(company.posts.values()):
        if pending and row["pending_post_id"] == pending and row["user_id"] == account and not row["original_id"]:
            return row if row["create_at"] + PENDING_MILLISECONDS > company.time() else None
    return None


def _check(message: Any, props: Any) -> None:
    if not isinstance(message, str) or not isinstance(props, dict):
        raise Refused(400, message="`message` is a text, `props` an object.")
    if len(message) > MESSAGE_LIMIT:
        raise Refused(400, "model.post.is_valid.msg.app_error", "Invalid message.")
    if len(json.dumps(props, ensure_ascii=False)) > PROPS_LIMIT:
        raise Refused(400, "model.post.is_valid.props.app_error", "Invalid props.")


def _check_root(company: Company, root: str, channel: str) -> None:
    """`root_id` names the first post of a thread, in the same channel (measured; the errors are v11 source)."""
    id, row = "api.post.create_post.root_id.app_error", company.posts.get(root)
    if row is None or row["delete_at"]:
        raise Refused(400, id, "Invalid RootId parameter.", form=row is None)
    if row["channel_id"] != channel:
        id = "api.post.create_post.channel_root_id.app_error"
        raise Refused(500, id, "Invalid ChannelId for RootId parameter.", form=True)
    if row["root_id"] or row["original_id"]:
        raise Refused(400, id, "Invalid RootId parameter.")
