"""Posts as they are read: pages of a channel, changes since a moment, threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.fakes.mattermost.company import Company
from tests.fakes.mattermost.hub import Row
from tests.fakes.mattermost.refusals import Refused


def readable(company: Company, id: str, account: str) -> Row:
    """A post that this account may read. Raises Refused (404 when it was deleted)."""
    post = company.posts.get(id)
    if post is None or post["delete_at"]:
        raise Refused(404, "app.post.get.app_error", "Unable to get the post.")
    if not company.may_read(post["channel_id"], account):
        raise Refused(403)
    return post


async def post(company: Company, request: Request, account: str) -> Response:
    return JSONResponse(company.shown(readable(company, request.path_params["post"], account)))


async def of_channel(company: Company, request: Request, account: str) -> Response:
    """A page of live posts, newest first; `after` pages forward, and edits leave no rows there (measured)."""
    channel, query = request.path_params["channel"], request.query_params
    if channel not in company.channels:
        raise Refused(404)
    if not company.may_read(channel, account):
        raise Refused(403)
    counted = query.get("skipFetchThreads") == "true"
    if since := int(query.get("since", 0)):
        return _since(company, channel, since, counted=counted)
    per_page = min(int(query.get("per_page", 60)), 200, company.page_limit)
    skipped = int(query.get("page", 0)) * per_page
    before, after = query.get("before"), query.get("after")
    live = sorted(company.live(channel), key=lambda row: row["create_at"], reverse=not after)
    if before or after:
        anchor = company.posts.get(before or after or "")  # a deleted one serves as well
        at = anchor["create_at"] if anchor else None
        live = [row for row in live if at is not None and (row["create_at"] < at if before else row["create_at"] > at)]
    page = live[skipped : skipped + per_page]
    page.reverse() if after else None
    previous = ""
    if page and not after and (not before or len(page) == per_page):
        older = [row for row in company.live(channel) if row["create_at"] < page[-1]["create_at"]]
        previous = max(older, key=lambda row: row["create_at"])["id"] if older else ""
    return _list(company, page, [row["id"] for row in page], counted=counted, prev_post_id=previous)


async def thread(company: Company, request: Request, account: str) -> Response:
    """From the root on; `direction=up` begins at the newest, and the root is among the posts all the same."""
    post, query = readable(company, request.path_params["post"], account), request.query_params
    root = post["root_id"] or post["id"]
    rows = [row for row in company.live(post["channel_id"]) if root in (row["id"], row["root_id"])]
    up = query.get("direction") == "up"
    rows.sort(key=lambda row: (row["create_at"], row["id"]), reverse=up)
    if start := int(query.get("fromCreateAt", 0)):
        anchor = (start, query.get("fromPost", ""))
        rows = [row for row in rows if _beyond((row["create_at"], row["id"]), anchor, up=up)]
    limit = min(int(query.get("perPage", 0)) or len(rows), company.page_limit)
    shown = [post, *(row for row in rows[:limit] if row is not post)]
    return _list(company, shown, [row["id"] for row in shown], has_next=len(rows) > limit)


async def history(company: Company, request: Request, account: str) -> Response:
    """What a post was before it was changed, to whoever wrote it and nobody else (v11 source)."""
    post = readable(company, request.path_params["post"], account)
    if post["user_id"] != account:
        raise Refused(403)
    rows = [row for row in company.posts.values() if row["original_id"] == post["id"]]
    if not rows:
        raise Refused(404, "app.post.get.app_error", "Unable to get the post.")
    return JSONResponse(sorted(rows, key=lambda row: -row["edit_at"]))


async def reactions(company: Company, request: Request, account: str) -> Response:
    post = readable(company, request.path_params["post"], account)
    return JSONResponse([reaction for reaction in company.reactions if reaction["post_id"] == post["id"]])


def _beyond(row: tuple[int, str], anchor: tuple[int, str], *, up: bool) -> bool:
    if not anchor[1]:
        return row[0] < anchor[0] if up else row > anchor
    return row < anchor if up else row > anchor


def _since(company: Company, channel: str, since: int, *, counted: bool) -> Response:
    """At most so many rows in no order, history and deleted ones too, and the first posts of their threads."""
    rows = [row for row in company.posts.values() if row["channel_id"] == channel and row["update_at"] > since]
    rows = sorted(rows, key=lambda row: row["id"])[: company.since_limit]
    rows.sort(key=lambda row: -row["create_at"])
    return _list(company, rows, [row["id"] for row in rows], counted=counted)


def _list(
    company: Company, rows: Sequence[Row], order: Sequence[str], *, counted: bool = True, **more: Any
) -> Response:
    """`counted`: whether replies are."""
    roots = (company.posts.get(row["root_id"]) for row in rows)
    posts = {row["id"]: company.shown(row) | ({} if counted else {"reply_count": 0}) for row in (*rows, *roots) if row}
    links = {"next_post_id": "", "prev_post_id": "", "first_inaccessible_post_time": 0}
    return JSONResponse({"order": [*order], "posts": posts, **links, **more})
