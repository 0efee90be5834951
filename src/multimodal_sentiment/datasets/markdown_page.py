"""A page of Markdown as a dataset."""

from __future__ import annotations

from html import escape

from .html_page import HtmlPageDataset
from .previews import HTMLPreview


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
