"""What readers should know of an answer's sources: that they are old, or that an older version says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from bot.model import Passage
from bot.phrases import Say


def dated_notes(
    cited: Sequence[Passage],
    passages: Sequence[Passage],
    *,
    language: str,
    say: Say,
    today: date,
    stale_days: int | None,
) -> tuple[str, ...]:
    """Notes on the dates of what is cited, in `language`.

    Args:
        cited: the passages that the answer cites.
        passages: all that its writer was given.
        language: of the answer.
        say: the phrases.
        today: where the answer is given.
        stale_days: age from which the newest of what is cited is said to be old; None: never for its age. What is
            cited is old at any age where all of it was replaced by newer versions.
    """
    notes = [say(language, "note-older", date=older) for older in _older(cited, passages)]
    changed = [_day(updated) for passage in cited if (updated := passage.chunk.updated_at)]
    if changed and len(changed) == len(cited):
        stale = stale_days is not None and (today - max(changed)).days > stale_days
        if stale or all(passage.newer is not None for passage in cited):
            notes.append(say(language, "note-stale", date=max(changed)))
    return tuple(notes)


def _older(cited: Sequence[Passage], passages: Sequence[Passage]) -> list[date]:
    """Dates of the versions, newest first, that are among the passages and that what is cited replaces."""
    ids = {passage.chunk.id for passage in cited}
    dates = {_day(updated) for passage in passages if passage.newer in ids and (updated := passage.chunk.updated_at)}
    return sorted(dates, reverse=True)


def _day(moment: datetime) -> date:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()
