"""The report of an evaluation: its measures with intervals, the rates of groups, and its findings in words."""

from modelward.governance.access.permissions import Permission
from modelward.governance.evaluations import use_cases
from modelward.interfaces.web import reports
from modelward.interfaces.web.reports import Part
from modelward.interfaces.web.views import Shown, Views, show
from modelward.kernel.refs import EvaluationRef
from modelward.storage.work import Work

views = Views()


@views.page("GET", "/evaluations/{evaluation}", permission=Permission.EVALUATION_READ)
def show_evaluation(work: Work, evaluation: EvaluationRef) -> Shown:
    """An evaluation with its report."""
    found = use_cases.get_evaluation(work, evaluation)
    report = reports.read(use_cases.read_report(work, evaluation)) if found.report else None
    sections = [(part, _drawings(part)) for part in report.reports] if report else []
    return show("evaluation.html", evaluation=found, report=report, sections=sections)


def _drawings(part: Part) -> list[reports.Chart]:
    return [chart for chart in (reports.group_rates(part), reports.roc(part), reports.calibration(part)) if chart]
