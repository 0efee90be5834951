"""Every parameter, typed.

The values stand in `conf/`, and only there: no model here has a default. `Parameters` is the whole
tree; like each of its branches it refuses a key that it does not know. The architecture's branch
stands in `model_parameters.py`, what work runs on in `compute_parameters.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from multimodal_sentiment.compute_parameters import (
    ClusterParameters,
    ComputeParameters,
)
from multimodal_sentiment.model_parameters import (
    Count,
    Fraction,
    Group,
    ModelParameters,
    NotNegative,
    Positive,
    Probability,
    Seed,
)

Label = str | bool | int | float  # as YAML reads it
Changes = dict[Literal["model", "training"], dict[str, Any]]

BASELINES = ("majority", "tfidf")  # what every comparison judges beside its variants


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


class LearningRates(Group):
    """One peak learning rate for each part of the model."""

    text: NotNegative
    image: NotNegative
    heads: Positive


class TrainingParameters(Group):
    """How the model is fitted."""

    seed: Seed
    epochs: Count
    batch_size: Count
    learning_rate: LearningRates
    weight_decay: NotNegative
    warmup_fraction: Annotated[float, Field(ge=0, le=1)]
    max_gradient_norm: Positive
    label_smoothing: Probability
    class_weights: Literal["none", "sqrt", "balanced"]
    min_crop_scale: Annotated[float, Field(gt=0, le=1)]
    word_dropout: Probability
    tuning_fraction: Fraction
    patience: Count
    refit: bool
    resume: bool


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


class ReportingParameters(Group):
    """What the pages that people read are named by."""

    data_name: Annotated[str, Field(min_length=1, max_length=80)] | None


class ExplainingParameters(Group):
    """How many answers the report explains."""

    posts: Annotated[int, Field(ge=0)]


class MonitoringParameters(Group):
    """How new posts are compared with the validation posts."""

    significance_level: Fraction
    shown_posts: Annotated[int, Field(ge=0)]


class ComparisonParameters(Group):
    """Which variants of the model are compared, and on what."""

    variants: dict[str, Changes | None]
    pairs: list[tuple[str, str]]
    seeds: Count
    folds: Annotated[int, Field(ge=2)] | None
    margin: Fraction
    second_look: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_known(self) -> ComparisonParameters:
        taken = self.variants.keys() & set(BASELINES)
        if taken:
            raise ValueError(f"variants may not be named {min(taken)!r}: a baseline is")
        if not self.compared:
            raise ValueError("variants are all left out: keep one at least")
        for pair in self.pairs:
            unknown = [name for name in pair if name not in self.variants]
            if unknown:
                choice = ", ".join(self.variants)
                raise ValueError(f"pairs name {unknown[0]!r}: choose of {choice}")
            if pair[0] == pair[1]:
                raise ValueError(f"pairs compare {pair[0]!r} with itself: name two variants")
        return self

    @property
    def compared(self) -> dict[str, Changes]:
        """The variants that are not left out."""
        return {name: changes for name, changes in self.variants.items() if changes is not None}

    @property
    def compared_pairs(self) -> list[tuple[str, str]]:
        """The pairs of which neither is left out."""
        return [pair for pair in self.pairs if set(pair) <= self.compared.keys()]


class SearchParameters(Group):
    """Which settings of the model are tried, and how they are judged.

    `space` is checked before a search begins: see `multimodal_sentiment.searching.space`.
    """

    space: dict[str, Any]
    objective: Literal["accuracy", "macro_f1", "log_loss"]
    trials: Count | None
    minutes: Positive | None
    folds: Annotated[int, Field(ge=2)]
    startup_trials: Count
    pruning: bool
    seed: Seed

    @model_validator(mode="after")
    def _ends(self) -> SearchParameters:
        if self.trials is None and self.minutes is None:
            raise ValueError("it would never end: set trials, minutes or both")
        return self


class Parameters(Group):
    """All parameters of a run."""

    raw: str
    data: str
    model_folder: str | None
    columns: ColumnsParameters
    corrections: str | None
    ingestion: IngestionParameters
    preparation: PreparationParameters
    twins: TwinsParameters
    splitting: SplittingParameters
    model: ModelParameters
    training: TrainingParameters
    compute: ComputeParameters
    cluster: ClusterParameters
    encoders: EncodersParameters
    evaluation: EvaluationParameters
    reporting: ReportingParameters
    explaining: ExplainingParameters
    comparison: ComparisonParameters
    monitoring: MonitoringParameters
    search: SearchParameters

    @model_validator(mode="after")
    def _parts_fit(self) -> Parameters:
        _check_parts(self.model, self.training)
        return self

    @model_validator(mode="after")
    def _variants_are_whole(self) -> Parameters:
        faults: list[Any] = []
        for name, changes in self.comparison.compared.items():
            try:
                vary(self.model, self.training, changes)
            except ValidationError as error:
                place = ("comparison", "variants", name)
                faults += [{**fault, "loc": place + fault["loc"]} for fault in error.errors()]
        if faults:
            raise ValidationError.from_exception_data("Parameters", faults)
        return self


class Variant(Group):
    """What one variant of a comparison is made from."""

    model: ModelParameters
    training: TrainingParameters

    @model_validator(mode="after")
    def _parts_fit(self) -> Variant:
        _check_parts(self.model, self.training)
        return self


def vary(model: ModelParameters, training: TrainingParameters, changes: Changes) -> Variant:
    """The parameters with some changed.

    Raises:
        ValidationError: If a change names what there is not, or gives it a wrong value.
    """
    base = {"model": model.model_dump(), "training": training.model_dump()}
    return Variant.model_validate(_overlaid(base, changes))


def _check_parts(model: ModelParameters, training: TrainingParameters) -> None:
    """Refuse a model and a way to fit it that do not go together."""
    pooled = model.fusion.kind == "pool"
    for name in model.modalities:
        rate = getattr(training.learning_rate, name)
        if not rate and name not in model.encoders:
            raise ValueError(
                f"training.learning_rate.{name} is 0, which freezes the encoder, but it is trained "
                f"from scratch: name a pretrained one in model.{name}.encoder, or set a rate"
            )
        if pooled and rate:
            raise ValueError(
                f"model.fusion.kind 'pool' needs frozen encoders, but training.learning_rate."
                f"{name} is {rate}: set it to 0, or choose concat, gated or late"
            )
    if model.text.count_words is True and "text" in model.modalities and not pooled:
        raise ValueError(
            f"model.text.count_words needs model.fusion.kind 'pool', not {model.fusion.kind!r}: "
            "set it to false, or choose pool"
        )


def _overlaid(base: Mapping[str, Any], changes: Mapping[Any, Any]) -> dict[str, Any]:
    both = {
        key: _overlaid(base[key], changes[key])
        for key in base.keys() & changes.keys()
        if isinstance(base[key], Mapping) and isinstance(changes[key], Mapping)
    }
    return {**base, **changes, **both}
