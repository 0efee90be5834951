"""Pages of HTML and of Markdown as datasets."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from kedro.io import DatasetError

from multimodal_sentiment.wording import reason

from .bases import LocalVersionedDataset
from .previews import HTMLPreview

_NOT_SHOWN = re.compile(r"<(title|script|style|figure)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_GAPS = re.compile(r">\s*\n\s*<")


class HtmlPageDataset(LocalVersionedDataset[str, str]):
    """``HtmlPageDataset`` keeps a page of HTML.

    Its preview in Kedro-Viz is the page without its scripts, styles and figures.

    Example usage for the YAML API:

    ```yaml
    report:
      type: multimodal_sentiment.datasets.HtmlPageDataset
      filepath: data/08_reporting/report.html
      versioned: true
    ```

    Example usage for the Python API:

    >>> dataset = HtmlPageDataset(filepath="report.html")
    >>> dataset.save("<!doctype html><title>Report</title><h1>Report</h1>")
    >>> dataset.load()
    '<!doctype html><title>Report</title><h1>Report</h1>'
    """

    def load(self) -> str:
        """Read the page.

        Raises:
            DatasetError: If it is not there.
        """
        path = Path(self._get_load_path())
        try:
            return path.read_text(encoding="utf-8")
        except OSError as error:
            raise DatasetError(f"{path} cannot be read: {reason(error)}") from error

    def save(self, data: str) -> None:
        """Write the page."""
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data, encoding="utf-8", newline="\n")

    def preview(self) -> HTMLPreview:
        """Return the page's words, tables and images, for Kedro-Viz."""
        # Kedro-Viz shows every line break of the source, those between elements too.
        return HTMLPreview(_GAPS.sub("><", _NOT_SHOWN.sub("", self.load())))


class MarkdownPageDataset(HtmlPageDataset):
    """``MarkdownPageDataset`` keeps a page of Markdown.

    Example usage for the YAML API:

    ```yaml
    model_card:
      type: multimodal_sentiment.datasets.MarkdownPageDataset
      filepath: data/08_reporting/model_card.md
      versioned: true
    ```

    Example usage for the Python API:

    >>> dataset = MarkdownPageDataset(filepath="model_card.md")
    >>> dataset.save("# A model")
    >>> dataset.load()
    '# A model'
    """

    def preview(self) -> HTMLPreview:
        """Return the page as it stands, for Kedro-Viz."""
        return HTMLPreview(f"<pre>{escape(self.load())}</pre>")
