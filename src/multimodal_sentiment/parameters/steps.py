"""The parameters of the steps before and after fitting."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .kinds import Fraction, Group, Seed

Label = str | bool | int | float  # as YAML reads it


class IngestionParameters(Group):
    """How listings and texts are read."""

    layout: str | None
    labels: Annotated[list[Label], Field(min_length=2)] | None
    encodings: Annotated[list[str], Field(min_length=1)] | None
    links: Literal["inside", "anywhere"]
    allow_missing: bool

    @model_validator(mode="after")
    def _labels_differ(self) -> IngestionParameters:
        labels = self.labels or []
        if len({(type(label), label) for label in labels}) < len(labels) or any(
            isinstance(label, str) and (not label or label != label.strip()) for label in labels
        ):
            raise ValueError(f"labels {self.labels} must differ, and not begin or end with spaces")
        return self


class ColumnsParameters(Group):
    """The names of a table's columns, by what they hold."""

    guid: str | None
    text: str | None
    image: str | None
    tag: str | None
    split: str | None
    text_file: str | None
    image_folder: str | None


class PreparationParameters(Group):
    """What is kept of an image."""

    short_side: Annotated[int, Field(ge=16, le=2048)]
    max_aspect_ratio: Annotated[float, Field(ge=1)]
    max_megapixels: Annotated[float, Field(gt=0, le=178)]  # Pillow's own limit
    storage: Literal["pixels", "jpeg"]


class TwinsParameters(Group):
    """Which posts count as near duplicates, beside those of equal text or image."""

    image_bits: Annotated[int, Field(ge=0, le=4)]
    text_similarity: Annotated[float, Field(ge=0.5, lt=1)] | None


class SplittingParameters(Group):
    """How labelled posts are divided."""

    validation_fraction: Fraction
    seed: Seed


class EncodersParameters(Group):
    """Where pretrained encoders are fetched from."""

    endpoint: Annotated[str, Field(pattern=r"^https?://")] | None


class EvaluationParameters(Group):
    """How the validation predictions are judged."""

    bootstrap_samples: Annotated[int, Field(ge=100)]
    confidence_level: Fraction
    calibration_bins: Annotated[int, Field(ge=2)]
    target_accuracy: Fraction
    seed: Seed

    @property
    def drawing(self) -> dict[str, Any]:
        """The keywords of what draws a bootstrap: how often, how wide intervals are, the seed."""
        return {
            "samples": self.bootstrap_samples,
            "level": self.confidence_level,
            "seed": self.seed,
        }


class ReportingParameters(Group):
    """What the pages that people read are named by, and how many posts they show."""

    data_name: Annotated[str, Field(min_length=1, max_length=80)] | None
    shown_posts: Annotated[int, Field(ge=0)]


class ExplainingParameters(Group):
    """How many answers the report explains."""

    posts: Annotated[int, Field(ge=0)]


class MonitoringParameters(Group):
    """How new posts are compared with the validation posts."""

    significance_level: Fraction
    shown_posts: Annotated[int, Field(ge=0)]
