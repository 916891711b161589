"""From what a model writes to what a reader may rely on: only real citations, no links of the model's making.

The model cites by number, `[2]`. A number that was not among its passages goes; so does every image, and a link keeps
its words but not its address: addresses come from stored metadata alone (models can be talked into writing links that
carry data out; EchoLeak, CVE-2025-32711). What is left of the signs that make a link in Markdown, `](` and `]:`, is
parted by a space. An address that stands literally in a passage stays, as code that nobody can click by accident.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from bot.model import Passage

LONGEST_LABEL = 300
"""Characters between `[` and `]`; a longer bracket is plain text."""

LONGEST_ADDRESS = 2000
"""Characters between `(` and `)` of a link, beyond what browsers agree to open."""

CITATION = re.compile(r"[ \t]?[\[【][ \t]?\^?(\d{1,3}(?:[ \t]?[,;、][ \t]?\^?\d{1,3})*)[ \t]?[\]】]")
LINK = re.compile(rf"!?\[([^\[\]\n]{{0,{LONGEST_LABEL}}})\]\([^()\n]{{0,{LONGEST_ADDRESS}}}\)")
REFERENCE = re.compile(rf"!?\[([^\[\]\n]{{0,{LONGEST_LABEL}}}[^\[\]\n\d])\](?=\[)")
ADDRESS = re.compile(
    r"`{0,9}(<?(?:[a-z][a-z0-9+.-]{0,20}://|(?<![a-z0-9])www\."
    r"|(?<![^\s=\"'(<;:。！？])//(?=[^\s/()<>.%。．｡]*+[.%。．｡][^\s/()<>]*+(?!\()))"
    r"[^\s<>\]`。，、；：！？」』】）]+>?)`*",
    re.IGNORECASE,
)
"""With a scheme, wherever it begins (no space stands before it in Chinese); `www.`; or a host after `//` alone."""

LINKING = re.compile(r"\](?=[(:])")
BRACKETED = re.compile(rf"[\[【][^\[\]【】\n]{{0,{LONGEST_LABEL}}}[\]】](?:\([^()\n]{{0,{LONGEST_ADDRESS}}}\))?")
OPENING = re.compile(r"[\[【]")
CLOSING = re.compile(r"[\]】]")
SETTLING = re.compile(r"[\s。！？\]】]")
"""What may settle the text before it: a space, a full stop of a script without spaces, the end of a bracket."""

LONGEST_PENDING = 4000
"""Characters held back at most, more than any link that is recognised; then they go on as they are."""

TRAILING = ".,;:!?)\"'"


class CheckedText:
    """Checks a streamed text piece by piece. The result does not depend on where the pieces were cut.

    `feed` returns what is settled (no later piece can change it), `close` the rest. Readers see sources numbered in
    the order in which they are cited: `shown` maps the number that the writer was given to the one that is shown, and
    grows with every passage that is cited for the first time.
    """

    def __init__(self, passages: Sequence[Passage], shown: dict[int, int] | None = None) -> None:
        self.shown: dict[int, int] = {} if shown is None else shown
        self._numbers = {passage.number for passage in passages}
        self._written = "\n".join(passage.chunk.text for passage in passages)
        self._pending = ""

    def feed(self, piece: str) -> str:
        self._pending += piece
        if len(self._pending) < LONGEST_PENDING and not SETTLING.search(piece):
            return ""
        settled = []
        while cut := self._cut():
            settled.append(self._clean(self._pending[:cut]))
            self._pending = self._pending[cut:]
        return "".join(settled)

    def close(self) -> str:
        rest, self._pending = self._pending, ""
        return self._clean(rest)

    def _cut(self) -> int:
        """Characters of what is pending that are settled, or too many to wait for."""
        window = self._pending[:LONGEST_PENDING]
        return _settled(window) or (LONGEST_PENDING if len(window) == LONGEST_PENDING else 0)

    def _clean(self, text: str) -> str:
        for pattern in (LINK, REFERENCE):
            text = pattern.sub(lambda link: "" if link[0].startswith("!") else link[1], text)
        text = ADDRESS.sub(self._address, LINKING.sub("] ", text))
        return CITATION.sub(self._citation, text)

    def _citation(self, match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"\d+", match[1])]
        kept = [self.shown.setdefault(n, len(self.shown) + 1) for n in numbers if n in self._numbers]
        after = " " if match.string[match.end() :].startswith(("(", ":")) else ""
        if not kept:
            return after
        space = match[0][0] if match[0][0] in " \t" else ""
        return space + "".join(f"[{number}]" for number in dict.fromkeys(kept)) + after

    def _address(self, match: re.Match[str]) -> str:
        address = match[1].strip("<>")
        end = len(address.rstrip(TRAILING))
        address, tail = address[:end], address[end:]
        return (f"`{address}`" if address in self._written else "…") + tail


def _settled(text: str) -> int:
    """Length of the prefix that no later text can change: up to a white space or a full stop outside every bracket."""
    latest = max(text.rfind("\n") + 1, len(text) - LONGEST_LABEL - LONGEST_ADDRESS - 5)
    brackets = (match.start() for match in OPENING.finditer(text, latest))
    limit = next((bracket for bracket in brackets if _open(text, bracket)), len(text))
    spans = [match.span() for match in BRACKETED.finditer(text, 0, limit)]
    starts = [start for start, _ in spans]
    for match in reversed(list(SETTLING.finditer(text, 0, limit))):
        index = match.start()
        nearest = bisect_left(starts, index) - 1
        if text[index] in "]】" or (nearest >= 0 and index < spans[nearest][1]):
            continue
        # A space itself stays behind: a citation takes the space before it along.
        return index if text[index].isspace() else index + 1
    return 0


def _open(text: str, bracket: int) -> bool:
    """Whether the bracket may still become a link or a citation when more text comes."""
    closed = CLOSING.search(text, bracket)
    if closed is None:
        return len(text) - bracket <= LONGEST_LABEL + 1
    after = text[closed.end() :]
    return after == "" or (after[0] == "(" and ")" not in after and len(after) <= LONGEST_ADDRESS + 1)
