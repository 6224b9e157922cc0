"""Explanations of an analysis are those of the service where it can be known, and a model is asked as it says."""

import csv
import json
import math
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from msgspec import UNSET

from formats.golden import golden
from modelward.analysis import analyze_files
from modelward.analysis.compatible.explanations import attribution_violations
from modelward.analysis.compatible.predictors import bodies, outputs, predictor_settings
from modelward.analysis.compatible.prototypes import prototypes
from modelward.analysis.formats.analysis_config import AnalysisConfig, FacetConfig
from modelward.analysis.formats.analysis_file import AnalysisFile, Explanations, ShapLabel, read_analysis
from modelward.analysis.formats.violations_file import ViolationsFile, read_violations, write_violations
from modelward.cli.analyze import analyze
from modelward.kernel.errors import Invalid, NotFound, NotImplementedYet, Unavailable
from modelward.kernel.outcome import Outcome

BASE = [[0, 0, 0]]
FAR = 1_000_000


def config(methods, **others):
    return AnalysisConfig(dataset_type="text/csv", methods=methods, **({"label": "y"} | others))


def shap(**settings):
    return {"shap": {"baseline": BASE, **settings}}


def table(rows=30, **columns):
    rng = np.random.default_rng(0)
    numbers = {name: rng.normal(size=rows).round(3) for name in "abc"}
    return pa.table({"y": rng.integers(0, 2, rows), **numbers, **columns})


def scores(rows):
    return 1 / (1 + np.exp(-(2 * rows[:, 0] + rows[:, 1])))


def made_by(found):
    return read_analysis(found.files["analysis.json"])


def kernel(found):
    return made_by(found).explanations.kernel_shap


def test_the_golden_local_values_give_the_golden_global_values_and_expected_value():
    """The model is not public: one that adds up the published local values in log-odds stands for it."""
    folder = golden("shap_german_100")
    expected = read_analysis((folder / "analysis.json").read_bytes()).explanations.kernel_shap["label0"]
    summary = json.loads((folder / "analysis_config_summary.json").read_text())
    local = list(csv.reader((folder / "explanations_shap" / "out.csv").read_text().splitlines()))
    names = list(expected.global_shap_values)
    values = np.array(local[1:], float)
    start = math.log(summary["model_output_at_baseline_printed"] / (1 - summary["model_output_at_baseline_printed"]))

    def model(rows):
        # The value FAR + i of a feature says that the row is the i-th and the feature is not that of the baseline.
        known = np.vstack((np.zeros(len(names)), values))
        places = np.where(rows >= FAR, rows - FAR + 1, 0).astype(int)
        return 1 / (1 + np.exp(-(start + known[places, np.arange(len(names))].sum(axis=1))))

    data = pa.table({name: np.arange(FAR, FAR + len(values)) for name in names})
    asked = config(
        {"shap": summary["methods"]["shap"] | {"save_local_shap_values": True, "num_samples": 200}}, label=UNSET
    )
    found = analyze_files(asked, data, predictor=model)

    made = kernel(found)["label0"]
    assert list(made.global_shap_values) == names
    assert made.expected_value == pytest.approx(expected.expected_value, abs=1e-12)
    assert made.global_shap_values == pytest.approx(expected.global_shap_values, abs=1e-8)
    written = list(csv.reader(found.files["explanations_shap/out.csv"].decode().splitlines()))
    assert written[0] == local[0]
    np.testing.assert_allclose(np.array(written[1:], float), values, atol=1e-8)
    baseline = found.files["explanations_shap/baseline.csv"].decode().splitlines()
    assert [[*map(float, baseline[1].split(","))]] == summary["methods"]["shap"]["baseline"]
    assert baseline[0].split(",") == names


