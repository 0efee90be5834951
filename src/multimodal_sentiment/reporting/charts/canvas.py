"""Charts as SVG within a page: geometry here, colours in the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .axes import Axis, Tick

WIDTH, HEIGHT = 400, 280  # px, before the page scales it
_TOP, _RIGHT, _BOTTOM = 12, 14, 46
_LETTER = 7.2  # px, about, of a mark's text
_LINE = 16  # px, from one line of words to the next
_DASH = 22  # px, from the left edge to the plot, for the title that stands upright
_CELL = 2.0  # px, the least side of a cell


@dataclass(frozen=True)
class Shape:
    """A path of a chart.

    Attributes:
        path: The path as SVG has it.
        style: Names of classes of the style sheet.
        hint: The hint that a pointer over it shows.
    """

    path: str
    style: str
    hint: str = ""


@dataclass(frozen=True)
class Label:
    """Words at a place of a chart: px from the left and from the top."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Chart:
    """A chart, ready to be written into a page.

    Attributes:
        title: Its heading.
        note: The sentence that says how to read it.
        alt: The description for those who do not see it.
        legend: The class and the name of each kind of mark.
        shapes: Its paths, those behind first.
        labels: Its words.
        height: The height of the drawing, px.
        titles: The titles of the two axes.
        plot: Left, top, right and bottom of the plot, px.
    """

    title: str
    note: str
    alt: str
    legend: Sequence[tuple[str, str]]
    shapes: Sequence[Shape]
    labels: Sequence[Label]
    height: float
    titles: tuple[str, str]
    plot: tuple[float, float, float, float]
    width: float = WIDTH


@dataclass
class Canvas:
    """An empty plot with two axes, to be drawn on."""

    x: Axis
    y: Axis
    height: float = HEIGHT
    shapes: list[Shape] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def __post_init__(self) -> None:
        longest = max((len(tick.text) for tick in self.y.ticks), default=0)
        self.left = _DASH + 8 + _LETTER * longest
        self.right, self.top, self.bottom = WIDTH - _RIGHT, _TOP, self.height - _BOTTOM
        for tick in self.x.ticks:
            self._mark_x(tick)
        for tick in self.y.ticks:
            self._mark_y(tick)

    def line(self, xs: Iterable[float], ys: Iterable[float], style: str, hint: str = "") -> None:
        """Join points by a line."""
        self._add(f"M{'L'.join(self._at(x, y) for x, y in zip(xs, ys, strict=True))}", style, hint)

    def steps(self, edges: Sequence[float], ys: Sequence[float], style: str, hint: str) -> None:
        """Draw heights over the steps between edges, of which there is one more."""
        corners = [
            (x, y) for low, high, y in zip(edges, edges[1:], ys, strict=False) for x in (low, high)
        ]
        xs, heights = zip(*corners, strict=True)
        self.line(xs, heights, f"line {style}", hint)

    def band(
        self, xs: Sequence[float], lows: Sequence[float], highs: Sequence[float], style: str
    ) -> None:
        """Fill the space between two lines."""
        there = [self._at(x, y) for x, y in zip(xs, highs, strict=True)]
        back = [self._at(x, y) for x, y in zip(xs, lows, strict=True)][::-1]
        self._add(f"M{'L'.join(there + back)}Z", f"band {style}")

    def points(self, xs: Iterable[float], ys: Iterable[float], style: str, hint: str = "") -> None:
        """Draw a dot at each place: a stroke of no length with round ends."""
        places = [f"M{self._at(x, y)}h0" for x, y in zip(xs, ys, strict=True)]
        self._add("".join(places), f"points {style}", hint)

    def bar(
        self, left: float, right: float, low: float, high: float, style: str, hint: str
    ) -> None:
        """Fill a box, a little narrower than its place."""
        x, y = self._px(left) + 0.5, self._py(high)
        width, height = self._px(right) - self._px(left) - 1, self._py(low) - self._py(high)
        if height > 0:
            self._add(
                f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z", f"bar {style}", hint
            )

    def cells(self, boxes: Iterable[tuple[float, float, float, float]], style: str) -> None:
        """Fill boxes (left, right, low, high) in one colour."""
        parts = []
        for left, right, low, high in boxes:
            x, y = self._px(left), self._py(high)
            width = max(_CELL, self._px(right) - x)
            height = max(_CELL, self._py(low) - y)
            parts.append(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z")
        self._add("".join(parts), f"bar {style}")

    def rule(self, value: float, style: str = "rule", lines: Sequence[str] = ()) -> None:
        """Draw an upright line at a value, with lines of words at its foot.

        Half the plot must hold each of them: that is twenty letters.
        """
        x = self._px(value)
        self._add(f"M{x:.1f} {self.top:.1f}V{self.bottom:.1f}", style)
        is_left = self.x.share(value) > 0.5  # noqa: PLR2004 - the side with more room
        anchor, shift = ("end", -5) if is_left else ("start", 5)
        first = self.bottom - 8 - _LINE * (len(lines) - 1)
        for place, text in enumerate(lines):
            self.labels.append(Label(x + shift, first + place * _LINE, text, anchor))

    def chart(
        self, title: str, note: str, alt: str, legend: Sequence[tuple[str, str]] = ()
    ) -> Chart:
        """Return what was drawn, with its words."""
        return Chart(
            title,
            note,
            alt,
            legend,
            self.shapes,
            self.labels,
            self.height,
            (self.x.title, self.y.title),
            (self.left, self.top, self.right, self.bottom),
        )

    def _mark_x(self, tick: Tick) -> None:
        x = self.left + tick.share * (self.right - self.left)
        self._add(f"M{x:.1f} {self.top:.1f}V{self.bottom:.1f}", "grid")
        self.labels.append(Label(x, self.bottom + 17, tick.text))

    def _mark_y(self, tick: Tick) -> None:
        y = self.bottom - tick.share * (self.bottom - self.top)
        self._add(f"M{self.left:.1f} {y:.1f}H{self.right:.1f}", "grid")
        self.labels.append(Label(self.left - 7, y + 4.5, tick.text, "end"))

    def _at(self, x: float, y: float) -> str:
        return f"{self._px(x):.1f} {self._py(y):.1f}"

    def _px(self, x: float) -> float:
        return self.left + self.x.share(x) * (self.right - self.left)

    def _py(self, y: float) -> float:
        return self.bottom - self.y.share(y) * (self.bottom - self.top)

    def _add(self, path: str, style: str, hint: str = "") -> None:
        self.shapes.append(Shape(path, style, hint))
