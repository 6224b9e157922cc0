"""What each side of profile_beside_peers.py runs: small programs that time themselves after their imports, and print JSON.

Every program gets its files as arguments. Timed are reading and all work, not the imports, which would weigh most.
"""

HEAD = """
import json, resource, sys, time

def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def told(work):
    wall, before = time.perf_counter(), cpu()
    found = work()
    figures = {"wall_s": time.perf_counter() - wall, "cpu_s": cpu() - before,
               "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "found": found}
    print(json.dumps(figures))
"""

OURS = """
from modelward.analysis import check, profile, suggest
import modelward.analysis.checking.drift
def work():
    baseline, current = profile(sys.argv[1]), profile(sys.argv[2])
    report = check(current, baseline, suggest(baseline))
    return [verdict.column for verdict in report.drift if verdict.outcome.value == "failed"]
told(work)
"""

DECODE = """
import pyarrow.parquet as pq
def work():
    rows = 0
    for path in sys.argv[1:3]:
        file = pq.ParquetFile(path, read_dictionary=[f"c{place}" for place in range(10)])
        for group in range(file.num_row_groups):
            rows += file.read_row_group(group).num_rows
    return rows
told(work)
"""

EVIDENTLY = """
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset, DataSummaryPreset
def work():
    frames = [pd.read_parquet(path) for path in sys.argv[1:3]]
    names = list(frames[0].columns)
    definition = DataDefinition(numerical_columns=[name for name in names if name[0] == "n"],
                                categorical_columns=[name for name in names if name[0] == "c"])
    sets = [Dataset.from_pandas(frame, data_definition=definition) for frame in frames]
    snapshot = Report([DataDriftPreset(), DataSummaryPreset()]).run(current_data=sets[1], reference_data=sets[0])
    drifted = []
    for metric in json.loads(snapshot.json())["metrics"]:
        config = metric.get("config", {})
        if "ValueDrift" in str(metric.get("metric_name", metric.get("metric_id", ""))):
            value, method = float(metric["value"]), str(config.get("method", ""))
            limit = float(config.get("threshold") or (0.05 if "p_value" in method else 0.1))
            if value < limit if "p_value" in method else value >= limit:
                drifted.append(config["column"])
    return drifted
told(work)
"""

WHYLOGS = """
import pandas as pd
import whylogs as why
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores
def work():
    views = [why.log(pandas=pd.read_parquet(path)).view() for path in sys.argv[1:3]]
    scores = calculate_drift_scores(target_view=views[1], reference_view=views[0], with_thresholds=True)
    return [name for name, score in scores.items() if score and score.get("drift_category") == "DRIFT"]
told(work)
"""

NANNYML = """
import nannyml as nml
import pandas as pd
def work():
    frames = [pd.read_parquet(path) for path in sys.argv[1:3]]
    names = list(frames[0].columns)
    texts = [name for name in names if name[0] == "c"]
    for frame in frames:
        frame[texts] = frame[texts].astype("category")
    calculator = nml.UnivariateDriftCalculator(column_names=names, continuous_methods=["jensen_shannon"],
                                               categorical_methods=["jensen_shannon"], chunk_number=1)
    found = calculator.fit(frames[0]).calculate(frames[1]).filter(period="analysis").to_df()
    return [name for name in names if found[(name, "jensen_shannon", "alert")].any()]
told(work)
"""