def test_attribution_drift_is_told_in_the_words_of_the_service():
    """The live attributions of the golden are not public, so the figure is ours; the file around it is theirs."""
    baseline = read_analysis(golden("feature_attribution_drift/baseline_analysis.json").read_bytes())
    known = baseline.explanations.kernel_shap["label0"].global_shap_values
    turned = {name: -value for name, value in known.items()}
    current = AnalysisFile(explanations=Explanations(kernel_shap={"label0": ShapLabel(turned, 0.1)}))

    found, notes = attribution_violations(current, baseline)

    content = golden("feature_attribution_drift/constraint_violations.json").read_bytes()
    assert found[0].description == "Feature attribution drift 0.6658967131451504 exceeds threshold 0.9"
    theirs = content.decode().replace("0.860173572903856", "0.6658967131451504").encode()
    ours = ViolationsFile(version="1.0", violations=found)
    assert read_violations(theirs) == ours
    assert json.loads(write_violations(ours)) == json.loads(theirs)
    assert "order of the features alone" in notes[0]
    assert attribution_violations(baseline, baseline)[0] == []


def test_exact_values_of_three_features_and_both_files():
    found = analyze_files(config(shap(save_local_shap_values=True, use_logit=True)), table(), predictor=scores)

    label = kernel(found)["label0"]
    data = table()
    assert label.global_shap_values["a"] == pytest.approx(np.abs(2 * np.asarray(data["a"])).mean(), abs=1e-9)
    assert label.global_shap_values["c"] == pytest.approx(0, abs=1e-12)
    assert label.expected_value == 0
    assert set(found.files) == {"analysis.json", "explanations_shap/out.csv", "explanations_shap/baseline.csv"}
    assert "exact" in found.notes[0]


def test_aggregations_and_features_that_are_left_alone():
    squares = analyze_files(config(shap(agg_method="mean_sq", use_logit=True)), table(), predictor=scores)
    some = analyze_files(config(shap(features_to_explain=["a"])), table(), predictor=scores)

    assert kernel(squares)["label0"].global_shap_values["b"] == pytest.approx((np.asarray(table()["b"]) ** 2).mean())
    assert kernel(some)["label0"].global_shap_values["b"] == 0


def test_several_scores_have_the_names_of_their_labels():
    asked = config(shap(save_local_shap_values=True), predictor={"label_headers": ["no", "yes"]})

    found = analyze_files(asked, table(), predictor=lambda rows: np.column_stack((1 - scores(rows), scores(rows))))

    assert list(kernel(found)) == ["no", "yes"]
    header = found.files["explanations_shap/out.csv"].decode().splitlines()[0]
    assert header == "a_no,b_no,c_no,a_yes,b_yes,c_yes"


def test_without_a_baseline_typical_rows_stand_for_it_and_are_told():
    found = analyze_files(config({"shap": {"seed": 1}}), table(200), predictor=scores)

    assert "typical rows" in found.notes[0]
    mixed = np.array([[0.0, "x"], [0.1, "x"], [9.0, "y"], [9.1, "y"]], object)
    assert sorted(prototypes(mixed, 2, 0).tolist()) == [[0.05, "x"], [9.05, "y"]]


def test_partial_dependence_has_the_shape_of_the_file_and_follows_shap():
    methods = {**shap(), "pdp": {"grid_resolution": 5, "top_k_features": 2}}

    curves = made_by(analyze_files(config(methods), table(), predictor=scores)).explanations.pdp

    assert [curve["feature_name"] for curve in curves] == ["a", "b"]
    assert set(curves[0]) == {"feature_name", "data_type", "feature_values", "model_predictions", "data_distribution"}
    assert len(curves[0]["feature_values"]) == len(curves[0]["model_predictions"][0]) == 5
    with pytest.raises(Invalid, match="largest SHAP"):
        analyze_files(config({"pdp": {"grid_resolution": 5}}), table(), predictor=scores)


def test_a_feature_with_too_many_texts_is_an_error_of_its_own_curve():
    data = table(t=pa.array([f"text {number}" for number in range(30)])).slice(0, 30)
    many = pa.concat_tables([data.set_column(4, "t", pa.array([f"{at} {n}" for n in range(30)])) for at in range(5)])
    asked = config({"pdp": {"grid_resolution": 3, "features": ["t", "a"]}})

    curves = made_by(
        analyze_files(asked, many, predictor=lambda rows: [row[0] for row in rows.tolist()])
    ).explanations.pdp

    assert "150 categories" in curves[0]["error"]
    assert curves[1]["data_type"] == "numerical"


