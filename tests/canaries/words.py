"""Words that occur nowhere else, and what of them is seen in anything that comes out."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"

CANARY = re.compile(rf"q(?:[{CONSONANTS}][{VOWELS}]){{4}}x")
"""Eleven letters between a `q` and an `x`: one word to every tokenizer, no key to whoever masks keys, and of no
language."""


def canaries(seed: int) -> Iterator[str]:
    """New words without end, the same for the same seed."""
    draw, had = random.Random(seed), set()
    while True:
        word = "q" + "".join(draw.choice(CONSONANTS) + draw.choice(VOWELS) for _ in range(4)) + "x"
        if word not in had:
            had.add(word)
            yield word


def seen(thing: object) -> frozenset[str]:
    """The canaries in a text, or anywhere in plain data."""
    return frozenset(CANARY.findall(_text(thing).casefold()))


def _text(thing: Any) -> str:
    if isinstance(thing, str):
        return thing
    if isinstance(thing, Mapping | list | tuple):
        return json.dumps(thing, ensure_ascii=False, default=repr)
    return repr(thing)
