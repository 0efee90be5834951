"""Where the templates are, and how they are filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from multimodal_sentiment.commands import run_command
from multimodal_sentiment.wording import (
    exact_percent,
    floored_percent,
    rounded_percent,
)


def render(template: str, **values: Any) -> str:
    """Fill a template; what goes into HTML is escaped: texts of posts are anybody's."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "percent": percent,
        "whole_percent": exact_percent,
        "whole": rounded_percent,
        "floored": floored_percent,
        "date": date,
        "count": "{:,}".format,
        "listed": listed,
    }
    environment.filters |= filters
    environment.globals["run_command"] = run_command()
    return environment.get_template(template).render(values)


def date(version: str | None) -> str:
    """Write the time of a version as people read it; what is no time stays as it is."""
    try:
        time = datetime.strptime(version or "", "%Y-%m-%dT%H.%M.%S.%fZ")
    except ValueError:
        return version or "without a version"
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def listed(names: Iterable[str], word: str = "and") -> str:
    """Join names as one would say them: a, b and c."""
    *others, last = names
    return f"{', '.join(others)} {word} {last}" if others else last


def percent(share: float) -> str:
    """Write a share as one would say it: 0.8125 is 81.2%, and only 1 is 100.0%."""
    return rounded_percent(share, 1)


def signed_points(share: float) -> str:
    """Write a difference of shares in points of a hundred, as in +12.3."""
    said = f"{100 * share:+.1f}"
    return "0.0" if said in ("+0.0", "-0.0") else said.replace("-", "\N{MINUS SIGN}")
