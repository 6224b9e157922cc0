"""The composition root: settings -> storage -> jobs -> interfaces. Read this to see what is made of what."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelward import __version__
from modelward.governance import reactions
from modelward.governance.access import use_cases as access
from modelward.governance.access.entities import SYSTEM
from modelward.governance.approvals import gates, signing
from modelward.governance.approvals import use_cases as approvals
from modelward.governance.cards import debts as card_debts
from modelward.governance.cards.documents import shipping
from modelward.governance.cards.documents.fonts import choice_of
from modelward.governance.cards.documents.use_cases import EXPORT_JOB
from modelward.governance.evaluations import running as evaluating
from modelward.governance.evaluations.use_cases import EVALUATION_JOB
from modelward.governance.monitoring import filing
from modelward.governance.monitoring import use_cases as monitoring
from modelward.governance.objects import use_cases as objects
from modelward.governance.registry import model_data
from modelward.governance.upkeep import collecting
from modelward.governance.upkeep import use_cases as upkeep
from modelward.governance.webhooks import sending as webhooks
from modelward.governance.webhooks.store import forget_old as forget_deliveries
from modelward.home import Home
from modelward.interfaces.aws.gate import Gate
from modelward.interfaces.http import App, Edge
from modelward.interfaces.identity import Identity
from modelward.interfaces.rest.api import build_api
from modelward.interfaces.rest.uploads import sweep_left_behind
from modelward.interfaces.site import Site
from modelward.interfaces.web.pages import Pages
from modelward.jobs.queue import Job
from modelward.jobs.worker import Worker
from modelward.kernel.errors import Invalid
from modelward.outbound import Outbound
from modelward.settings import Settings
from modelward.storage import answers
from modelward.storage.blobs import open_blobs
from modelward.storage.database import Database
from modelward.storage.gates import gate_for
from modelward.storage.keyring import Keyring
from modelward.storage.migrations import upgrade
from modelward.storage.object_store import open_object_store
from modelward.storage.work import Work, Workshop

log = logging.getLogger("modelward")


class House:
    """All of Modelward in this process: what it keeps, who works, and the ASGI app that lets people in."""

    def __init__(self, settings: Settings, *, home: Home, works: bool = True) -> None:
        """Open the storage, bring its schema up to date, make the first owner, and build the interfaces."""
        self.settings, self.home = settings, home
        self.fonts = choice_of(settings.font_folders, system=settings.system_fonts)
        self.database = Database(settings.database_url) if settings.database_url else Database.in_folder(home.folder)
        self.blobs_gate = gate_for(self.database.url if settings.uses_postgres else None)
        try:
            upgrade(self.database)
            self.workshop = Workshop(
                database=self.database,
                blobs=open_blobs(settings.store or str(home.folder / "blobs"), self.blobs_gate),
                blob_grace_days=settings.blob_grace_days,
                attachment_bytes_max=settings.attachment_bytes_max,
                card_characters_max=settings.card_characters_max,
                false_alarms_a_month=settings.false_alarms_a_month,
                keyring=Keyring(settings.key_pairs_file or home.folder / "key-pairs-key"),
                object_store=open_object_store(
                    settings.s3_buckets,
                    endpoint=settings.s3_endpoint,
                    region=settings.s3_region,
                    store=settings.store,
                ),
            )
            self.identity = Identity(self.workshop)
            self.outbound = Outbound(allow=settings.outbound_allow, loopback=settings.is_local)
            self.workshop.on_events = reactions.enqueue
            self.workshop.after_commit.append(self.identity.forget)
            self._begin()
        except BaseException:
            self.database.close()
            raise
        self.worker = self._worker() if works else None
        self.ready = False
        self.asgi: App = self._interfaces()

    def start(self) -> None:
        """Begin to work: jobs run from now on."""
        if self.worker:
            wake = self.worker.wake
            self.workshop.after_commit.append(lambda _events: wake())
            self.worker.start()
        self.ready = True

    def close(self) -> None:
        """Finish the running jobs and what is queued for writing, then let go of the data folder."""
        self.ready = False
        if self.worker:
            self.worker.stop()
        self.outbound.close()
        self.database.close()
        self.blobs_gate.close()
        self.home.release()

    def _found(self, work: Work) -> None:
        first = access.found_house(work)
        if first is not None:
            # Before the commit: an owner whose secret was lost in a crash could never come in.
            self.home.keep_owner_secret(first.secret)

    def _begin(self) -> None:
        self.workshop.write(SYSTEM, self._found)
        self.workshop.read(SYSTEM, objects.check_none_hidden)
        text, source = self._policy()
        self.workshop.write(SYSTEM, lambda work: approvals.adopt_policy(work, text=text, source=source))
        template = self.home.folder / "card-template.toml"
        kept = _text_of(template, "card template") if template.exists() else None
        self.workshop.write(SYSTEM, lambda work: card_debts.begin(work, kept=kept, source=str(template)))
        self.workshop.write(SYSTEM, lambda work: upkeep.begin_collecting(work, days=self.settings.blob_grace_days))
        self.database.write(lambda connection: answers.forget_old(connection, now=self.workshop.clock()))
        self.database.write(lambda connection: forget_deliveries(connection, now=self.workshop.clock()))
        # Alone is who holds the data folder and has its blobs in it.
        alone = not self.settings.uses_postgres and not self.settings.store
        self.workshop.blobs.signatures.begin(self.workshop.read(SYSTEM, upkeep.mark_of))
        self.workshop.blobs.sweep(alone=alone, now=time.time())
        sweep_left_behind(now=time.time())
        self.database.on_broken = _stop_process

    def _policy(self) -> tuple[str, str]:
        kept = self.home.folder / "policy.toml"
        path = self.settings.policy or (kept if kept.exists() else None)
        if path is None:
            return gates.default_text(), "the one that comes with Modelward"
        return _text_of(path, "policy"), str(path)

    def _worker(self) -> Worker:
        from datetime import timedelta

        handlers: dict[str, Callable[[Job], None]] = {
            reactions.REACTION_JOB: lambda job: reactions.run(self.workshop, job, clock=self.workshop.clock),
            EVALUATION_JOB: lambda job: evaluating.run(self.workshop, job),
            EXPORT_JOB: self._export_card,
            model_data.MODEL_DATA_JOB: lambda job: model_data.run(self.workshop, job),
            shipping.SHIPPING_JOB: lambda job: shipping.run(self.workshop, job),
            card_debts.LAPSING_JOB: lambda job: card_debts.run_lapsing(self.workshop, job, clock=self.workshop.clock),
            upkeep.COLLECTION_JOB: self._collect_blobs,
            webhooks.DELIVERY_JOB: lambda job: webhooks.deliver(self.workshop, job, outbound=self.outbound),
            **self._monitoring_handlers(),
        }
        alone = self.database.dialect == "sqlite"
        return Worker(
            self.database,
            handlers,
            slots=self.settings.worker_slots,
            poll=None if alone else timedelta(seconds=1),
            alone=alone,
            on_dead=self._on_dead,
        )

    def _collect_blobs(self, job: Job) -> None:
        collecting.collect(self.workshop, job)

    def _export_card(self, job: Job) -> None:
        # Loaded at the first job, as what sets a document is heavy.
        from modelward.governance.cards.documents import gathering, running

        address = self.settings.address
        running.run(
            self.workshop,
            job,
            gather=lambda work, export: gathering.gather(
                work, export, address=address, signatures=signing.signatures_of
            ),
            fonts=self.fonts,
        )

    def _on_dead(self, job: Job, error: str) -> None:
        if job.kind == EVALUATION_JOB:
            evaluating.give_up(self.workshop, job, error)
        elif job.kind == EXPORT_JOB:
            from modelward.governance.cards.documents import running as exporting

            exporting.give_up(self.workshop, job, error)
        elif job.kind == shipping.SHIPPING_JOB:
            shipping.give_up(self.workshop, job, error)
        elif job.kind in (monitoring.RUN_JOB, monitoring.BASELINE_JOB):
            _running().give_up(self.workshop, job, error)
        elif job.kind == webhooks.DELIVERY_JOB:
            webhooks.give_up(self.workshop, job, error)

    def _monitoring_handlers(self) -> dict[str, Callable[[Job], None]]:
        workshop = self.workshop
        return {
            filing.FILING_JOB: lambda job: filing.file_captures(workshop, job, clock=workshop.clock),
            monitoring.BASELINE_JOB: lambda job: _running().prepare_baseline(workshop, job, clock=workshop.clock),
            monitoring.RUN_JOB: lambda job: _running().compute_run(workshop, job, clock=workshop.clock),
            monitoring.SLOT_JOB: lambda job: _running().start_slot(workshop, job, clock=workshop.clock),
        }

    def _interfaces(self) -> App:
        api = build_api(self.workshop, self.identity, outbound=self.outbound, version=__version__)
        pages = Pages(self.workshop, self.identity, version=__version__)
        aws = self._aws()
        site = Site(api=api, pages=pages, ready=lambda: self.ready, aws=aws)
        names = {name.strip().lower() for name in self.settings.hosts.split(",") if name.strip()}
        guarded = frozenset(names | {self.settings.host}) if self.settings.is_local or names else frozenset()
        return Edge(site, hosts=guarded, proves_itself=aws.may_name_any_host)

    def _aws(self) -> Gate:
        chosen = self.settings
        if chosen.aws_test_mode:
            log.warning("AWS TEST MODE: every caller of the AWS interface is the owner. For tests of clients only.")
        gate = Gate(
            self.workshop,
            account=chosen.aws_account,
            calls_per_second=chosen.aws_calls_per_second,
            test_mode=chosen.aws_test_mode,
        )
        self.workshop.after_commit.append(gate.forget)
        return gate


def _text_of(path: Path, what: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(f"The {what} {path} cannot be read: {problem}.", field=what.rpartition(" ")[2]) from problem


def _running() -> Any:
    # Loaded at the first job: the numbers cost half a second that a server at rest need not spend.
    from modelward.governance.monitoring import running

    return running


def _stop_process(problem: BaseException) -> None:
    # A failed flush may have lost pages the cache still shows; only a new process reads the truth (fsyncgate).
    log.critical("The database failed while writing: %s. The process ends; start it again.", problem)
    os._exit(70)


def open_house(settings: Settings, *, works: bool = True) -> House:
    """Take the data folder and open the house on it.

    Raises:
        HomeTaken: another process holds the data folder (SQLite allows one).
    """
    home = Home(settings.home)
    home.take(shared=settings.uses_postgres)
    try:
        return House(settings, home=home, works=works)
    except BaseException:
        home.release()
        raise


__all__: list[Any] = ["House", "open_house"]
