"""Evaluations over REST."""

from typing import Any

import msgspec

from modelward.governance.access.permissions import Permission
from modelward.governance.evaluations import use_cases
from modelward.governance.evaluations.entities import Evaluation, EvaluationKind, EvaluationSettings
from modelward.governance.registry import use_cases as registry
from modelward.interfaces.rest.operations import Operations
from modelward.kernel.pages import PAGE_SIZE_DEFAULT, Page, PageRequest
from modelward.kernel.refs import Digest, EvaluationRef, VersionRef
from modelward.storage.work import Work

evaluations = Operations("evaluations")


class RequestEvaluation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to compute on which table. ``dataset`` is the digest of a Parquet or CSV file that was uploaded before."""

    kind: EvaluationKind
    dataset: Digest
    settings: EvaluationSettings


class ListEvaluations(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of a list."""

    limit: int = PAGE_SIZE_DEFAULT
    cursor: str | None = None


@evaluations.operation("POST", "/versions/{version}/evaluations", permission=Permission.EVALUATION_WRITE, status=202)
def request_evaluation(work: Work, version: VersionRef, body: RequestEvaluation) -> Evaluation:
    """Ask for an evaluation of a version; a job computes it."""
    registry.get_version(work, version)
    registry.get_artifact(work, body.dataset)
    return use_cases.request_evaluation(work, version, kind=body.kind, dataset=body.dataset, settings=body.settings)


@evaluations.operation("GET", "/versions/{version}/evaluations", permission=Permission.EVALUATION_READ)
def list_evaluations(work: Work, version: VersionRef, query: ListEvaluations) -> Page[Evaluation]:
    """List the evaluations of a version, the newest first."""
    registry.get_version(work, version)
    return use_cases.list_evaluations(work, version, page=PageRequest(limit=query.limit, cursor=query.cursor))


@evaluations.operation("GET", "/evaluations/{evaluation}", permission=Permission.EVALUATION_READ)
def get_evaluation(work: Work, evaluation: EvaluationRef) -> Evaluation:
    """Get an evaluation: how far it is, its outcome and its measures."""
    return use_cases.get_evaluation(work, evaluation)


@evaluations.operation("GET", "/evaluations/{evaluation}/report", permission=Permission.EVALUATION_READ, slow=True)
def read_evaluation_report(work: Work, evaluation: EvaluationRef) -> dict[str, Any]:
    """Get the whole report of a finished evaluation, checked against its digest."""
    report: dict[str, Any] = msgspec.json.decode(use_cases.read_report(work, evaluation))
    return report
