"""What `bot doctor` says about groups."""

from __future__ import annotations

from pathlib import Path

from bot.access.findings import Found, findings
from bot.access.groups import GroupBook
from tests.bot.access.company import book_of, scim, scim_group, scim_user

ADA = "ada@example.org"


async def said(
    book: GroupBook, *named: str, listed: tuple[str, ...] = (), kinds: tuple[str, ...] = ("user", "slack")
) -> list[Found]:
    return findings(
        await book.current(),
        named=frozenset(named),
        listed=listed,
        given=frozenset({"group:keys", "public"}),
        kinds=kinds,
    )


async def test_nothing_is_wrong_without_groups() -> None:
    assert await said(book_of(), "everyone", "user:ada@example.org", "slack:C1", "group:keys") == [("ok", "none")]


async def test_groups_that_are_named_are_counted() -> None:
    book = book_of(groups={"finance": [f"user:{ADA}"], "inner": [f"user:{ADA}"], "outer": ["group:inner"]})
    found = await said(book, "group:finance", "group:outer", listed=("group:finance", "group:inner", "group:outer"))
    assert found == [("ok", "3 groups, 2 of which documents name")]


async def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (state, says), (_, unread), (_, left), _ = await said(book_of(group_files=[{"path": tmp_path / "groups.json"}]))
    assert state == "problem"
    assert f"{tmp_path}/groups.json is not there" in says
    assert "nobody is in any group" in unread
    assert "kept to `public`" in left


async def test_contradictions_are_problems_and_are_named(tmp_path: Path) -> None:
    path = scim(
        tmp_path / "groups.json",
        scim_group("g1", "Finance", "u9", "u1"),
        scim_user("u1", ADA),
        scim_user("u2", ADA),
    )
    book = book_of(
        groups={"finance": [], "a": ["group:b"], "b": ["group:a"], "c": ["group:nowhere"]},
        group_files=[{"path": path}],
    )
    found = await said(book, "group:a", "group:b", "group:c", "group:finance")
    problems = [says for state, says in found if state == "problem"]
    assert len(problems) == 3
    assert "defined twice, so nobody is in group:finance" in problems[0]
    assert "group:b in group:a, group:a in group:b" in problems[1]
    assert "1 addresses belong to two accounts" in problems[2]
    notes = [says for state, says in found if state == "note"]
    assert any("group:nowhere" in says for says in notes)
    assert any("members that are neither" in says and "(group:finance: 1)" in says for says in notes)


async def test_groups_that_no_document_names_and_tokens_that_nobody_can_hold_are_told() -> None:
    book = book_of(groups={"finance": [f"user:{ADA}"]})
    found = await said(book, "group:money", "mattermost:team:t1", "slack:C1", listed=("group:finance",))
    assert ("note", "in `access.groups`, but no document is for group:finance; see how `readers` spell it") in found
    (nobody,) = [says for _, says in found if "nobody can hold" in says]
    assert "group:money, mattermost:team:t1," in nobody
    assert "slack:C1" not in nobody
    assert len(await said(book, "group:finance", "mattermost:team:t1", kinds=())) == 1


async def test_a_group_that_is_misspelt_is_told_with_the_one_that_is_meant() -> None:
    book = book_of(groups={"finance": [f"user:{ADA}"], "board": ["group:finanze"]})
    misspelt = "group:finanze (did you mean group:finance?)"
    for kinds in ((), ("user", "slack")):
        notes = [says for state, says in await said(book, "group:finanze", "slack:C1", kinds=kinds) if state == "note"]
        assert [misspelt in says for says in notes] == [True, True]
        assert "slack:C1" not in str(notes)


async def test_long_lists_are_cut() -> None:
    found = await said(book_of(), *(f"group:{number}" for number in range(20)))
    assert "and 15 more" in found[0][1]
