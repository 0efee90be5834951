"""What Kedro calls around every run: each run of this process is a transaction of its own."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.hooks import hook_impl

from multimodal_sentiment.runs.error_lines import error_in_one_line

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from multimodal_sentiment.runs.records import Outcome
    from multimodal_sentiment.runs.transaction import Transaction

logger = logging.getLogger(__name__)


class RunHooks:
    """Finds the run that each of Kedro's calls is about, and passes the call on to it.

    Kedro makes a catalog for each run, and passes it to all hooks but those of datasets, which
    belong to the run of the thread that calls them.
    """

    def __init__(self) -> None:
        self._transactions: dict[int, Transaction] = {}  # by their key
        self.has_ended = False  # whether a run has, whose outputs stay
        atexit.register(self.end_all)

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Say what of the user's own configuration an environment leaves out."""
        from multimodal_sentiment.config_loader import left_out

        if files := left_out(context.config_loader):
            logger.warning(
                "--env=%s takes the place of conf/local, and leaves out what stands there in %s",
                context.env,
                ", ".join(files),
            )

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check what can be known to fail; have the outputs written aside."""
        from multimodal_sentiment.runs.transaction import Transaction

        for former in self._of_this_process():  # Ctrl-C in a notebook calls no hook
            if former.thread == threading.get_ident():
                self._abandon(former, "interrupted")
        transaction = Transaction.begin(run_params, pipeline, catalog)
        if transaction:
            self._transactions[transaction.key] = transaction

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str, node: Node) -> None:
        """Note what the node is at."""
        if transaction := self._of_this_thread():
            doing = f"loading {transaction.name_version(dataset_name)}"
            transaction.timings.note(node, doing, dataset_name)

    @hook_impl
    def before_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Note what the node is at, and which run this thread works for."""
        if transaction := self._of(catalog):
            transaction.work_in_this_thread()
            transaction.timings.note(node, "running")

    @hook_impl
    def after_node_run(self, node: Node, catalog: DataCatalog) -> None:
        """Note that the node has run."""
        if transaction := self._of(catalog):
            transaction.timings.ran(node)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Note what the node is at."""
        if transaction := self._of_this_thread():
            transaction.timings.note(node, f"saving {dataset_name}")

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Note that the node has saved an output."""
        if transaction := self._of_this_thread():
            transaction.timings.saved(node, dataset_name)

    @hook_impl
    def on_node_error(self, node: Node, catalog: DataCatalog) -> None:
        """Note which node failed."""
        if transaction := self._of(catalog):
            transaction.timings.fail(node)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Move what the run wrote into place; record the run where that is asked for.

        Raises:
            click.ClickException: If that cannot be begun, and nothing is kept; or if it cannot be
                finished, and the next run does that.
        """
        transaction = self._transactions.get(id(catalog))
        if not transaction:  # there was nothing to do
            return
        try:
            transaction.seal()
        except OSError as error:
            self._abandon(transaction, "failed", error)
            raise click.ClickException(error_in_one_line(error)) from error
        self._transactions.pop(transaction.key, None)
        self.has_ended = True
        try:
            transaction.commit()
        finally:
            transaction.close()
        if os.environ.get("MLFLOW_TRACKING_URI"):  # nothing of it is imported otherwise
            from multimodal_sentiment.runs.tracking import track_run

            try:
                track_run(transaction.record, transaction.places)
            except KeyboardInterrupt:
                name = transaction.record.name
                logger.warning("%s is complete; MLflow may not know all of it", name)
                raise

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception, catalog: DataCatalog) -> None:
        """Remove what the run wrote; note in the error where it happened."""
        if transaction := self._transactions.get(id(catalog)):
            error.add_note(f"{transaction.explain(error)} (traceback in {transaction.log})")
            self._abandon(transaction, "failed", error)

    def end_all(self) -> bool:
        """Abandon all runs of this process, as it is about to end.

        Returns:
            Whether there were any.
        """
        transactions = self._of_this_process()
        for transaction in transactions:
            self._abandon(transaction, "interrupted")
        return bool(transactions)

    def _abandon(
        self, transaction: Transaction, outcome: Outcome, error: Exception | None = None
    ) -> None:
        self._transactions.pop(transaction.key, None)
        try:
            transaction.abandon(outcome, error)
        finally:
            transaction.close()

    def _of(self, catalog: DataCatalog) -> Transaction | None:
        """Return the run of a catalog; of the copy in a worker process, that of its thread."""
        return self._transactions.get(id(catalog)) or self._of_this_thread()

    def _of_this_thread(self) -> Transaction | None:
        """Return the run that this thread works for; if that is not known yet, the only one."""
        transactions = list(self._transactions.values())
        own = [transaction for transaction in transactions if transaction.is_in_this_thread()]
        found = own or transactions
        return found[0] if len(found) == 1 else None

    def _of_this_process(self) -> list[Transaction]:
        """Return the runs that this process has begun, not those that it was forked from."""
        return [it for it in list(self._transactions.values()) if it.process == os.getpid()]


PROJECT_HOOKS = (RunHooks(),)
