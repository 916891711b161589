"""What is wrong with groups, for `bot doctor`: each finding one line that says what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Literal

from bot.access.membership import Groups, some
from ingest.model import MEMBER, Readers

Found = tuple[Literal["ok", "note", "problem"], str]


def findings(
    groups: Groups, *, named: Readers, listed: Collection[str], given: Readers, kinds: Collection[str]
) -> list[Found]:
    """All findings, the worst first; one that is `ok` where nothing is wrong.

    Args:
        groups: as they are.
        named: the tokens that documents name.
        listed: the tokens of the groups in `access.groups`.
        given: tokens that are given to somebody as they are: to API keys.
        kinds: kinds of tokens that some platform hands out: `user`, `slack`; none without platforms, where documents
            are held against groups alone, if there are any.
    """
    found = [*_problems(groups), *_notes(groups, named, listed)]
    if kinds or groups.defined:
        # Without a platform it is keys that hold whatever else they say; only groups can then be known to be nobody's.
        checked = named if kinds else frozenset(token for token in named if token.startswith("group:"))
        found += _unreadable(groups, checked, given, kinds)
    used = len(groups.defined & named)
    found.append(("ok", f"{len(groups.defined)} groups, {used} of which documents name" if groups.defined else "none"))
    return sorted(found, key=lambda finding: ("problem", "note", "ok").index(finding[0]))


def _problems(groups: Groups) -> Iterator[Found]:
    if groups.missing:
        yield "problem", f"nobody is in the groups of an export: {groups.missing}"
    if groups.unread:
        yield (
            "problem",
            "nobody is in any group, listed ones included, until each file was read once: any of them may contradict "
            "the others",
        )
    if groups.anybody_may_have_left:
        yield "problem", "everybody with an address is kept to `public` until the export that may say who left is read"
    flaws = groups.flaws
    if flaws.twice:
        yield "problem", f"defined twice, so nobody is in {some(flaws.twice)}; rename all but one"
    if flaws.cyclic:
        edges = [f"{inner} in {outer}" for outer, inner in flaws.cyclic]
        yield "problem", f"groups that contain each other, which gives nobody anything: {some(edges)}; take one out"
    if flaws.shared:
        yield (
            "problem",
            f"{len(flaws.shared)} addresses belong to two accounts each, which are in no group by their ids; give each "
            "person one account",
        )


def _notes(groups: Groups, named: Readers, listed: Collection[str]) -> Iterator[Found]:
    if groups.flaws.undefined:
        undefined = [_meant(token, groups.defined) for token in groups.flaws.undefined]
        yield "note", f"members of other groups, but defined nowhere: {some(undefined)}; define or remove"
    if groups.flaws.unclear:
        where = [f"{group}: {count}" for group, count in groups.flaws.unclear]
        yield (
            "note",
            f"members that are neither an address nor a known id, so they are not in the group ({some(where)}); mend "
            "the addresses, or export people and nested groups with them",
        )
    unused = sorted(token for token in listed if named.isdisjoint(groups.closed(frozenset({token}))))
    if unused and not groups.unread:
        yield "note", f"in `access.groups`, but no document is for {some(unused)}; see how `readers` spell it"


def _unreadable(groups: Groups, named: Readers, given: Readers, kinds: Collection[str]) -> Iterator[Found]:
    """Tokens of documents that nobody can ever hold."""
    held = groups.defined | given | MEMBER
    if nobody := sorted(token for token in named - held if token.partition(":")[0] not in kinds):
        known = groups.defined | given
        yield (
            "note",
            f"documents name {some([_meant(token, known) for token in nobody])}, which nobody can hold; define the "
            "groups in `access`, or switch on the platform that they come from",
        )


def _meant(token: str, known: Readers) -> str:
    """The token, and the known one that is spelt almost like it."""
    near = get_close_matches(token, sorted(known), n=1, cutoff=0.8)
    return f"{token} (did you mean {near[0]}?)" if near else token
