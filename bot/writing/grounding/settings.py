"""The `models.grounding` section."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GroundingSettings(BaseModel):
    """A token-classification model that finds what passages do not support, such as LettuceDetect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    local: str
    """A folder, or a hub name that `hf download` has fetched; needs the extra `models`."""
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """Probability from which a token counts as unsupported; higher removes less."""
    max_tokens: int = Field(default=4096, ge=64)
    """Passages and statement together; what is longer is cut at the end of the passages."""
    timeout_seconds: float = Field(default=10, gt=0)
    """For all the statements of one call."""
