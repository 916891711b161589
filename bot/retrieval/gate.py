"""Calibrated: is the evidence of a search enough to answer from?

A calibration is a logistic regression over the features of `bot.retrieval.evidence`, and a threshold on its
probability. It belongs to one configuration of the retrieval and to the legs that took part in a search: a question in
a language that the embedding model does not cover is judged by words, like every question of a lexical index.
`calibrations.json` beside this module holds what the lexical index is judged by out of the box;
`bot.retrieval.calibrate` learns others, which go before it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.retrieval.evidence import FEATURES
from bot.retrieval.interface import Evidence, Gate, Judgement
from ingest.errors import ConfigurationError
from ingest.index.interface import EmbeddingSettings, RerankerSettings
from ingest.index.schema import PIPELINE

FILE_NAME = "calibration.json"
"""In the folder `home`."""

PACKAGED = Path(__file__).with_name("calibrations.json")

_log = logging.getLogger(__name__)


class Calibration(BaseModel):
    """What was learned for one configuration and one set of legs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    configuration: str
    """As `configuration_of` has it."""
    features: tuple[str, ...] = Field(min_length=1)
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    """Of the features in the questions learned from; with `means`, they bring all features to one scale."""
    weights: tuple[float, ...]
    bias: float
    threshold: float = Field(ge=0, le=1)
    over_refusal: float = Field(ge=0, le=1)
    """Share of answerable questions that the threshold was to refuse."""
    learned_from: tuple[str, ...] = ()
    """Names of the question sets."""
    questions: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def of_one_length(self) -> Self:
        if {len(self.means), len(self.deviations), len(self.weights)} != {len(self.features)}:
            raise ValueError("`means`, `deviations` and `weights` need one number for each of `features`")
        if not set(self.features) <= set(FEATURES):
            raise ValueError(f"`features` knows only: {', '.join(FEATURES)}")
        if not all(map(math.isfinite, (*self.means, *self.deviations, *self.weights, self.bias))):
            raise ValueError("every number must be finite")
        return self

    def probability(self, evidence: Evidence) -> float:
        """That the evidence is that of an answer. Raises `KeyError` for evidence without one of the features."""
        logit = self.bias + sum(
            weight * (evidence.features[name] - mean) / (deviation or 1.0)
            for name, mean, deviation, weight in zip(
                self.features, self.means, self.deviations, self.weights, strict=True
            )
        )
        return 1 / (1 + math.exp(-max(-500.0, min(500.0, logit))))

    def covers(self, evidence: Evidence) -> bool:
        """Whether something like this evidence was among what was learned: no feature that was constant there differs.

        So a calibration from questions in the documents' own language says nothing of those in another one.
        """
        return all(
            deviation > 0 or math.isclose(evidence.features[name], mean, abs_tol=1e-6)
            for name, mean, deviation in zip(self.features, self.means, self.deviations, strict=True)
        )


class Calibrations(BaseModel):
    """A file of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calibrations: tuple[Calibration, ...]


class CalibratedGate:
    """Judges evidence by the first calibration for the same legs that covers it.

    Without one, whatever was found is enough: nothing is refused on no grounds.
    """

    def __init__(self, calibrations: Sequence[Calibration]) -> None:
        self._calibrations = tuple(calibrations)

    def judge(self, evidence: Evidence) -> Judgement:
        for calibration in self._calibrations:
            if set(calibration.features) == set(evidence.features) and calibration.covers(evidence):
                return Judgement(probability=calibration.probability(evidence), threshold=calibration.threshold)
        return Judgement(probability=1.0, threshold=0.0)


def configuration_of(embedding: EmbeddingSettings | None, reranker: RerankerSettings | None) -> str:
    """What makes scores comparable: one line that names the models, their weight, and the version of the index."""
    parts = [f"pipeline {PIPELINE}"]
    if embedding is not None:
        languages = f" for {','.join(sorted(embedding.languages))}" if embedding.languages else ""
        parts.append(f"embedding {embedding.model or embedding.local}{languages}, share {embedding.weight:g}")
    if reranker is not None:
        parts.append(f"reranker {reranker.model or reranker.local} of {reranker.candidates}")
    return "; ".join(parts)


def load_gate(home: Path, configuration: str) -> Gate | None:
    """The gate for a configuration: what `calibration.json` in `home` holds for it, then what comes with the program.

    None where there is neither. A file that was learned for another configuration is left out, with a warning in the
    log. Raises `ConfigurationError` for a file that is no calibration.
    """
    path = home / FILE_NAME
    own = read_calibrations(path) if path.is_file() else ()
    fitting = [calibration for calibration in own if calibration.configuration == configuration]
    if own and not fitting:
        _log.warning(
            "%s was learned for %r, the configuration now is %r: it is left out; run `bot calibrate`",
            path, own[0].configuration, configuration,
        )  # fmt: skip
    # Without models, every configuration is judged alike.
    words_alone = configuration_of(None, None)
    fitting += [calibration for calibration in read_calibrations(PACKAGED) if calibration.configuration == words_alone]
    return CalibratedGate(fitting) if fitting else None


def read_calibrations(path: Path) -> tuple[Calibration, ...]:
    """Raises `ConfigurationError`."""
    try:
        return Calibrations.model_validate_json(path.read_bytes()).calibrations
    except OSError as error:
        reason: Exception = error
        said = error.strerror or str(error)
    except ValidationError as error:
        reason, said = error, error.errors()[0]["msg"]
    raise ConfigurationError(f"{path} is no calibration ({said}): run `bot calibrate` again, or remove it") from reason


def write_calibrations(path: Path, calibrations: Sequence[Calibration]) -> None:
    """Put `calibrations` in place of those for the same configuration and legs; the others stay."""
    taken = {(calibration.configuration, calibration.features) for calibration in calibrations}
    before = read_calibrations(path) if path.is_file() else ()
    kept = [known for known in before if (known.configuration, known.features) not in taken]
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".part")
    text = Calibrations(calibrations=(*kept, *calibrations)).model_dump_json(indent=2)
    written.write_text(text + "\n", encoding="utf-8")
    written.replace(path)
