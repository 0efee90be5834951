"""Charts: what is drawn, in the values of two axes, and how SVG within a page has it.

Colours are in the page's style sheet. Kedro-Viz has the same charts as figures of Plotly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from .axes import Axis

_WIDTH, _HEIGHT = 400, 280  # px, before the page scales it
_TOP, _RIGHT, _BOTTOM = 12, 14, 46
_LETTER = 7.2  # px, about, of a mark's text
_LINE = 16  # px, from one line of words to the next
_DASH = 22  # px, from the left edge to the plot, for the title that stands upright
_ENDS = {"line": "", "area": "Z", "points": "h0"}  # a dot is a stroke of no length with round ends

Place = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """Lines, areas or points in one style.

    Attributes:
        kind: Which of these.
        parts: The corners of each line or area, or the place of each point, by the axes' values.
        style: Names of classes of the style sheet.
        hint: The hint that a pointer over it shows.
    """

    kind: Literal["line", "area", "points"]
    parts: Sequence[Sequence[Place]]
    style: str
    hint: str = ""


class Words(NamedTuple):
    """Lines of words at the foot of an upright line."""

    value: float
    lines: Sequence[str]
    is_left: bool  # of the line, where that is the side with more room


class Shape(NamedTuple):
    """A path as SVG has it."""

    path: str
    style: str
    hint: str = ""


class Label(NamedTuple):
    """Words at a place of the drawing: px from the left and from the top."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass
class Chart:
    """A plot with two axes, to be drawn on.

    Attributes:
        x: The axis from left to right.
        y: The upright one.
        height: The height of the drawing, px.
        marks: What is drawn, those behind first.
        words: The words at the feet of upright lines.
        title: Its heading.
        note: The sentence that says how to read it.
        alt: The description for those who do not see it.
        legend: The class and the name of each kind of mark.
    """

    x: Axis
    y: Axis
    height: float = _HEIGHT
    marks: list[Mark] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    title: str = ""
    note: str = ""
    alt: str = ""
    legend: Sequence[tuple[str, str]] = ()
    width: float = _WIDTH

    def line(self, xs: Iterable[float], ys: Iterable[float], style: str, hint: str = "") -> None:
        """Join points by a line."""
        self._add("line", [zip(xs, ys, strict=True)], style, hint)

    def steps(self, edges: Sequence[float], ys: Sequence[float], style: str, hint: str) -> None:
        """Draw heights over the steps between edges, of which there is one more."""
        sides = zip(edges, edges[1:], ys, strict=False)
        corners = [(x, y) for low, high, y in sides for x in (low, high)]
        self._add("line", [corners], f"line {style}", hint)

    def band(
        self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], style: str
    ) -> None:
        """Fill the space between two lines."""
        there, back = zip(xs, highs, strict=True), reversed(list(zip(xs, lows, strict=True)))
        self._add("area", [[*there, *back]], f"band {style}")

    def points(self, xs: Iterable[float], ys: Iterable[float], style: str, hint: str = "") -> None:
        """Draw a dot at each place."""
        places = [[place] for place in zip(xs, ys, strict=True)]
        self._add("points", places, f"points {style}", hint)

    def boxes(
        self, boxes: Iterable[tuple[float, float, float, float]], style: str, hint: str = ""
    ) -> None:
        """Fill boxes (left, right, low, high); those without height are left out."""
        corners = [
            [(left, low), (right, low), (right, high), (left, high)]
            for left, right, low, high in boxes
            if high > low
        ]
        if corners:
            self._add("area", corners, style, hint)

    def rule(self, value: float, style: str, lines: Sequence[str]) -> None:
        """Draw an upright line at a value, with lines of words at its foot.

        Half the plot must hold each of them: that is twenty letters.
        """
        self.line([value, value], [self.y.low, self.y.high], style)
        is_left = self.x.share(value) > 0.5  # noqa: PLR2004 - the side with more room
        self.words.append(Words(value, lines, is_left))

    def described(
        self, title: str, note: str, alt: str, legend: Sequence[tuple[str, str]] = ()
    ) -> Chart:
        """Return the chart, with its words."""
        self.title, self.note, self.alt, self.legend = title, note, alt, legend
        return self

    @property
    def plot(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the plot, px."""
        longest = max((len(tick.text) for tick in self.y.ticks), default=0)
        left = _DASH + 8 + _LETTER * longest
        return left, _TOP, self.width - _RIGHT, self.height - _BOTTOM

    @property
    def shapes(self) -> list[Shape]:
        """Its paths, those behind first."""
        left, top, right, bottom = self.plot
        upright = [f"M{self._px(tick.value):.1f} {top:.1f}V{bottom:.1f}" for tick in self.x.ticks]
        across = [f"M{left:.1f} {self._py(tick.value):.1f}H{right:.1f}" for tick in self.y.ticks]
        return [
            *(Shape(path, "grid") for path in (*upright, *across)),
            *(Shape(self._path(mark), mark.style, mark.hint) for mark in self.marks),
        ]

    @property
    def labels(self) -> list[Label]:
        """Its words."""
        left, _, _, bottom = self.plot
        labels = [Label(self._px(tick.value), bottom + 17, tick.text) for tick in self.x.ticks]
        labels += [
            Label(left - 7, self._py(tick.value) + 4.5, tick.text, "end") for tick in self.y.ticks
        ]
        for value, lines, is_left in self.words:
            anchor, shift = ("end", -5) if is_left else ("start", 5)
            first = bottom - 8 - _LINE * (len(lines) - 1)
            labels += [
                Label(self._px(value) + shift, first + place * _LINE, text, anchor)
                for place, text in enumerate(lines)
            ]
        return labels

    def _add(
        self,
        kind: Literal["line", "area", "points"],
        parts: Iterable[Iterable[Place]],
        style: str,
        hint: str = "",
    ) -> None:
        plain = [[(float(x), float(y)) for x, y in part] for part in parts]
        self.marks.append(Mark(kind, plain, style, hint))

    def _path(self, mark: Mark) -> str:
        parts = (
            "L".join(f"{self._px(x):.1f} {self._py(y):.1f}" for x, y in it) for it in mark.parts
        )
        return "".join(f"M{part}{_ENDS[mark.kind]}" for part in parts)

    def _px(self, x: float) -> float:
        left, _, right, _ = self.plot
        return left + self.x.share(x) * (right - left)

    def _py(self, y: float) -> float:
        _, top, _, bottom = self.plot
        return bottom - self.y.share(y) * (bottom - top)
