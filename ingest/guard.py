"""What a listing is not believed without being told so."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GuardSettings(BaseModel):
    """The `guard` section. More than this share of a source's documents, and at least this many, gone at once looks
    like a disk that is not mounted, or a permission that was taken away; so does all of it, however little.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = Field(default=0.2, ge=0, le=1)
    documents: int = Field(default=20, ge=1)

    def holds(self, removed: int, *, known: int) -> bool:
        """Whether `removed` of `known` documents are more than is believed."""
        return removed > known * self.share and removed >= self.documents
