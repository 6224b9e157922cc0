"""The four jobs as functions: from data to the files of a baseline, a check, an analysis, or a model's quality."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET

from modelward.analysis.attribution.asking import Predict
from modelward.analysis.attribution.explain import Progress, ShapState
from modelward.analysis.compatible.analysis_tables import analysis_table
from modelward.analysis.compatible.bias_analysis import POST, PRE, bias_parts, bias_violations, require_built
from modelward.analysis.compatible.class_quality import class_quality_file
from modelward.analysis.compatible.data_checks import check_table
from modelward.analysis.compatible.data_statistics import statistics_of, suggested_constraints
from modelward.analysis.compatible.explanations import attribution_violations, explained
from modelward.analysis.compatible.model_inputs import predicted_labels
from modelward.analysis.compatible.model_quality import (
    classes_of,
    quality_statistics,
    quality_violations,
    suggested_quality_constraints,
)  # fmt: skip
from modelward.analysis.compatible.predictors import Predictor, as_predictor
from modelward.analysis.compatible.table_pass import Progress as PassProgress
from modelward.analysis.compatible.table_pass import pass_over
from modelward.analysis.compatible.texts import Data, columns_named, read_texts
from modelward.analysis.formats.analysis_config import AnalysisConfig, read_analysis_config
from modelward.analysis.formats.analysis_file import read_analysis, write_analysis
from modelward.analysis.formats.constraints_file import read_constraints, write_constraints
from modelward.analysis.formats.layout import content_of
from modelward.analysis.formats.quality_files import (
    Family,
    read_quality_constraints,
    write_quality_constraints,
    write_quality_statistics,
)  # fmt: skip
from modelward.analysis.formats.statistics_file import (
    FeatureStatistics,
    NumericDistribution,
    Statistics,
    read_statistics,
    write_statistics,
)  # fmt: skip
from modelward.analysis.formats.violations_file import (
    CLARIFY_VERSION,
    ViolationEntry,
    ViolationsFile,
    write_violations,
)  # fmt: skip
from modelward.analysis.quality.class_probabilities import class_columns
from modelward.kernel.errors import Invalid
from modelward.kernel.outcome import Outcome

STATISTICS, CONSTRAINTS, VIOLATIONS = "statistics.json", "constraints.json", "constraint_violations.json"
ANALYSIS = "analysis.json"
EXPLANATIONS = ("shap", "pdp")

Problem: TypeAlias = Literal["regression", "binary", "multiclass"]
_FAMILIES: dict[str, Family] = {
    "regression": "regression",
    "binary": "binary_classification",
    "multiclass": "multiclass_classification",
}


class JobFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files by name, and what was found. ``outcome`` is None where nothing was compared with a baseline.

    ``violations``, ``unchecked`` (what was not looked at, and why) and ``notes`` are told beside the files.
    """

    files: dict[str, bytes]
    outcome: Outcome | None = None
    reason: str = ""
    violations: tuple[ViolationEntry, ...] = ()
    unchecked: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def write(self, folder: str | Path) -> None:
        """Write the files into a folder, which is made where it is missing.

        An old file of violations is removed where there are none now: its absence is what says so.

        Raises:
            Invalid: the folder cannot be written.
        """
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            if self.outcome is not None:
                (target / VIOLATIONS).unlink(missing_ok=True)
            for name, content in self.files.items():
                (target / name).parent.mkdir(exist_ok=True)
                (target / name).write_bytes(content)
        except OSError as problem:
            raise Invalid(f"{str(target)!r} cannot be written: {problem.strerror}.") from problem


