"""The table of the red-team set in the docs: `python -m tests.redteam.table` writes the page."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.redteam.cases import AROUND, CASES, PAGES, Case
from tests.redteam.desk import Tried, tried_without
from tests.redteam.leaked import SURFACES

PAGE = Path(__file__).parents[2] / "docs" / "hostile-text.md"

SHAPES = {
    1: "what the asker may not read, asked outright",
    2: "what readers of the channel may not read, asked by somebody who may",
    3: "an earlier message gives the assistant orders",
    6: "instructions in documents, names and messages",
    7: "links, images and HTML that carry data out",
    8: "citations of what was never found",
    9: "mentions and commands",
    10: "the system prompt, keys, other people's data",
    11: "facts that no document has",
    20: "another language, or a refusal that was ordered",
}

NAMES = {"slack": "Slack", "mattermost": "Mattermost", "web": "Web page", "console": "Terminal"}

INTRODUCTION = """\
# Hostile text

Documents, file names, titles, display names, messages and questions are data to the assistant, never orders. A model
can be talked into anything that stands in its prompt, so nothing here rests on its refusing: what is promised holds for
a model that **obeys every instruction it finds**.

## What stands between a model and a reader

In this order, on every answer, whatever wrote it:

1. **Access.** A prompt holds only what everybody who will read the answer may read; so nothing else can be told.
2. **Enclosure.** Passages, messages, names and files stand in marked enclosures that no text within can end. Names are
   cut to 60 characters. This helps an honest model; nothing below relies on it.
3. **Inert text.** Links keep their words and lose their address, images and HTML go, an address that stands in no
   passage becomes `…`. Only numbers of passages that were found are citations, and where they lead comes from stored
   metadata.
4. **Masking.** What looks like a key, a token, a private key or a password becomes `•••`, in answers, in quotations, in
   the titles under them and in every log line, tracebacks too (`ingest/masking.py` lists the formats).
5. **Leaks.** A text that repeats eight words of the system prompt in a row (sixteen characters of Chinese) is left out:
   also backwards, in other letters, spelled, moved along the alphabet, in base64, hexadecimal and the like.
6. **Language.** A text in another language than the reader's is written anew, translated, or replaced by quotations.
7. **Grounding.** A statement that no passage supports is left out; numbers, names and dates are held against passages.
8. **Platforms.** Mentions notify nobody, titles and names show their signs and do nothing, previews are off, the page
   has a strict Content-Security-Policy, the terminal gets no control characters.

## What this cannot do

- A document that lies is quoted as it stands, with its name and date: who may write in a source is its owner's affair.
  Where a newer and an older version disagree, both are shown.
- The system prompt in translation, in a paraphrase, or fewer than eight words at a time is not recognised as such; that
  it rests on no passage is what keeps it out. There is no secret in it.
- A password that looks like a word is masked only where it is called one (`password: …`). A secret that a document
  spells out, translates or encodes is not recognised: keys do not belong into documents.
- Work without documents (a draft, a translation) is held against no passages. Links, mentions, keys and the system
  prompt stay out of it all the same, and a note says that it was written without documents.

## What is tried
"""

CLOSING = """\
The scripted model follows each instruction word for word, in every call that it sees it in; the answer is then read on
each surface by parsers of our own. *Without* is the same model with access, checks and renderers taken away: what it
writes, as it writes it.

Run it with `python -m pytest tests/redteam`; `python -m tests.redteam.table` writes this page.
"""


def shape(case: Case) -> int:
    """Which of `SHAPES` a case has."""
    if case.place == "asked in public":
        return 2
    if case.place == "thread message" and case.payload.shape == 6:
        return 3
    return case.payload.shape


def page() -> str:
    """The page as it should be."""
    without = [tried_without(case) for case in CASES]
    return "\n".join((INTRODUCTION, _counted(), _shapes(without), _places(without), CLOSING))


def _counted() -> str:
    languages = Counter(case.language for case in CASES)
    listed = ", ".join(f"{count} {language}" for language, count in languages.most_common())
    return (
        f"{len(CASES)} cases ({listed}), {len({case.payload.name for case in CASES})} kinds of attack. "
        "In each cell: how many succeed / how many do without the checks.\n"
    )


def _shapes(without: list[Tried]) -> str:
    rows = [["Attack", "Cases", *NAMES.values()], ["---", "--:", *("--:" for _ in NAMES)]]
    for number, words in SHAPES.items():
        of_shape = [one for one in without if shape(one.case) == number]
        cells = [f"0 / {sum(surface in one.leaked for one in of_shape)}" for surface in SURFACES]
        rows.append([words, str(len(of_shape)), *cells])
    everywhere = [f"0 / {sum(surface in one.leaked for one in without)}" for surface in SURFACES]
    return _table([*rows, ["**all**", str(len(without)), *everywhere]])


def _places(without: list[Tried]) -> str:
    rows = [["Where the instruction stands", "Cases", "Succeed / without"], ["---", "--:", "--:"]]
    for place in (*PAGES, *AROUND, "asked outright", "asked in public"):
        of_place = [one for one in without if one.case.place == place]
        rows.append([place, str(len(of_place)), f"0 / {sum(bool(one.leaked) for one in of_place)}"])
    return _table(rows)


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
