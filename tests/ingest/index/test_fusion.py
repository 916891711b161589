from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.index.fusion import fuse
from ingest.index.interface import Ranked
from ingest.model import ChunkId


def ranking(**scores: float) -> list[Ranked]:
    return [Ranked(id=ChunkId(id), score=score) for id, score in scores.items()]


def test_a_single_leg_keeps_its_order_whatever_its_weight() -> None:
    assert fuse({"lexical": ranking(a=9, b=5, c=1)}, {"lexical": 0.1}) == [("a", 1.0), ("b", 0.5), ("c", 0.0)]


def test_legs_are_scaled_alike_before_they_are_weighed() -> None:
    legs = {"lexical": ranking(a=900, b=450, c=0), "dense": ranking(b=0.9, a=0.7, c=0.5)}
    assert [id for id, _ in fuse(legs, {"lexical": 0.7, "dense": 0.3})] == ["a", "b", "c"]
    assert [id for id, _ in fuse(legs, {"lexical": 0.3, "dense": 0.7})] == ["b", "a", "c"]


def test_a_chunk_of_one_leg_only_gets_nothing_from_the_other() -> None:
    legs = {"lexical": ranking(a=2, b=1), "dense": ranking(x=0.9, y=0.1)}
    assert fuse(legs, {"lexical": 0.75, "dense": 0.25}) == [("a", 0.75), ("x", 0.25), ("b", 0.0), ("y", 0.0)]


def test_an_empty_leg_leaves_the_other_as_it_is() -> None:
    assert [id for id, _ in fuse({"lexical": [], "dense": ranking(a=2, b=1)}, {"lexical": 0.7, "dense": 0.3})] == [
        "a",
        "b",
    ]


@given(ids=st.lists(st.text("abc", min_size=1), unique=True))
def test_equal_scores_are_ordered_by_id(ids: list[str]) -> None:
    legs = {leg: ranking(**dict.fromkeys(ids, 1.0)) for leg in ("lexical", "dense")}
    assert [id for id, _ in fuse(legs, {"lexical": 0.7, "dense": 0.3})] == sorted(ids)