def baseline_files(
    data: Data,
    *,
    compatible: bool = False,
    header: bool = True,
    sketches: bool = True,
    progress: PassProgress | None = None,
) -> JobFiles:
    """Describe a table and suggest what it must keep: statistics.json and constraints.json. One pass, memory by the columns.

    ``compatible``: to the last bit as the hosted service. ``sketches=False`` leaves the sketches out: up to 2050 rows
    they are the data itself; without them numeric drift cannot be judged. ``progress``: called with steps done and in all.

    Raises:
        NotFound, Invalid: the table cannot be read, or has no rows.
    """
    found = pass_over(data, compatible=compatible, header=header, progress=progress)
    statistics = statistics_of(found)
    if not statistics.dataset.item_count:
        raise Invalid("The data has no rows, so nothing can be learnt from it.")
    constraints = suggested_constraints(statistics, compatible=compatible)
    kept = statistics if sketches else without_sketches(statistics)
    files = {STATISTICS: write_statistics(kept), CONSTRAINTS: write_constraints(constraints)}
    return JobFiles(files=files, notes=found.left_out)


def without_sketches(statistics: Statistics) -> Statistics:
    """The same statistics without the items of the sketches."""
    return msgspec.structs.replace(statistics, features=[_without_sketch(one) for one in statistics.features])


def _without_sketch(feature: FeatureStatistics) -> FeatureStatistics:
    numeric = feature.numerical_statistics
    if numeric is UNSET or numeric.distribution is UNSET:
        return feature
    kll = msgspec.structs.replace(numeric.distribution.kll, sketch=UNSET)
    bare = msgspec.structs.replace(numeric, distribution=NumericDistribution(kll))
    return msgspec.structs.replace(feature, numerical_statistics=bare)


def check_files(
    data: Data,
    baseline: str | Path,
    *,
    compatible: bool = False,
    header: bool = True,
    strict_types: bool = False,
    progress: PassProgress | None = None,
) -> JobFiles:
    """Check a table against the statistics.json and constraints.json of a folder. One pass, memory by the columns.

    Makes statistics.json and, only where something is violated, constraint_violations.json. ``compatible``: by the rules
    of the hosted service, under which repeated values count once; else every row counts. ``strict_types``: integers do
    not satisfy Fractional (2019).

    Raises:
        NotFound: the data or the constraints are missing.
        Invalid: a file is not what it should be.
    """
    folder = Path(baseline)
    constraints = read_constraints(content_of(folder / CONSTRAINTS), name=str(folder / CONSTRAINTS))
    known = folder / STATISTICS
    before = read_statistics(content_of(known), name=str(known)) if known.exists() else None
    found = check_table(
        data,
        constraints,
        before,
        compatible=compatible,
        strict_types=strict_types,
        header=header,
        progress=progress,
    )
    return JobFiles(
        files={
            STATISTICS: write_statistics(found.statistics),
            **_violations(ViolationsFile(violations=found.violations)),
        },
        outcome=found.outcome,
        reason=found.reason,
        violations=tuple(found.violations),
        unchecked=tuple(found.unchecked),
        notes=found.left_out,
    )


def _violations(violations: ViolationsFile) -> dict[str, bytes]:
    return {VIOLATIONS: write_violations(violations)} if violations.violations else {}


def analyze_files(
    config: AnalysisConfig | str | Path,
    data: Data,
    *,
    baseline: str | Path | None = None,
    predictor: Predictor | Predict | None = None,
    state: ShapState | None = None,
    on_progress: Progress | None = None,
) -> JobFiles:
    """Do what an analysis_config.json asks: analysis.json, and against a baseline analysis.json the drift of it.

    ``predictor``: a model to ask for explanations and, where the data holds none, predictions. A plain function takes a
    matrix of rows, of numbers where all features are. ``state`` and ``on_progress``: to go on with explanations that
    were interrupted, as in ``kernel_shap``.

    Raises:
        NotImplementedYet: segments, texts, images or time series are to be explained.
        NotFound, Invalid: a file or a column is missing, a setting does not fit, or there is no model to ask.
    """
    if not isinstance(config, AnalysisConfig):
        config = read_analysis_config(content_of(Path(config)), name=str(config))
    asked = as_predictor(predictor, config)
    require_built(config, asking=asked is not None)
    if not {PRE, POST, *EXPLANATIONS} & set(config.methods):
        raise Invalid("methods names neither bias nor explanations, so there is nothing to compute.", field="methods")
    config, table = analysis_table(config, data, asking=asked is not None)
    if not table.rows:
        raise Invalid("The data has no rows, so there is nothing to analyze.")
    if asked is not None and POST in config.methods and config.predicted_label is UNSET:
        config, table = predicted_labels(config, table, asked)
    analysis = bias_parts(config, table)
    files: dict[str, bytes] = {}
    notes = table.left_out
    if asked is not None and set(EXPLANATIONS) & set(config.methods):
        found = explained(config, table, asked, state=state, on_progress=on_progress)
        analysis = msgspec.structs.replace(analysis, explanations=found.explanations)
        files, notes = found.files, (*notes, *found.notes)
    files = {ANALYSIS: write_analysis(analysis), **files}
    if baseline is None:
        return JobFiles(files=files, notes=notes)
    before = read_analysis(content_of(Path(baseline)), name=str(baseline))
    moved, told = attribution_violations(analysis, before)
    violations = [*bias_violations(analysis, before).violations, *moved]
    compared = _compared(
        files,
        ViolationsFile(version=CLARIFY_VERSION, violations=violations),
        bool(told) or any(part.facets for part in before.bias),
    )
    return msgspec.structs.replace(compared, notes=(*notes, *told))


