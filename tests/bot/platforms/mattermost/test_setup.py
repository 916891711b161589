"""`bot setup mattermost` and what `bot doctor` says."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from bot.platforms.interface import PlatformRefused
from bot.platforms.mattermost.probe import probe
from bot.platforms.mattermost.settings import MattermostSettings
from bot.platforms.mattermost.setup import set_up, steps
from tests.bot.platforms.mattermost.conftest import Place
from tests.fakes.mattermost import ADMIN_TOKEN, TOKEN, login_page

ADMIN = SecretStr(ADMIN_TOKEN)


def _settings(place: Place, **more: object) -> MattermostSettings:
    given: dict[str, object] = {"url": place.url, "callback_url": "http://bot.internal:8080/"}
    return MattermostSettings.model_validate(given | more)


async def test_everything_is_made_and_the_second_time_found(place: Place) -> None:
    server = place.server
    server.admin()
    first = await set_up(
        _settings(place), admin_token=ADMIN, teams=["company"], channels=["company/town-square"], username="helper"
    )
    bot = server.named("helper")
    (command,) = server.commands.known.values()
    counts = len(server.users), len(server.tokens), len(server.commands.known)

    again = await set_up(
        _settings(place, token=SecretStr(first.environment["SOUFFLEUR_MATTERMOST_TOKEN"])),
        admin_token=ADMIN,
        teams=["company"],
        channels=["company/town-square"],
        username="helper",
    )

    assert server.users[bot]["is_bot"]
    assert bot in server.members[place.team] & server.members[place.channel]
    assert (command["trigger"], command["url"]) == ("ask", "http://bot.internal:8080/mattermost/command")
    assert first.environment["SOUFFLEUR_MATTERMOST_COMMAND_TOKEN"] == command["token"]
    assert server.tokens[first.environment["SOUFFLEUR_MATTERMOST_TOKEN"]] == bot
    assert "bot.internal" in "".join(first.hints)
    assert (len(server.users), len(server.tokens), len(server.commands.known)) == counts
    assert again.environment == {"SOUFFLEUR_MATTERMOST_COMMAND_TOKEN": command["token"]}


@pytest.mark.parametrize("named", [{"teams": ["nosuch"]}, {"channels": ["company/nosuch"]}, {"channels": ["company"]}])
async def test_a_mistyped_name_leaves_nothing_behind(place: Place, named: dict[str, list[str]]) -> None:
    server = place.server
    server.admin()
    before = len(server.users), len(server.tokens)
    with pytest.raises(PlatformRefused):
        await set_up(_settings(place), admin_token=ADMIN, username="helper", **({"teams": []} | named))
    assert (len(server.users), len(server.tokens)) == before


async def test_a_further_team_adds_its_command_token_and_what_is_set_is_not_told_again(place: Place) -> None:
    server = place.server
    server.admin()
    server.team("sales")
    first = await set_up(_settings(place), admin_token=ADMIN, teams=["company"])
    known = {
        "token": SecretStr(TOKEN),
        "command_token": SecretStr(first.environment["SOUFFLEUR_MATTERMOST_COMMAND_TOKEN"]),
    }
    assert (await set_up(_settings(place, **known), admin_token=ADMIN, teams=["company"])).environment == {}

    both = await set_up(_settings(place, **known), admin_token=ADMIN, teams=["sales"])

    tokens = both.environment["SOUFFLEUR_MATTERMOST_COMMAND_TOKEN"].split(",")
    assert tokens == [row["token"] for row in server.commands.known.values()]


async def test_whoever_names_no_team_is_told_what_that_means(place: Place) -> None:
    place.server.admin()
    found = await set_up(_settings(place), admin_token=ADMIN, teams=[])
    assert any("--team NAME" in hint for hint in found.hints)


async def test_a_command_that_pointed_elsewhere_points_here_again(place: Place) -> None:
    place.server.admin()
    place.server.commands.add(place.team, "ask", "http://old.internal/mattermost/command")

    await set_up(_settings(place), admin_token=ADMIN, teams=["company"])

    (command,) = place.server.commands.known.values()
    assert command["url"] == "http://bot.internal:8080/mattermost/command"


async def test_the_command_of_somebody_else_is_left_alone(place: Place) -> None:
    place.server.admin()
    place.server.commands.add(place.team, "ask", "http://jira.internal/ask")

    with pytest.raises(PlatformRefused, match=r"mattermost\.command"):
        await set_up(_settings(place), admin_token=ADMIN, teams=["company"])

    (command,) = place.server.commands.known.values()
    assert command["url"] == "http://jira.internal/ask"


async def test_the_commands_of_several_teams_are_told_together(place: Place) -> None:
    place.server.admin()
    place.server.team("sales")

    found = await set_up(_settings(place), admin_token=ADMIN, teams=["company", "sales"])

    tokens = found.environment["SOUFFLEUR_MATTERMOST_COMMAND_TOKEN"].split(",")
    assert {*tokens} == {row["token"] for row in place.server.commands.known.values()}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"teams": ["nowhere"]}, "no team 'nowhere'"),
        ({"teams": [], "channels": ["company/nowhere"]}, "no channel 'company/nowhere'"),
        ({"teams": [], "channels": ["town-square"]}, "TEAM/CHANNEL"),
        ({"teams": ["company"], "username": "ada"}, "--username"),
        ({"teams": ["company"], "admin_token": SecretStr(TOKEN)}, "no system administrator"),
        ({"teams": ["company"], "admin_token": SecretStr("wrong")}, "SOUFFLEUR_MATTERMOST_ADMIN_TOKEN"),
    ],
)
async def test_what_cannot_be_done_is_said(place: Place, arguments: dict[str, object], says: str) -> None:
    place.server.admin()

    with pytest.raises(PlatformRefused, match=says):
        await set_up(_settings(place), **{"admin_token": ADMIN, **arguments})  # type: ignore[arg-type]


def test_the_steps_by_hand_name_every_address() -> None:
    text = steps(MattermostSettings(url="https://chat.example.org", callback_url="http://bot.internal:8080"))

    for part in (
        "SOUFFLEUR_MATTERMOST_TOKEN",
        "SOUFFLEUR_MATTERMOST_COMMAND_TOKEN",
        "http://bot.internal:8080/mattermost/command",
        "https://chat.example.org/admin_console",
        "bot.internal",
    ):
        assert part in text
    assert "callback_url" in steps(MattermostSettings(url="https://chat.example.org"))


async def test_the_doctor_finds_nothing_wrong_where_nothing_is(place: Place) -> None:
    place.server.commands.add(place.team, "ask", "http://bot.example.org/mattermost/command")
    place.server.config["RequireEmailVerification"] = "true"
    settings = _settings(
        place, token=SecretStr(TOKEN), command_token=SecretStr("c"), callback_url="https://bot.example.org"
    )

    found = await probe(settings)

    assert {state for state, _ in found} == {"ok"}
    text = "\n".join(says for _, says in found)
    assert "@souffleur" in text
    assert "11.11" in text
    assert "Town Square" in text


async def test_the_doctor_names_what_is_missing(place: Place) -> None:
    found = await probe(_settings(place, token=SecretStr(TOKEN)))

    problems = "\n".join(says for state, says in found if state == "problem")
    notes = "\n".join(says for state, says in found if state == "note")
    assert "/ask is missing in company" in problems
    assert "SOUFFLEUR_MATTERMOST_COMMAND_TOKEN" in problems
    assert "AllowedUntrustedInternalConnections" in notes


@pytest.mark.parametrize(
    ("trust", "config", "state", "part"),
    [
        ("auto", {}, "note", "Require Email Verification"),
        ("auto", {"RequireEmailVerification": "true"}, "ok", "are trusted"),
        ("auto", {"RequireEmailVerification": "true", "ShowEmailAddress": "false"}, "note", "Show Email Address"),
        ("always", {}, "note", "whoever can choose their own"),
        ("never", {}, "ok", "are not used"),
    ],
)
async def test_the_doctor_says_whether_addresses_are_trusted(
    place: Place, trust: str, config: dict[str, str], state: str, part: str
) -> None:
    place.server.config |= config

    found = await probe(_settings(place, token=SecretStr(TOKEN), trust_emails=trust))

    assert [(one, part in says) for one, says in found if "e-mail" in says] == [(state, True)]


async def test_the_doctor_says_why_it_gets_no_further(place: Place) -> None:
    assert [state for state, _ in await probe(_settings(place, token=SecretStr("wrong")))] == ["problem"]
    place.server.fault(login_page, of="/users/me")
    ((state, says),) = await probe(_settings(place, token=SecretStr(TOKEN)))
    assert state == "problem"
    assert "login page" in says
