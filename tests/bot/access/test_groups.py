"""Lists and exports of groups: who is in them, and when nobody is."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.access.groups import GroupBook
from bot.access.settings import AccessSettings
from ingest.model import MEMBER
from tests.bot.access.company import MAX_AGE, book_of, scim, scim_group, scim_user
from tests.fixtures.clock import Clock


async def groups_of(book: GroupBook, email: str) -> set[str]:
    held = (await book.current()).closed(MEMBER | {f"user:{email}"})
    return {token for token in held if token.startswith("group:")}


def files(*paths: Path) -> list[dict[str, Any]]:
    return [{"path": path} for path in paths]


def csv(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


ADA = "ada@example.org"
BOB = "bob@example.org"


async def test_a_list_names_people_groups_of_platforms_and_other_groups() -> None:
    book = book_of(groups={"Finance": [f"user:{ADA}", "group:hr%20team"], "HR Team": ["slack:S1"], "all": ["everyone"]})
    assert await groups_of(book, ADA) == {"group:finance", "group:all"}
    assert (await book.current()).closed(frozenset({"slack:S1"})) == {"slack:S1", "group:hr%20team", "group:finance"}


async def test_outsiders_are_in_no_group_whatever_it_lists() -> None:
    book = book_of(groups={"all": ["public"]})
    assert (await book.current()).closed(frozenset({"public"})) == {"public"}


@pytest.mark.parametrize(
    "text",
    [
        "group,email\nFinance,Ada@Example.org\nFinance,bob@example.org\n",
        "\ufeffEmail;Group Name\r\nada@example.org;Finance\r\n",
        "userPrincipalName\tgroup\nada@example.org\tfinance\n",
        "displayName,member\nFinance,user:ada@example.org\n",
        "group_id,group_name,user\n7,Finance,ada@example.org\n",
        'group,member_email\n"Finance",\n"Finance","ada@example.org"\n',
    ],
)
async def test_memberships_are_read_from_tables_as_directories_export_them(tmp_path: Path, text: str) -> None:
    book = book_of(group_files=files(csv(tmp_path / "groups.csv", text)))
    assert await groups_of(book, ADA) == {"group:finance"}


async def test_a_table_that_is_no_text_gives_nobody_anything(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes("group,email\nBüro,ada@example.org\n".encode("latin-1"))
    assert "not UTF-8" in (await book_of(group_files=files(path)).current()).missing


async def test_a_table_in_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_bytes(f"group\tuser\r\nBüro\t{ADA}\r\n".encode("utf-16"))
    assert await groups_of(book_of(group_files=files(path)), ADA) == {"group:büro"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("group,email\n", "no memberships"),
        ("group,email\nfinance,ada@example.org\nfinance,ada@example.or", "half written"),
        ("group,email\nfinance,ada@example.org\nfinance\n", "row 3"),
        ("group,email\n,ada@example.org\n", "names no group in row 2"),
        ('group,email\nfinance,"ada@example.org\n', "is no CSV"),
        ("team,person\nfinance,ada@example.org\n", "no column of groups"),
        ("group,person\nfinance,ada@example.org\n", "no column of members"),
        ("group,email,E-Mail\nfinance,ada@example.org,ada@example.org\n", "two columns"),
        ("displayName,userPrincipalName\nfinance,ada@example.org\n", "no column of groups"),
    ],
)
async def test_a_table_that_cannot_be_trusted_gives_nobody_anything_and_says_why(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = csv(tmp_path / "groups.csv", text)
    groups = await book_of(group_files=files(path)).current()
    assert groups.closed(MEMBER | {f"user:{ADA}"}) == MEMBER | {f"user:{ADA}"}
    assert reason in groups.missing
    assert str(path) in groups.missing


SCIM_FORMS = {
    "a page": lambda group, user: {"totalResults": 2, "Resources": [group, user]},
    "pages": lambda group, user: [
        {"totalResults": 1, "startIndex": 1, "Resources": [group]},
        {"totalResults": 1, "startIndex": 1, "Resources": [user]},
    ],
    "pages of one listing": lambda group, user: [
        {"totalResults": 2, "startIndex": 1, "Resources": [group]},
        {"totalResults": 2, "startIndex": 2, "Resources": [user]},
    ],
    "a plain list": lambda group, user: [group, user],
    "two plain lists": lambda group, user: {"Groups": [group], "Users": [user]},
    "other case": lambda group, user: [
        {key.upper(): value for key, value in group.items()},
        {key.lower(): value for key, value in user.items()},
    ],
    "without schemas": lambda group, user: [
        {key: value for key, value in group.items() if key != "schemas"},
        {key: value for key, value in user.items() if key != "schemas"},
    ],
}


@pytest.mark.parametrize("form", SCIM_FORMS)
async def test_groups_and_people_are_read_from_scim_in_all_its_forms(tmp_path: Path, form: str) -> None:
    path = tmp_path / "groups.json"
    path.write_text(json.dumps(SCIM_FORMS[form](scim_group("g1", "Finance", "u1"), scim_user("u1", ADA))))
    assert await groups_of(book_of(group_files=files(path)), ADA) == {"group:finance"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("[]", "neither groups nor users"),
        ('{"totalResults": 0, "Resources": []}', "neither groups nor users"),
        ('[{"id": "g1", "displayName": "fin', "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"id": "g1", "ID": "g2", "displayName": "finance"}', "no JSON"),
        ('{"totalResults": 2, "Resources": [{"id": "g1", "displayName": "finance"}]}', "1 of 2 resources"),
        ('[{"id": "g1", "displayName": "finance", "members": [{"value": 7}]}]', "members.0.value"),
        ('[{"id": "g1", "displayName": " "}]', "displayname"),
        ('[{"id": "g1"}]', "neither a user nor a group"),
        ('{"Groups": {"id": "g1"}}', "no list"),
        ('["finance"]', "something else"),
        ('[{"id": "u1", "userName": "ada@example.org", "active": "perhaps"}]', "active"),
    ],
)
async def test_scim_that_cannot_be_trusted_gives_nobody_anything_and_says_why(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "groups.json"
    path.write_text(text)
    book = book_of(group_files=files(path), groups={"listed": ["everyone"]})
    groups = await book.current()
    assert reason in groups.missing
    assert groups.closed(MEMBER) == MEMBER, "a file that has never been read may define the listed group too"
    assert not groups.is_active(ADA), "it might have said that she left"


async def test_a_renamed_group_takes_the_token_of_its_new_name(tmp_path: Path) -> None:
    clock = Clock()
    path = scim(tmp_path / "g.json", scim_group("g1", "Finance", "u1"), scim_user("u1", ADA))
    book = book_of(clock, group_files=files(path))
    assert await groups_of(book, ADA) == {"group:finance"}
    scim(path, scim_group("g1", "Money", "u1"), scim_user("u1", ADA))
    clock.seconds += 10
    assert await groups_of(book, ADA) == {"group:money"}


async def test_groups_in_groups_are_found_by_their_ids_in_other_files_too(tmp_path: Path) -> None:
    outer = scim(tmp_path / "outer.json", scim_group("g1", "All", "g2"))
    inner = scim(tmp_path / "inner.json", scim_group("g2", "Finance", "u1"), scim_user("u1", ADA))
    assert await groups_of(book_of(group_files=files(outer, inner)), ADA) == {"group:all", "group:finance"}


@pytest.mark.parametrize(
    "resources",
    [
        [scim_group("g1", "Finance", "u1"), scim_group("g2", "FINANCE", "u1")],
        [scim_group("g1", "Finance", "u1"), scim_group("g1", "Other", "u1")],
        [scim_group("g1", "Finance", "u1"), scim_user("u1", BOB)],
        [scim_group("g1", "Finance", "u1"), scim_user("u2", ADA)],
        [scim_group("g1", "Finance", "u1"), scim_group("u1", "Inner")],
        [scim_group("g1", "Finance", "u1", kind="Group")],
        [scim_group("g1", "Finance", "u1", kind="ServicePrincipal")],
        [scim_group("g1", "Finance", "u9")],
        [scim_group("g1", "Finance")],
        [scim_group("g1", "Finance") | {"members": None}],
    ],
    ids=str,
)
async def test_names_ids_and_addresses_that_stand_for_two_give_nobody_anything(
    tmp_path: Path, resources: list[dict[str, Any]]
) -> None:
    path = scim(tmp_path / "g.json", *resources, scim_user("u1", ADA))
    assert await groups_of(book_of(group_files=files(path)), ADA) == set()


async def test_a_group_of_a_list_and_of_a_file_has_no_members(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = csv(tmp_path / "g.csv", f"group,user\nfinance,{ADA}\n")
    book = book_of(groups={"Finance": [f"user:{ADA}"]}, group_files=files(path))
    assert await groups_of(book, ADA) == set()
    assert "defined twice: group:finance" in caplog.text


async def test_a_group_on_a_circle_keeps_only_its_direct_members(caplog: pytest.LogCaptureFixture) -> None:
    book = book_of(
        groups={
            "a": ["group:b", f"user:{ADA}"],
            "b": ["group:c"],
            "c": ["group:a", f"user:{BOB}"],
            "d": ["group:a", "group:d"],
        }
    )
    assert await groups_of(book, ADA) == {"group:a", "group:d"}
    assert await groups_of(book, BOB) == {"group:c"}
    assert "make a circle: group:b in group:a" in caplog.text


async def test_who_left_is_not_active_by_any_of_their_addresses(tmp_path: Path) -> None:
    path = scim(
        tmp_path / "g.json",
        scim_group("g1", "Finance", "u1"),
        scim_user("u1", ADA, active=False) | {"userName": "a.l@example.org"},
        scim_user("u2", BOB, active="True"),
    )
    book = book_of(group_files=files(path))
    groups = await book.current()
    assert [groups.is_active(email) for email in (ADA, "a.l@example.org", BOB, "")] == [False, False, True, True]
    assert await groups_of(book, ADA) == set()


async def test_what_people_call_themselves_makes_them_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(
        json.dumps(
            [
                scim_group("g1", "Finance") | {"members": [{"value": "u1", "display": BOB}]},
                scim_user("u1", ADA, displayName="group:board", nickName=BOB),
            ]
        )
    )
    book = book_of(group_files=files(path))
    assert await groups_of(book, BOB) == set()
    assert await groups_of(book, ADA) == {"group:finance"}


async def test_letters_that_turn_into_those_of_another_address_name_nobody(tmp_path: Path) -> None:
    path = csv(tmp_path / "g.csv", "group,user\nfinance,\u212aim@example.org\nfinance,user:\u212aim@example.org\n")
    assert await groups_of(book_of(group_files=files(path)), "kim@example.org") == set()


async def test_a_file_that_breaks_takes_its_groups_away_and_goes_on_contradicting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    people = scim(
        tmp_path / "g.json",
        scim_group("g1", "Finance", "u1"),
        scim_group("g2", "Ops", "u1"),
        scim_user("u1", ADA),
        scim_user("u2", BOB, active=False),
    )
    book = book_of(clock, groups={"ops": ["everyone"], "all": ["everyone"]}, group_files=files(people))
    assert await groups_of(book, ADA) == {"group:finance", "group:all"}
    whole = people.read_bytes()
    for broken in (whole[:-30], b""):
        people.write_bytes(broken)
        clock.seconds += 10
        assert await groups_of(book, ADA) == {"group:all"}
        assert not (await book.current()).is_active(BOB)
    people.unlink()
    clock.seconds += 10
    assert await groups_of(book, ADA) == {"group:all"}
    assert "is not there" in (await book.current()).missing
    clock.seconds += 10
    await book.current()
    assert caplog.text.count("is not there") == 1
    people.write_bytes(whole)
    clock.seconds += 10
    assert await groups_of(book, ADA) == {"group:finance", "group:all"}
    assert "count again" in caplog.text


async def test_ids_of_people_in_a_file_that_broke_stand_for_nobody(tmp_path: Path) -> None:
    clock = Clock()
    groups = scim(tmp_path / "groups.json", scim_group("g1", "Finance", "u1"))
    people = scim(tmp_path / "people.json", scim_user("u1", ADA))
    book = book_of(clock, group_files=files(groups, people))
    assert await groups_of(book, ADA) == {"group:finance"}
    people.write_text("[")
    clock.seconds += 10
    assert await groups_of(book, ADA) == set()
    assert (await book.current()).is_active(ADA), "nothing that was read says that she left"


async def test_a_file_that_is_too_old_counts_no_more_until_it_is_written_again(tmp_path: Path) -> None:
    clock = Clock()
    path = csv(tmp_path / "g.csv", f"group,user\nfinance,{ADA}\n")
    written = clock.now().timestamp()
    os.utime(path, (written, written))
    book = book_of(clock, group_files=[{"path": path, "max_age_hours": 1}])
    assert await groups_of(book, ADA) == {"group:finance"}
    clock.seconds += 3600 + 10
    assert await groups_of(book, ADA) == set()
    assert "older than 1 hours" in (await book.current()).missing
    os.utime(path, (written + 9000, written + 9000))
    clock.seconds += 10
    assert "in the future" in (await book.current()).missing
    os.utime(path, (written + 3600, written + 3600))
    clock.seconds += 10
    assert await groups_of(book, ADA) == {"group:finance"}


async def test_a_change_that_leaves_size_and_times_alone_is_seen_within_half_of_the_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    path = csv(tmp_path / "g.csv", f"group,user\nfinance,{ADA}\n")
    book = book_of(clock, group_files=files(path))
    monkeypatch.setattr("bot.access.groups._stamp", lambda path: (1, 1, 1, 1))
    assert await groups_of(book, ADA) == {"group:finance"}
    csv(path, f"group,user\nfinance,{BOB}\n")
    clock.seconds += MAX_AGE / 2
    assert await groups_of(book, ADA) == set()


async def test_groups_are_the_same_object_while_nothing_changes(tmp_path: Path) -> None:
    clock = Clock()
    path = csv(tmp_path / "g.csv", f"group,user\nfinance,{ADA}\n")
    book = book_of(clock, group_files=files(path))
    before = await book.current()
    clock.seconds += MAX_AGE
    csv(path, path.read_text())
    assert await book.current() is before


async def test_a_folder_is_no_export(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.mkdir()
    assert "is no file" in (await book_of(group_files=files(path)).current()).missing


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"groups": {"group:finance": []}}, "write `finance`"),
        ({"groups": {" ": []}}, "no name of a group"),
        ({"groups": {"finance": ["Ada"]}}, "no reader token"),
        ({"group_files": [{"path": "groups.xlsx"}]}, ".csv"),
    ],
)
def test_settings_that_would_give_nobody_anything_are_refused(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AccessSettings.model_validate(section)


async def test_an_address_of_two_people_names_neither_of_them_in_other_files_and_lists(tmp_path: Path) -> None:
    twins = scim(
        tmp_path / "g.json",
        scim_user("u1", ADA),
        scim_user("u2", ADA),
        scim_user("u3", BOB),
        scim_group("g1", "By address", ADA, BOB),
    )
    table = csv(tmp_path / "g.csv", f"group,email\nFinance,{ADA}\nFinance,{BOB}\n")
    book = book_of(groups={"HR": [f"user:{ADA}", f"user:{BOB}"]}, group_files=files(twins, table))
    assert await groups_of(book, ADA) == set()
    assert await groups_of(book, BOB) >= {"group:finance", "group:hr"}