def _compared(files: dict[str, bytes], violations: ViolationsFile, anything: bool) -> JobFiles:
    count = len(violations.violations)
    outcome = Outcome.FAILED if count else Outcome.PASSED if anything else Outcome.UNDECIDED
    return JobFiles(
        files={**files, **_violations(violations)},
        outcome=outcome,
        reason=f"{count} {'violation' if count == 1 else 'violations'}."
        if anything
        else "The baseline holds nothing to compare with.",
        violations=tuple(violations.violations),
    )


def quality_files(
    data: Data,
    *,
    problem_type: Problem,
    label: str,
    prediction: str | None = None,
    probability: str | Sequence[str] | Mapping[Any, str] | None = None,
    threshold: float = 0.5,
    positive: str = "1",
    header: bool = True,
    baseline: str | Path | None = None,
) -> JobFiles:
    """Measure predictions against labels: statistics.json and constraints.json of model quality.

    ``probability``: the column of that of the positive class; of several classes a column each, as in ``quality_report``,
    from which quality.json follows too: what the hosted service's files have no place for, in Modelward's own shape.

    With ``baseline`` (a folder with such a constraints.json): statistics.json, and constraint_violations.json where a
    metric is worse than its threshold.

    Raises:
        NotFound: a file or column is missing.
        Invalid: a problem type that is none, no complete row, or texts where numbers are needed.
    """
    if problem_type not in _FAMILIES:
        raise Invalid(f"{problem_type!r} is none of {', '.join(_FAMILIES)}.", field="problem_type")
    several = probability is not None and not isinstance(probability, str)
    if several and problem_type != "multiclass":
        raise Invalid("Only a multiclass model has a column of probabilities for each class.", field="probability")
    chances = class_columns(probability) if several else None
    scored = [probability] if isinstance(probability, str) else list((chances or {}).values())
    data = read_texts(data, header=header, chosen=columns_named(label, prediction, *scored))
    statistics = quality_statistics(
        data,
        family=_FAMILIES[problem_type],
        label=label,
        prediction=prediction,
        probability=probability if isinstance(probability, str) else chances,
        threshold=threshold,
        positive=positive,
        header=header,
    )
    files = {STATISTICS: write_quality_statistics(statistics)}
    if chances is not None:
        files |= class_quality_file(
            data, label=label, prediction=prediction, columns=chances, header=header, classes=classes_of
        )
    if baseline is None:
        constraints = suggested_quality_constraints(statistics)
        return JobFiles(files={**files, CONSTRAINTS: write_quality_constraints(constraints)}, notes=data.left_out)
    known = Path(baseline) / CONSTRAINTS
    rules = read_quality_constraints(content_of(known), name=str(known))
    found = ViolationsFile(violations=quality_violations(statistics, rules))
    compared = _compared(files, found, bool(set(rules.rules) & set(statistics.metrics)))
    return msgspec.structs.replace(compared, notes=data.left_out)
