from __future__ import annotations

import pytest

from ingest.index.interface import IndexDamaged
from ingest.index.schema import chunk_of, payload_of
from tests.fixtures.chunks import chunk


def test_equal_chunks_have_equal_payloads_whatever_the_order_of_their_readers() -> None:
    readers = [f"group:{number}" for number in range(20)]
    one, other = chunk("x", readers=frozenset(readers)), chunk("x", readers=frozenset(reversed(readers)))
    assert payload_of(one) == payload_of(other)
    assert payload_of(one)["readers"] == sorted(readers)


@pytest.mark.parametrize("payload", [None, {}, {**payload_of(chunk("x")), "position": "first"}])
def test_a_point_of_another_program_is_named_with_the_field_that_is_wrong(payload: dict[str, object] | None) -> None:
    with pytest.raises(IndexDamaged, match=r"^point '7' is not a chunk \(field '\w+'\); run `ingest reindex`$"):
        chunk_of(7, payload)
