"""What a thread shows of the app's work: a status line, a session with its Stop button, suggested prompts.

Both kinds of status write to one place on the screen, the last one wins (field report: agentconnect pull request 1483).
"""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.people import People
from tests.fakes.slack.sessions import Session, Status
from tests.fakes.slack.wire import Params, Refused, needed

LOADING_MESSAGES = 10
PROMPTS = 4
"""docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts."""

STATES = frozenset({"active", "processing", "suspended", "closed"})
SESSION_TITLE = 200
"""docs.slack.dev/reference/methods/agents.sessions.setStatus."""


def begin(slack: People, channel: str, thread: str) -> Session:
    return transition(slack, channel, thread, "processing")


def transition(slack: People, channel: str, thread: str, state: str) -> Session:
    session = slack.sessions.setdefault((channel, thread), Session(state=state))
    session.state = state
    session.history.append(state)
    session.stop_button = "agent_session_stopped" in slack.subscribed
    slack.touch()
    return session


def set_session_status(slack: People, params: Params) -> dict[str, Any]:
    """docs.slack.dev/reference/methods/agents.sessions.setStatus: without the subscription there is a warning, and no
    button."""
    slack.needs("chat:write")
    channel, state = needed(params, "channel_id", "status")
    slack.room({"channel": channel}, scope="")
    thread = str(params.get("thread_ts") or "")
    if not thread:
        raise Refused("thread_ts_required")
    if state not in STATES:
        raise Refused("invalid_status")
    if len(str(params.get("title") or "")) > SESSION_TITLE:
        raise Refused("invalid_arguments")
    known = (channel, thread) in slack.sessions
    session = transition(slack, channel, thread, state)
    if params.get("title") and not known:
        session.title = str(params["title"])
    answer = {"status": state, "title": session.title}
    if state == "processing" and not session.stop_button:
        answer["warning"] = "missing_agent_session_stopped_event_subscription"
    return answer


def set_status(slack: People, params: Params) -> dict[str, Any]:
    """An empty status clears it."""
    slack.needs("chat:write", "assistant:write")
    channel, thread = needed(params, "channel_id", "thread_ts")
    slack.room({"channel": channel}, scope="")
    loading = tuple(params.get("loading_messages") or ())
    if len(loading) > LOADING_MESSAGES or "status" not in params:
        raise Refused("invalid_arguments")
    if params["status"]:
        slack.statuses[(channel, thread)] = Status(text=params["status"], loading=loading, set_at=slack.clock)
    else:
        slack.statuses.pop((channel, thread), None)
    slack.touch()
    return {}


def set_suggested_prompts(slack: People, params: Params) -> dict[str, Any]:
    """Without `thread_ts` they are those of the Messages tab."""
    slack.needs("assistant:write", "chat:write")
    (channel,) = needed(params, "channel_id")
    slack.room({"channel": channel}, scope="")
    prompts = params.get("prompts") or []
    if not 1 <= len(prompts) <= PROMPTS or not all(one.get("title") and one.get("message") for one in prompts):
        raise Refused("invalid_arguments")
    slack.prompts[channel] = list(prompts)
    slack.touch()
    return {}


METHODS = {
    "agents.sessions.setStatus": set_session_status,
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setSuggestedPrompts": set_suggested_prompts,
}
