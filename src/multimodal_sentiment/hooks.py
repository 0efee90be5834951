"""What happens around every run: checked before it, whole or nothing after it, and put in words."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.hooks import hook_impl

from multimodal_sentiment.runs.errors import one_line

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from multimodal_sentiment.runs.records import Outcome
    from multimodal_sentiment.runs.run import Run

logger = logging.getLogger(__name__)


class RunHooks:
    """Makes each run of this process a transaction on its data folder."""

    def __init__(self) -> None:
        self._context: KedroContext | None = None
        self._run: Run | None = None
        atexit.register(self._interrupted)

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Say what of the user's own configuration an environment leaves out."""
        from multimodal_sentiment.configuration import left_out

        self._context = context
        if keys := left_out(context.config_loader):
            logger.warning(
                "--env=%s takes the place of conf/local, and leaves out what stands there: %s",
                context.env,
                ", ".join(keys),
            )

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check what can be known to fail; have the outputs written aside."""
        from multimodal_sentiment.runs.run import Run

        if self._run and self._run.thread == threading.get_ident():
            self._interrupted()  # Ctrl-C in a notebook, which no hook hears of
        if self._context is None:
            raise RuntimeError("Kedro created no context before this run")
        self._run = Run(self._context, run_params, pipeline, catalog)

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Note what the node is at."""
        if self._run:
            self._run.progress.note(node, f"loading {self._run.name_version(dataset_name)}")

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Note what the node is at."""
        if self._run:
            self._run.progress.note(node, "running")

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Note that the node has run."""
        if self._run:
            self._run.progress.ran(node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Note what the node is at."""
        if self._run:
            self._run.progress.note(node, f"saving {dataset_name}")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Note that the node has saved an output."""
        if self._run:
            self._run.progress.saved(node, dataset_name)

    @hook_impl
    def on_node_error(self, node: Node) -> None:
        """Note which node failed."""
        if self._run:
            self._run.progress.fail(node)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Move what the run wrote into place.

        Raises:
            click.ClickException: If that cannot be begun, and nothing is kept; or if it cannot be
                finished, and the next run does that.
        """
        if not self._run:
            return
        try:
            self._run.seal()
        except OSError as error:
            self._abandon("failed", error)
            raise click.ClickException(one_line(error)) from error
        run, self._run = self._run, None
        try:
            run.commit()
        finally:
            run.close()

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Remove what the run wrote; note in the error where it happened."""
        if self._run:
            error.add_note(f"{self._run.explain(error)} (traceback in {self._run.log})")
            self._abandon("failed", error)

    def _interrupted(self) -> None:
        if self._run and self._run.process == os.getpid():
            self._abandon("interrupted")

    def _abandon(self, outcome: Outcome, error: Exception | None = None) -> None:
        if self._run:
            run, self._run = self._run, None
            try:
                run.abandon(outcome, error)
            finally:
                run.close()


PROJECT_HOOKS = (RunHooks(),)