def test_predictions_are_asked_for_where_the_data_holds_none():
    facet = [FacetConfig(name_or_index="g", value_or_threshold=["x"])]
    asked = config({"post_training_bias": {"methods": ["DPPL", "FT"]}}, label_values_or_threshold=[1], facet=facet)
    data = table(g=["x", "z"] * 15)
    given = data.append_column(
        "guess", pa.array((scores(np.stack([data[n] for n in "abc"], axis=1)) > 0.5).astype(int))
    )

    asking = analyze_files(asked, data, predictor=lambda rows: scores(rows[:, :3].astype(float)))
    reading = analyze_files(
        config(asked.methods, label_values_or_threshold=[1], facet=facet, predicted_label="guess"), given
    )

    assert made_by(asking).post_training_bias_metrics == made_by(reading).post_training_bias_metrics


def test_against_a_baseline_the_order_of_features_is_judged(tmp_path):
    baseline = tmp_path / "analysis.json"
    baseline.write_bytes(analyze_files(config(shap()), table(), predictor=scores).files["analysis.json"])

    same = analyze_files(config(shap()), table(), baseline=baseline, predictor=scores)
    turned = analyze_files(config(shap()), table(), baseline=baseline, predictor=lambda rows: scores(rows[:, ::-1]))

    assert same.outcome is Outcome.PASSED
    assert turned.outcome is Outcome.FAILED
    assert turned.violations[0].constraint_check_type == "feature_attribution_drift_check"


@pytest.mark.parametrize("methods, problem, words", [
    (shap(agg_method="max"), Invalid, "none of mean_abs"), (shap(num_clusters=2), Invalid, "exclude each other"),
    ({"shap": {"baseline": [[1]]}}, Invalid, "rows of 3 values"), (shap(num_samples=0), Invalid, "At least|at least"),
    ({"shap": {"baseline": [{"a": 1}]}}, Invalid, "lacks b, c"), ({"shap": {"baseline": "s3://x/y"}}, NotImplementedYet, "local"),
    ({"shap": {"baseline": "gone.csv"}}, NotFound, "no file"), ({"shap": {"baseline": [["u", 1, 2]]}}, Invalid, "no number"),
    (shap(text_config={}), NotImplementedYet, "texts"), (shap(features_to_explain=["y"]), Invalid, "no feature"),
    ({"pdp": {"grid_resolution": 1, "features": ["a"]}}, Invalid, "at least 2"), ({"pdp": {}}, Invalid, "grid_resolution"),
])  # fmt: skip
def test_settings_that_cannot_be_met_are_refused(methods, problem, words):
    with pytest.raises(problem, match=words):
        analyze_files(config(methods), table(), predictor=scores)


@pytest.mark.parametrize("block, rows, body", [
    ({}, [[1, "a,b"], [2.5, None]], b'1,"a,b"\n2.5,\n'),
    ({"content_type": "application/jsonlines"}, [[1, "a"]], b'{"features":[1, "a"]}'),
    ({"content_type": "application/json", "content_template": '{"instances":$records}', "record_template": "$features_kvp"},
     [[1, "$features"], [2, "b"]], b'{"instances":[{"n": 1, "t": "$features"},{"n": 2, "t": "b"}]}'),
    ({"content_type": "application/json", "content_template": "$record", "record_template": '{"x":"${n}","y":"${t}"}'},
     [[1, "a"]], b'{"x":1,"y":"a"}'),
])  # fmt: skip
def test_bodies_follow_the_templates_and_values_are_never_taken_for_placeholders(block, rows, body):
    assert bodies(predictor_settings(block), np.array(rows, object), ["n", "t"]) == [(body, len(rows))]


@pytest.mark.parametrize("block, answer, lines", [
    ({}, b"0.5\n0.25\n", [[0.5], [0.25]]), ({"probability": 1}, b"yes,0.5\n", [[0.5]]), ({}, b'"[0.1, 0.9]"\n', [[0.1, 0.9]]),
    ({"content_type": "application/jsonlines", "probability": "p"}, b'{"p":[0.1,0.9]}\n{"p":[1,0]}', [[0.1, 0.9], [1, 0]]),
    ({"accept_type": "application/json", "probability": "predictions[*].score"},
     b'{"predictions":[{"score":0.5},{"score":1}]}', [[0.5], [1]]),
])  # fmt: skip
def test_answers_are_read_where_the_settings_say(block, answer, lines):
    assert outputs(predictor_settings(block), answer) == lines


