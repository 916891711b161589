"""Confluence, Cloud and Data Center: who may read what."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import READER_TOKEN, Readers, group_token
from ingest.sources.confluence.client import Person
from ingest.sources.confluence.readers import MOST_PEOPLE, Overlap, user_token
from tests.fixtures.confluence import Wiki
from tests.fixtures.confluence_source import everything, listing

pytestmark = pytest.mark.usefixtures("without_waits")


@pytest.fixture(params=["cloud", "data_center"])
async def wiki(request: pytest.FixtureRequest) -> AsyncIterator[Wiki]:
    wiki = Wiki(edition=request.param)
    wiki.group("staff", wiki.person("ada"), wiki.person("bob"), wiki.person("eve"))
    wiki.space("HB", groups=["staff"])
    async with wiki.served():
        yield wiki


async def readers(wiki: Wiki, id: str, **settings: Any) -> set[str]:
    found = (await listing(wiki, **settings))[f"HB/{id}"].readers
    assert found is not None
    return set(found)


async def test_a_moved_page_gets_the_readers_of_its_new_place(wiki: Wiki) -> None:
    closed = wiki.page("HB", "Closed", users=["u-ada"])
    page = wiki.page("HB", "Page", parent=closed.id)
    before = (await listing(wiki))[f"HB/{page.id}"]
    page.parent = None
    after = (await listing(wiki))[f"HB/{page.id}"]
    assert (before.readers, after.readers) == ({"user:ada@example.org"}, {"everyone"})
    assert before.version == after.version


async def test_readers_are_those_of_the_space_and_of_every_page_above(wiki: Wiki) -> None:
    top = wiki.page("HB", "Top", users=["u-ada", "u-bob"])
    middle = wiki.page("HB", "Middle", parent=top.id, users=["u-bob", "u-eve"])
    bottom = wiki.page("HB", "Bottom", parent=middle.id)
    entries = await listing(wiki)
    assert entries[f"HB/{top.id}"].readers == {"user:ada@example.org", "user:bob@example.org"}
    assert entries[f"HB/{middle.id}"].readers == {"user:bob@example.org"}
    assert entries[f"HB/{bottom.id}"].readers == {"user:bob@example.org"}


async def test_a_restriction_longer_than_one_part_of_the_answer_is_read_whole(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", users=["u-ada", "u-bob", "u-eve"], groups=["staff"])
    assert await readers(wiki, page.id, everyone_groups=[]) == {"group:staff"}
    page.groups = []
    assert await readers(wiki, page.id) == {f"user:{name}@example.org" for name in ("ada", "bob", "eve")}


async def test_groups_and_people_have_in_common_who_is_in_both(wiki: Wiki) -> None:
    wiki.group("leads", "u-ada", wiki.person("zoe"))
    wiki.spaces["HB"].groups = ["staff", "writers of all"]
    wiki.group("writers of all", "u-bob")
    by_person = wiki.page("HB", "By person", users=["u-bob", "u-zoe"])
    by_group = wiki.page("HB", "By group", groups=["leads"])
    by_name = wiki.page("HB", "By name", groups=["writers of all"])
    entries = await listing(wiki, everyone_groups=[])
    assert entries[f"HB/{by_person.id}"].readers == {"user:bob@example.org"}
    assert entries[f"HB/{by_group.id}"].readers == {"user:ada@example.org"}
    assert entries[f"HB/{by_name.id}"].readers == {"group:writers%20of%20all"}


async def test_a_group_whose_members_are_not_told_adds_nobody(wiki: Wiki) -> None:
    wiki.secret_groups.add("staff")
    page = wiki.page("HB", "Page", users=["u-ada"])
    assert await readers(wiki, page.id, everyone_groups=[]) == set()


async def test_a_restriction_to_somebody_who_has_left_stays_a_restriction(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", users=["u-gone"])
    left = set() if wiki.edition == "cloud" else {"user:former@example.org"}
    assert await readers(wiki, page.id) == left


async def test_a_person_without_an_address_is_known_by_the_account(wiki: Wiki) -> None:
    wiki.person("ada", email="")
    page = wiki.page("HB", "Page", users=["u-ada"])
    account = "u-ada" if wiki.edition == "cloud" else "ada"
    assert await readers(wiki, page.id, email_domain=None) == {f"confluence:{account}"}


async def test_a_space_is_public_only_if_confluence_shows_it_to_anybody(wiki: Wiki) -> None:
    wiki.spaces["HB"].anonymous = True
    page, closed = wiki.page("HB", "Page"), wiki.page("HB", "Closed", users=["u-ada"])
    entries = await listing(wiki)
    assert entries[f"HB/{page.id}"].readers == {"public"}
    assert entries[f"HB/{closed.id}"].readers == {"user:ada@example.org"}
    wiki.site_lets_anonymous_in = False
    assert await readers(wiki, page.id) == {"everyone"}


@pytest.mark.parametrize("refusal", [403, 404, 500])
async def test_nobody_reads_a_space_whose_permissions_are_not_told(wiki: Wiki, refusal: int) -> None:
    if wiki.edition == "cloud" and refusal == 500:
        pytest.skip("only Data Center says 500 to those who may not know")
    wiki.spaces["HB"].permissions = refusal
    wiki.page("HB", "Page")
    [entry], [skipped] = await everything(wiki)
    entries, _ = await everything(wiki)
    assert entries[entry].readers == frozenset()
    assert (skipped.id, skipped.unseen) == ("HB", False)
    assert "space_readers" in skipped.reason
    assert await readers_of_all(wiki, space_readers={"HB": ["group:hb"]}) == [{"group:hb"}]


async def readers_of_all(wiki: Wiki, **settings: Any) -> list[set[str]]:
    return [set(entry.readers or ()) for entry in (await listing(wiki, **settings)).values()]


async def test_what_the_configuration_says_of_a_space_is_narrowed_by_restrictions(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", groups=["leads"], users=["u-ada"])
    wiki.group("leads")
    given = {"HB": ["group:leads", "user:eve@example.org"]}
    assert await readers(wiki, page.id, space_readers=given) == {"group:leads"}


async def test_a_parent_that_the_account_may_not_see_leaves_nobody(wiki: Wiki) -> None:
    hidden = wiki.page("HB", "Hidden", unseen=True)
    page = wiki.page("HB", "Page", parent=hidden.id)
    entries, [skipped] = await everything(wiki)
    assert entries[f"HB/{page.id}"].readers == frozenset()
    assert "'Page'" in skipped.reason


async def test_pages_that_stand_above_one_another_in_a_circle_are_for_nobody(wiki: Wiki) -> None:
    if wiki.edition == "data_center":
        pytest.skip("its ancestors come as a list")
    one, two = wiki.page("HB", "One"), wiki.page("HB", "Two")
    one.parent, two.parent = two.id, one.id
    entries, _ = await everything(wiki)
    assert {entry.readers for entry in entries.values()} == {frozenset()}


async def test_a_restriction_that_comes_with_no_page_is_asked_for_by_itself(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", users=["u-ada"], indexed=False)
    files = [wiki.attach(page, f"plan {number}.txt", b"The plan.", "text/plain") for number in range(3)]
    entries = await listing(wiki)
    assert set(entries) == {f"HB/{page.id}", *(f"HB/{file.id}" for file in files)}
    assert {entry.readers for entry in entries.values()} == {frozenset({"user:ada@example.org"})}
    page.indexed = True
    assert await listing(wiki) == entries


async def test_an_account_that_is_none_takes_nobody_else_away(wiki: Wiki) -> None:
    page = wiki.page("HB", "Page", users=["u-ada", "no account", "u-bob"])
    assert {"user:ada@example.org", "user:bob@example.org"} <= await readers(wiki, page.id)


class TestCloud:
    """What only Cloud has."""

    @pytest.fixture
    async def cloud(self) -> AsyncIterator[Wiki]:
        wiki = Wiki(edition="cloud")
        wiki.group("staff", wiki.person("ada"), wiki.person("bob"))
        wiki.space("HB", groups=["staff"])
        async with wiki.served():
            yield wiki

    async def test_what_stands_above_a_page_may_be_a_folder(self, cloud: Wiki) -> None:
        closed = cloud.page("HB", "Closed", users=["u-ada", "u-bob"])
        folder = cloud.page("HB", "Folder", kind="folder", parent=closed.id, users=["u-bob"])
        page = cloud.page("HB", "Page", parent=folder.id)
        entries = await listing(cloud)
        assert set(entries) == {f"HB/{closed.id}", f"HB/{page.id}"}
        assert entries[f"HB/{page.id}"].readers == {"user:bob@example.org"}

    @pytest.mark.parametrize("mode", ["ROLES", "ROLES_TRANSITION"])
    async def test_roles_that_let_read_name_the_readers_of_a_space(self, cloud: Wiki, mode: str) -> None:
        cloud.role_mode = mode
        cloud.spaces["HB"].users = [cloud.person("eve")]
        cloud.spaces["HB"].classes = ["all-licensed-users", "anonymous-users"]
        page = cloud.page("HB", "Page")
        assert await readers(cloud, page.id, everyone_groups=[]) == {
            "group:staff",
            "user:eve@example.org",
            "confluence:all-licensed-users",
        }
        assert "everyone" in await readers(cloud, page.id, everyone_groups=["all-licensed-users"])

    async def test_the_same_page_has_the_same_version_with_and_without_the_search(self, cloud: Wiki) -> None:
        page = cloud.page("HB", "Page")
        file = cloud.attach(page, "plan.txt", b"The plan.", "text/plain")
        found = await listing(cloud)
        page.indexed = False
        without = await listing(cloud)
        assert [found[id].version for id in (f"HB/{page.id}", f"HB/{file.id}")] == [
            without[id].version for id in (f"HB/{page.id}", f"HB/{file.id}")
        ]


class TestDataCenter:
    """What only Data Center has."""

    @pytest.fixture
    async def data_center(self) -> AsyncIterator[Wiki]:
        wiki = Wiki(edition="data_center")
        wiki.space("HB", groups=["staff"])
        wiki.group("staff")
        async with wiki.served():
            yield wiki

    @pytest.mark.parametrize(
        ("username", "domain", "token"),
        [
            ("ada", None, "confluence:ada"),
            ("ada", "example.org", "user:ada@example.org"),
            ("Ada@Example.org", None, "user:ada@example.org"),
            ("ada@other.example", "example.org", "user:ada@other.example"),
            ("ada b", "example.org", "confluence:ada%20b"),
        ],
    )
    async def test_a_user_name_is_made_an_address_as_configured(
        self, data_center: Wiki, username: str, domain: str | None, token: str
    ) -> None:
        data_center.spaces["HB"].users = [data_center.person(username)]
        data_center.spaces["HB"].groups = []
        page = data_center.page("HB", "Page")
        assert await readers(data_center, page.id, email_domain=domain) == {token}

    async def test_pages_of_another_space_in_the_answer_are_not_taken_for_this_ones(
        self, data_center: Wiki, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = data_center.page("HB", "Page")
        data_center.page("HR", "Secret")
        monkeypatch.setattr(
            data_center, "within", lambda key, *kinds: [c for c in data_center.contents.values() if c.kind in kinds]
        )
        assert set(await listing(data_center)) == {f"HB/{page.id}"}


TOKENS = st.frozensets(
    st.sampled_from(["public", "everyone", "group:a", "group:b", "group:c", "user:1", "user:2", "user:3"]), max_size=5
)
GROUPS = {"group:a": {"user:1", "user:2"}, "group:b": {"user:2", "user:3"}, "group:c": None}
ASKERS = [{"public"}] + [
    {"public", "everyone", user, *(name for name, members in GROUPS.items() if members and user in members)}
    for user in ("user:1", "user:2", "user:3", "user:4")
]


@given(TOKENS, TOKENS)
async def test_what_audiences_have_in_common_is_never_more_than_each_lets_read(one: Readers, other: Readers) -> None:
    async def members(token: str) -> Readers:
        return frozenset(GROUPS.get(token) or ())

    both = await Overlap(members).of(one, other)
    secret = {"group:c"}  # its members are not told: it may lose readers, never gain any
    for asker in ASKERS:
        allowed = bool(asker & one) and bool(asker & other)
        assert not (asker & both) or allowed
        if not secret & (one | other):
            assert bool(asker & both) == allowed


@given(st.text(), st.text())
def test_groups_keep_apart_and_fit_into_a_token(one: str, other: str) -> None:
    assert READER_TOKEN.fullmatch(group_token(one)) or not one
    same = unicodedata.normalize("NFC", one.lower()) == unicodedata.normalize("NFC", other.lower())
    assert (group_token(one) == group_token(other)) == same or "\ud800" <= max(one + other, default="") <= "\udfff"


async def test_an_overlap_of_very_many_people_adds_nobody() -> None:
    crowd = frozenset(f"user:{number}" for number in range(MOST_PEOPLE + 1))

    async def members(token: str) -> Readers:
        return crowd

    assert await Overlap(members).of(frozenset({"group:a", "group:c"}), frozenset({"group:b", "group:c"})) == {
        "group:c"
    }


def test_people_and_groups_are_written_as_the_docs_say() -> None:
    assert group_token("HR Team") == "group:hr%20team"
    assert user_token(Person(key="1", name="Ada", email="Ada@Example.org"), None) == "user:ada@example.org"
    assert user_token(Person(key="557058:1", name="Ada"), None) == "confluence:557058:1"
