"""Cases of the suite by the public API alone, as on somebody's own server; here the server is a fake."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.contract import test_after, test_asking, test_holding, test_life
from tests.contract.mattermost_server import MattermostServerWorkplace
from tests.contract.office import Office, office
from tests.contract.slack_server import Access, SlackServerWorkplace
from tests.fakes.mattermost import ADMIN_TOKEN, Mattermost
from tests.fakes.slack import BOT_SCOPES, Slack

ON_MATTERMOST = [
    test_after.test_a_question_is_handed_to_its_owners_and_resolved,
    test_after.test_feedback_is_kept_with_its_reason,
    test_asking.test_a_slash_command_is_answered_to_the_asker_alone_and_shared_on_demand,
    test_holding.test_a_busy_platform_is_waited_for,
    test_holding.test_a_channel_with_a_guest_is_answered_from_public_documents_alone,
    test_holding.test_what_no_connection_will_replay_is_found_by_looking,
    test_life.test_what_happens_is_shown_before_there_is_text,
]

ON_SLACK = [
    test_after.test_a_file_is_read_and_cited,
    test_asking.test_somebodys_message_is_answered_when_pointed_at,
    test_holding.test_two_replicas_give_one_answer,
    test_holding.test_what_was_asked_while_the_connection_was_cut_is_answered,
    test_life.test_an_edited_question_is_answered_anew_in_place,
]


@pytest.fixture
async def mattermost(tmp_path: Path) -> AsyncIterator[Office]:
    server = Mattermost(clock=lambda: int(time.time() * 1000))
    server.admin()
    async with server.served() as url:
        async with office(MattermostServerWorkplace(url, SecretStr(ADMIN_TOKEN)), tmp_path) as opened:
            yield opened
        assert not server.ill_formed


@pytest.mark.parametrize("case", ON_MATTERMOST, ids=lambda case: case.__name__.removeprefix("test_"))
async def test_a_case_holds_by_the_api_of_mattermost_alone(case, mattermost: Office) -> None:
    await case(mattermost)


@pytest.fixture
async def slack(tmp_path: Path) -> AsyncIterator[Office]:
    server = Slack(token="xoxb-1", app_token="xapp-1", scopes=BOT_SCOPES, now=time.time)
    for name in ("ada", "bob", "cleo"):
        server.user_tokens[f"xoxp-{name}"] = server.user(f"U{name.upper()}", name, locale="en-US")
    tokens = {f"{name}_token": SecretStr(f"xoxp-{name}") for name in ("ada", "bob", "cleo")}
    access = Access(bot_token=SecretStr(server.token), app_token=SecretStr(server.app_token), **tokens)
    async with server.served() as url:
        async with office(SlackServerWorkplace(url, access), tmp_path) as opened:
            yield opened
        assert not server.faults()


@pytest.mark.parametrize("case", ON_SLACK, ids=lambda case: case.__name__.removeprefix("test_"))
async def test_a_case_holds_by_the_api_of_slack_alone(case, slack: Office) -> None:
    await case(slack)
