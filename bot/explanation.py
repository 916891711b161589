"""What `bot explain` prints: from top to bottom as the answer came about, and what became of it last.

Lines are not wrapped where the output is no terminal, and nothing in them is a terminal's command.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console as Terminal
from rich.text import Text

from bot.model import Outcome
from bot.platforms.console import printable

Data = Mapping[str, Any]

VERDICTS = {
    "changed": "changed",
    "removed": "removed",
    "marked": "marked as not confirmed",
    "retried": "written again",
    "translated": "translated",
}

WITHHELD = (
    "This answer rests on documents that you may not read as you look at it here or that are not there any more, or on"
    " files of the conversation; what may tell of them is left out. `--as TOKEN` looks at it as a holder of that token;"
    " the files are for who asked."
)

SOME_WITHHELD = "(some are withheld: not there any more, or not to be read as you look at it here)"

EXCERPT = 200
"""Characters of a passage that are shown; the whole of it stands in the prompt, and in the JSON."""


def show(data: Data, terminal: Terminal, *, keep_days: int) -> None:
    """Print what `bot.explain.explained` has found; `keep_days` is how long traces are kept."""
    page = _Page(terminal)
    _question(page, data)
    walk = data["walk"]
    if walk is None:
        page.heading("How it came about")
        withdrawn = data["outcome"] == Outcome.WITHDRAWN.value
        why = "the answer was withdrawn" if withdrawn else f"`answer.explain_days` is {keep_days}"
        page.line(f"not kept (any more): {why}", style="yellow")
    else:
        _language(page, data, walk)
        _queries(page, data, walk)
        _rankings(page, walk)
        _evidence(page, walk)
    _passages(page, "Passages given to the writer", data["passages"])
    _passages(page, "Nearest documents, offered instead of an answer", data["nearest"])
    if walk is not None:
        _calls(page, walk["calls"])
        _checks(page, walk["checks"])
    _cost(page, data)
    _answer(page, data)
    if data["withheld"]:
        page.heading("Withheld")
        page.line(WITHHELD, style="yellow")


class _Page:
    """Lines for people, in a terminal or out of one."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def heading(self, text: str) -> None:
        self._terminal.print()
        self.line(text, style="bold", indent=0)

    def line(self, text: str, *, style: str = "", indent: int = 2) -> None:
        """`text`, which may have line ends, each line indented."""
        for line in printable(text).split("\n"):
            shown = Text(" " * indent + line if line else "", style=style)
            self._terminal.print(shown, soft_wrap=True, highlight=False, markup=False)

    def field(self, name: str, value: object, *, indent: int = 2) -> None:
        if value not in (None, "", [], {}):
            self.line(f"{name}: {value}", indent=indent)


def _question(page: _Page, data: Data) -> None:
    page.line(f"Answer {data['trace_id']}", style="bold", indent=0)
    page.field("question", data["question"])
    page.field("asked by", data["asked_by"])
    page.field("where", " ".join(part for part in (data["platform"], data["thread"]) if part))
    page.field("when", data["answered_at"])
    if data["other_answers"]:
        page.field("other answers of the thread", ", ".join(data["other_answers"]))


def _language(page: _Page, data: Data, walk: Data) -> None:
    page.heading("Language")
    if decided := walk["decided"]:
        page.line(f"{decided['language']}, with a confidence of {decided['confidence']:.2f}: {decided['how']}")
    page.field("answered in", data["language"])


def _queries(page: _Page, data: Data, walk: Data) -> None:
    page.heading("What was asked for")
    page.field("route", walk["route"] or data["route"])
    page.field("query", walk["query"])
    for language, query in walk["translations"].items():
        page.field(f"in {language}", query)
    for variant in walk["variants"]:
        page.field("variant", variant)
    page.field("searched a second time", walk["widened"])


