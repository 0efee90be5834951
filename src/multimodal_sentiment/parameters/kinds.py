"""The kinds of values that parameters have, and what a group of them is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Tokens = Annotated[int, Field(ge=8, le=512)]
Side = Annotated[int, Field(ge=64, le=1024)]  # px
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Group(BaseModel):
    """A group of parameters: unchangeable, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
