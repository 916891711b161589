"""Which of the passages found are one text, which are versions of one document, and which merely look alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.retrieval.versions import collapsed
from ingest.index.interface import Hit
from ingest.model import Chunk
from tests.fixtures.passages import chunk

OLD, NEW = datetime(2022, 9, 5, tzinfo=UTC), datetime(2025, 4, 14, tzinfo=UTC)
RULES = "A password has at least {} characters. It must never be shared with colleagues, managers or anybody in IT."


def policy(
    text: str, document: str, title: str = "Password policy", at: datetime | None = NEW, **fields: object
) -> Chunk:
    return chunk(text, document=document, title=title, updated_at=at, **fields)  # type: ignore[arg-type]


def seen(chunks: Sequence[Chunk], query: str = "password length") -> list[tuple[str, str | None]]:
    """Document of each chunk that stays, best first, with the document of the newer one."""
    of = {each.id: each.document for each in chunks}
    hits = [Hit(chunk=each, score=1 / at, legs={}) for at, each in enumerate(chunks, start=1)]
    return [(kept.hit.chunk.document, of[kept.newer] if kept.newer else None) for kept in collapsed(hits, query)]


def test_the_same_words_in_two_places_are_one_passage() -> None:
    same = [policy("Ask  the desk.", "a.md"), policy("Ask the\ndesk.", "b.md", title="Desk"), policy("Other.", "c.md")]
    assert seen(same) == [("a.md", None), ("c.md", None)]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("it/passwords-2022.md", "Password policy (2022)"), ("it/passwords.html", "Password policy")),
        (("it/passwords-2022.md", "Password policy 2022"), ("it/passwords-2025.md", "Password policy 2025")),
        (("archive/it/passwords.md", "Password policy"), ("it/passwords.md", "Password policy")),
        (("it/passwords_v1.docx", "Password policy v1"), ("it/passwords_v2.docx", "Password policy v2.0")),
        (("4711", "Password policy (old)"), ("4712", "Password policy")),
        (("it/passwords.doc", "Password policy"), ("it/passwords.pdf", "Password policy")),
        (("it/passwords-2022.md", "Charter of secrets (2022)"), ("it/passwords.html", "Password policy")),
    ],
)
@pytest.mark.parametrize("older_first", [True, False])
def test_an_older_version_that_says_otherwise_stands_behind_the_newer_one(
    older: tuple[str, str], newer: tuple[str, str], older_first: bool
) -> None:
    old, new = policy(RULES.format(10), *older, OLD), policy(RULES.format(14), *newer, NEW)
    pair = [old, new] if older_first else [new, old]
    between = chunk("Badges open doors.", document="badges.md", title="Badges")
    assert seen([pair[0], between, pair[1]]) == [(newer[0], None), (older[0], newer[0]), ("badges.md", None)]


def test_an_older_version_that_says_the_same_in_nearly_the_same_words_goes() -> None:
    old = policy(RULES.format(14).replace("anybody in IT", "the IT"), "passwords-2022.md", at=OLD)
    assert seen([old, policy(RULES.format(14), "passwords.md")]) == [("passwords.md", None)]


def test_what_only_the_older_version_tells_stays_where_it_is() -> None:
    old = policy("Violations are reported to the team lead every quarter.", "passwords-2022.md", at=OLD)
    assert seen([old, policy(RULES.format(14), "passwords.md")]) == [
        ("passwords-2022.md", None),
        ("passwords.md", None),
    ]


HOME = ("Charter of remote work", "Number of days")


def test_a_section_of_an_older_version_with_other_numbers_stands_behind_the_same_section_of_the_newer() -> None:
    old = policy("Nobody works from home on more than 2 days.", "home-2022.md", HOME[0], OLD, headings=HOME)
    new = policy("| General | 3 days |", "home.md", "Remote work", headings=HOME[1:])
    assert seen([old, new]) == [("home.md", None), ("home-2022.md", "home.md")]


@pytest.mark.parametrize(
    ("said", "headings"),
    [
        ("Nobody works from home on more than 3 days.", HOME),
        ("Nobody works from home on Fridays.", HOME),
        ("Nobody works from home on more than 2 days.", (HOME[0], "Equipment")),
        ("Nobody works from home on more than 2 days.", HOME[:1]),
        ("Nobody works from home on more than 2 days.", ()),
    ],
)
def test_a_section_without_other_numbers_or_under_another_heading_stays_where_it_is(
    said: str, headings: tuple[str, ...]
) -> None:
    old = policy(said, "home-2022.md", HOME[0], OLD, headings=headings)
    new = policy("| General | 3 days |", "home.md", "Remote work", headings=HOME[1:])
    assert seen([old, new]) == [("home-2022.md", None), ("home.md", None)]


def test_the_title_is_no_section() -> None:
    old = policy("Nobody works from home on more than 2 days.", "p-2022.md", at=OLD, headings=("Password policy",))
    new = policy("| General | 3 days |", "p.md", headings=("Password policy",))
    assert seen([old, new]) == [("p-2022.md", None), ("p.md", None)]


def test_of_three_versions_the_newest_replaces_both_others() -> None:
    of = {
        year: policy(RULES.format(year % 100), f"p-{year}.md", at=datetime(year, 1, 1, tzinfo=UTC))
        for year in range(2020, 2023)
    }
    assert seen(list(of.values())) == [("p-2022.md", None), ("p-2020.md", "p-2022.md"), ("p-2021.md", "p-2022.md")]


def test_what_replaces_a_text_is_never_itself_an_older_version() -> None:
    length, lock = "A password has at least {} characters.", "The account is locked after {} attempts."
    oldest = policy(lock.format(3), "p-2020.md", at=datetime(2020, 1, 1, tzinfo=UTC))
    middle = policy(f"{length.format(10)} {lock.format(6)}", "p-2022.md", at=OLD)
    assert seen([oldest, middle, policy(length.format(14), "p-2025.md")]) == [
        ("p-2025.md", None),
        ("p-2020.md", "p-2025.md"),
        ("p-2022.md", "p-2025.md"),
    ]


def test_of_the_same_words_in_two_versions_the_newer_stays_and_in_two_sources_the_better() -> None:
    old = policy(RULES.format(14), "p-2022.md", at=OLD)
    assert seen([old, policy(RULES.format(14), "p.md")]) == [("p.md", None)]
    assert seen([old, policy(RULES.format(14), "p.md", source="wiki")]) == [("p-2022.md", None)]


def test_a_version_asked_for_by_its_year_is_not_put_behind() -> None:
    old, new = policy(RULES.format(10), "p-2022.md", at=OLD), policy(RULES.format(14), "p-2025.md", at=NEW)
    assert seen([old, new], "password length in 2022") == [("p-2022.md", None), ("p-2025.md", None)]
    assert seen([old, new], "password length in 2025") == [("p-2025.md", None), ("p-2022.md", "p-2025.md")]


LEAVE = (
    "Everyone who works in {} has {} days of annual leave. Requests go to the manager two weeks before the first day."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("offices/dublin.md", "Dublin office"), ("offices/hamburg.md", "Hamburg office")),
        (("dublin/leave.md", "Annual leave"), ("hamburg/leave.md", "Annual leave")),
        (("dublin/leave-2024.md", "Annual leave 2024"), ("hamburg/leave-2025.md", "Annual leave 2025")),
        (("101", "Annual leave"), ("102", "Annual leave")),
        (("101", "Annual leave 2024"), ("102", "Annual leave 2025")),
        (("minutes/2025-03-01.md", "Minutes 2025-03-01"), ("minutes/2025-03-08.md", "Minutes 2025-03-08")),
        (("2024.md", "2024"), ("2025.md", "2025")),
        (("forms/form-12.md", "Form 12"), ("forms/form-13.md", "Form 13")),
        (("finance/q3-2025.md", "Forecast Q3"), ("finance/q2-2025.md", "Forecast Q2")),
        (("leave-2024.md", "Leave in Dublin"), ("leave-2025.md", "Leave in Hamburg")),
    ],
)
def test_pages_on_one_template_stay_two_passages(one: tuple[str, str], other: tuple[str, str]) -> None:
    pages = [policy(LEAVE.format("Dublin", 25), *one, OLD), policy(LEAVE.format("Hamburg", 30), *other, NEW)]
    assert seen(pages) == [(one[0], None), (other[0], None)]


@pytest.mark.parametrize("at", [None, NEW])
def test_without_two_dates_nothing_is_newer(at: datetime | None) -> None:
    pages = [policy(RULES.format(10), "p-2022.md", at=at), policy(RULES.format(14), "p.md", at=at)]
    assert seen(pages) == [("p-2022.md", None), ("p.md", None)]


def test_versions_in_two_sources_are_left_alone() -> None:
    pages = [policy(RULES.format(10), "p-2022.md", at=OLD, source="dublin"), policy(RULES.format(14), "p.md")]
    assert len(seen(pages)) == 2
    assert all(newer is None for _, newer in seen(pages))


def test_versions_are_told_in_scripts_without_spaces() -> None:
    old = policy("密码至少需要10个字符，不得与同事共享。", "it/密码-2022.md", "密码政策 (2022)", OLD)
    new = policy("密码至少需要14个字符，不得与同事共享。", "it/密码.md", "密码政策", NEW)
    assert seen([old, new]) == [("it/密码.md", None), ("it/密码-2022.md", "it/密码.md")]


@given(
    texts=st.lists(st.text("a1 .密", max_size=30), max_size=6),
    names=st.lists(st.sampled_from(["p-2021.md", "p-2022.md", "p.md", "v2", "", "/"]), min_size=6, max_size=6),
    days=st.lists(st.integers(1, 28), min_size=6, max_size=6),
)
def test_no_text_is_lost_or_shown_twice_and_each_replacement_is_shown(
    texts: list[str], names: list[str], days: list[int]
) -> None:
    chunks = [
        chunk(text, document=name, position=at, title=name, updated_at=datetime(2025, 1, day, tzinfo=UTC))
        for at, (text, name, day) in enumerate(zip(texts, names, days, strict=False))
    ]
    kept = collapsed([Hit(chunk=each, score=1.0, legs={}) for each in chunks])
    shown = [each.hit.chunk.id for each in kept]
    assert len(shown) == len(set(shown))
    assert {each.newer for each in kept} <= {*shown, None}
    assert bool(kept) is bool(chunks)