def _rankings(page: _Page, walk: Data) -> None:
    for ranking in walk["rankings"]:
        hits, found = ranking["hits"], ranking["found"]
        more = f" (the first {len(hits)} of {found})" if found is not None and found > len(hits) else ""
        page.heading(f"Ranking {ranking['stage']}" + ("" if found is None else f": {found} found{more}"))
        page.field("query", ranking["query"])
        for place, hit in enumerate(hits, start=1):
            gone = f" [{hit['gone']}]" if hit["gone"] else ""
            title, name = hit["title"] or "(no title)", f"{hit['source']}/{hit['document']}"
            page.line(f"{place:>3}. {hit['score']:>9.4f}  {title} — {name}  {hit['chunk']}{gone}")
        if ranking["withheld"]:
            page.line(SOME_WITHHELD, style="yellow")
    if walk["withheld"]:
        page.line("the check of access after the search withheld some")


def _evidence(page: _Page, walk: Data) -> None:
    if not walk["evidence"] and walk["probability"] is None:
        return
    page.heading("Evidence")
    for name, value in walk["evidence"].items():
        page.field(name, f"{value:.4g}")
    if walk["probability"] is None:
        page.line("no gate is calibrated for this configuration")
        return
    enough = "enough" if walk["probability"] >= walk["threshold"] else "too little"
    page.line(
        f"the passages answer the question with a probability of {walk['probability']:.3f};"
        f" the threshold is {walk['threshold']:.3f}: {enough}"
    )


def _passages(page: _Page, heading: str, passages: Sequence[Data]) -> None:
    if not passages:
        return
    page.heading(heading)
    for passage in passages:
        place = [*passage["headings"], *([f"page {passage['page']}"] if passage["page"] else [])]
        cited = "cited" if passage["cited"] else ""
        about = ", ".join(part for part in (" › ".join(place), passage["gone"], cited) if part)
        page.line(f"[{passage['number']}] {passage['source']}/{passage['document']}" + (f" ({about})" if about else ""))
        if text := passage["text"]:
            words = " ".join(text.split())
            page.line(words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""), style="dim", indent=6)


def _calls(page: _Page, calls: Iterable[Data]) -> None:
    for number, call in enumerate(calls, start=1):
        about = "about " if call["estimated"] else ""
        page.heading(
            f"Model call {number}: {call['task']} by {call['model']}, {call['seconds']:.2f} s,"
            f" {about}{call['prompt_tokens']} + {call['reply_tokens']} tokens"
        )
        if call["error"]:
            page.line(f"failed: {call['error']}", style="red")
        for role, content in call["messages"]:
            page.line(f"── {role}", style="dim")
            page.line(content, indent=4)
        page.line("── reply, as it came", style="dim")
        page.line(call["reply"] or "(nothing)", indent=4)


def _checks(page: _Page, checks: Sequence[Data]) -> None:
    if not checks:
        return
    page.heading("Checks")
    for check in checks:
        page.line(f"{check['check']}: {VERDICTS.get(check['verdict'], check['verdict'])}: {check['why']}")
        page.line(check["text"], style="dim", indent=6)


def _cost(page: _Page, data: Data) -> None:
    if not data["timings"] and not data["spent"]:
        return
    page.heading("Time and tokens")
    for stage, seconds in data["timings"].items():
        page.field(stage, f"{seconds * 1000:,.1f} ms")
    if spent := data["spent"]:
        about = " (partly estimated)" if spent["estimated"] else ""
        page.field("model calls", spent["calls"])
        page.line(f"tokens: {spent['prompt_tokens']} of prompts, {spent['reply_tokens']} of replies{about}")


def _answer(page: _Page, data: Data) -> None:
    refusal = f" ({data['refusal']})" if data["refusal"] else ""
    page.heading(f"Answer: {data['outcome']}{refusal}, by {data['written_by']}")
    page.line("(withheld)" if data["text"] is None else data["text"])
    for passage in data["passages"]:
        if passage["cited"]:
            page.line(f"[{passage['number']}] {passage['source']}/{passage['document']}")
    for notice in data["notices"]:
        page.line(f"notice: {notice}", style="yellow")