@pytest.mark.parametrize("block, answer", [
    ({"probability": 3}, b"1,2\n"), ({"accept_type": "application/json"}, b"{}"), ({"accept_type": "application/json"}, b"no"),
    ({"accept_type": "application/jsonlines", "label": "x"}, b'{"y":1}'),
])  # fmt: skip
def test_answers_that_are_not_what_the_settings_say_are_refused(block, answer):
    with pytest.raises(Invalid):
        outputs(predictor_settings(block), answer)


class Model(BaseHTTPRequestHandler):
    """A model server that speaks CSV; after ``server.fails_after`` requests it is out of order."""

    def do_POST(self):
        self.server.asked.append(dict(self.headers))
        if len(self.server.asked) > self.server.fails_after:
            self.send_error(503)
            return
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        rows = np.array([[*map(float, line.split(","))] for line in body.splitlines()])
        answer = "\n".join(repr(float(one)) for one in scores(rows)).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def served():
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        server.asked, server.fails_after = [], math.inf
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def job(tmp_path):
    import pyarrow.csv

    pyarrow.csv.write_csv(table(), tmp_path / "data.csv")
    asked = {"dataset_type": "text/csv", "label": "y", "methods": shap(save_local_shap_values=True)}
    (tmp_path / "config.json").write_text(json.dumps(asked))
    return tmp_path


def run(job, *options):
    command = [job / "config.json", "--data", job / "data.csv", "--out", job / "out", *options]
    return CliRunner().invoke(analyze, [str(one) for one in command])


def test_the_command_asks_a_served_model_and_writes_the_folder(job, served):
    told = run(job, "--predictor", f"http://127.0.0.1:{served.server_port}/", "--header", "X-Key: secret")

    assert told.exit_code == 0, told.output
    made = read_analysis((job / "out" / "analysis.json").read_bytes())
    assert made == made_by(analyze_files(config(shap()), table(), predictor=scores))
    assert (job / "out" / "explanations_shap" / "out.csv").exists()
    assert served.asked[0]["X-Key"] == "secret"
    assert served.asked[0]["Content-Type"] == "text/csv"


def test_the_command_asks_a_function_of_the_users_own(job, monkeypatch):
    monkeypatch.chdir(job)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (job / "own_scoring.py").write_text(
        "import numpy as np\n\ndef score(rows):\n    return np.asarray(rows)[:, 0] * 2\n"
    )

    told = run(job, "--predictor", "own_scoring:score")

    assert told.exit_code == 0, told.output
    made = read_analysis((job / "out" / "analysis.json").read_bytes()).explanations.kernel_shap["label0"]
    assert made.global_shap_values["b"] == pytest.approx(0, abs=1e-12)
    assert isinstance(run(job, "--predictor", "own_scoring:none").exception, NotFound)
    assert isinstance(run(job, "--predictor", "nonsense").exception, Invalid)


def test_a_run_that_breaks_off_is_gone_on_with(job, served, monkeypatch):
    monkeypatch.setattr("modelward.analysis.compatible.predictors.REQUEST_ROWS", 32)
    options = ["--predictor", f"http://127.0.0.1:{served.server_port}/", "--state", job / "state"]
    served.fails_after = 5

    broken = run(job, *options)

    assert isinstance(broken.exception, Unavailable)
    assert not (job / "out").exists()
    assert (job / "state").exists()
    asked, served.fails_after = len(served.asked), math.inf
    done = run(job, *options)
    assert done.exit_code == 0, done.output
    assert not (job / "state").exists()
    whole = math.ceil(30 * 8 / 32) + 2
    assert len(served.asked) - asked < whole
    made = read_analysis((job / "out" / "analysis.json").read_bytes()).explanations.kernel_shap["label0"]
    expected = kernel(analyze_files(config(shap()), table(), predictor=scores))["label0"]
    assert made.global_shap_values == pytest.approx(expected.global_shap_values, abs=1e-12)
