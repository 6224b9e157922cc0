"""Cards through the formats of others: what comes back, what is dropped and told, and that others can read it."""

import json
from importlib import resources

import pytest
from hypothesis import HealthCheck, example, given, settings
from jsonschema_rs import Draft7Validator

from modelward.governance.cards import rules
from modelward.governance.cards.documents import formats
from modelward.governance.cards.documents.dropping import DOCUMENT_BYTES_MAX, without_empty
from modelward.governance.cards.documents.entities import ExportFormat, ImportFormat
from modelward.governance.cards.documents.importing import import_card
from modelward.kernel import codec
from modelward.kernel.errors import Invalid
from support.card_contents import HOSTILE_LEGAL, contents, facts_of

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def written(format, content):
    return formats.write(ExportFormat(format), facts_of(content))


def there_and_back(format, content):
    return import_card(ImportFormat(format), written(format, content).data)


def pruned(content):
    """Without what is empty: the same statement."""
    once = without_empty(content)
    return once if once == content else pruned(once)


@SLOW
@given(contents())
def test_every_legal_card_survives_the_content_json_byte_for_byte(content):
    back = there_and_back("aws-json", content)

    assert codec.canonical(back.content) == codec.canonical(content)
    assert back.dropped == []


@SLOW
@given(contents())
def test_our_own_json_brings_the_content_back_and_its_digest_can_be_computed_from_it(content):
    data = written("json", content).data

    assert import_card(ImportFormat.JSON, data).content == content
    assert json.loads(data)["digest"] == rules.digest_of(content)


@SLOW
@given(contents())
@example({"model_overview": {"model_id": "\x85"}})
def test_a_hugging_face_card_brings_back_all_that_was_said(content):
    assert written("hugging-face", content).dropped == []
    assert pruned(there_and_back("hugging-face", content).content) == pruned(content)


@SLOW
@given(contents())
@example({"model_overview": {"model_version": 1}})
@example({})
def test_a_bom_brings_back_all_that_was_said(content):
    assert written("cyclonedx", content).dropped == []
    assert pruned(there_and_back("cyclonedx", content).content) == pruned(content)


@SLOW
@given(contents())
def test_what_the_toolkit_or_spdx_cannot_say_is_told_and_the_rest_comes_back(content):
    out = written("model-card-toolkit", content)
    back = there_and_back("model-card-toolkit", content).content
    spdx = written("spdx", content)

    told = [each.path for each in out.dropped]
    assert len(told) == len(set(told))
    for path in rules.leaves(pruned(content)):
        if path.startswith("$.evaluation_details"):
            continue
        is_told = any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in told)
        assert is_told or _at(back, path) == _at(content, path), path
    assert all(each.why for each in [*out.dropped, *spdx.dropped])


def _at(content, path):
    here = content
    for step in path.split(".")[1:]:
        here = here.get(step, {}) if isinstance(here, dict) else None
    return here


@pytest.fixture(scope="module")
def bom_schema():
    folder = resources.files(pytest.importorskip("cyclonedx.schema", reason="needs cyclonedx-python-lib")) / "_res"
    read = {name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
            for name in ("bom-1.6", "spdx", "jsf-0.82")}  # fmt: skip
    bom = read["bom-1.6"]
    known = {f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json": one for name, one in read.items()}
    known |= {f"http://cyclonedx.org/schema/{name}.schema.json": one for name, one in read.items()}

    def retrieve(uri):
        return known[uri.partition("#")[0]]

    return Draft7Validator(bom, retriever=retrieve)


@SLOW
@given(contents())
def test_a_bom_keeps_to_the_published_schema(bom_schema, content):
    assert [str(each) for each in bom_schema.iter_errors(json.loads(written("cyclonedx", content).data))] == []


def test_the_hub_reads_our_card():
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    metric = {"name": "auc", "type": "number", "value": 0.94}
    told = {"name": "quality", "datasets": ["october"], "metric_groups": [{"name": "quality", "metric_data": [metric]}]}
    content = {
        "model_overview": {"problem_type": "tabular-classification"},
        "intended_uses": {"intended_uses": "Cards."},
        "evaluation_details": [told],
    }

    card = hub.ModelCard(written("hugging-face", content).data.decode())

    result = card.data.eval_results[0]
    assert (result.metric_type, result.metric_value, result.dataset_type) == ("auc", 0.94, "october")
    assert card.data.pipeline_tag == "tabular-classification"
    assert "## Uses\n\nCards." in card.text


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(contents())
def test_the_hub_and_the_published_model_of_spdx_read_every_legal_card(content):
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    model = pytest.importorskip("spdx_python_model", reason="needs spdx-python-model").v3_0_1

    card = hub.ModelCard(written("hugging-face", content).data.decode(), ignore_metadata_errors=False)
    objects = model.SHACLObjectSet()
    model.JSONLDDeserializer().deserialize_data(json.loads(written("spdx", content).data), objects)
    model.JSONLDSerializer().serialize_data(objects)

    assert card.data.model_name == "fraud-v3"
    assert len(list(objects.foreach_type("ai_AIPackage"))) == 1


def test_a_card_of_the_hub_becomes_ours():
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    data = hub.ModelCardData(
        language=["en", "de"],
        license="mit",
        library_name="sklearn",
        tags=["fraud"],
        datasets=["cards"],
        model_name="fraud",
        eval_results=[
            hub.EvalResult("tabular-classification", "cards", "Cards", "accuracy", 0.9, metric_name="Accuracy")
        ],
    )
    text = f"---\n{data.to_yaml()}\n---\n\n# Fraud\n\n## Uses\n\nFor *cards*.\n\n## How to Get Started\n\nRun it.\n"

    back = import_card(ImportFormat.HUGGING_FACE, text.encode())

    assert back.name == "fraud"
    assert back.content["intended_uses"] == {"intended_uses": "For *cards*."}
    assert back.content["additional_information"]["custom_details"]["license"] == "mit"
    assert back.content["evaluation_details"][0]["metric_groups"][0]["metric_data"] == [
        {"name": "accuracy", "type": "number", "value": 0.9}
    ]
    assert [each.path for each in back.dropped] == ["$.body['How to Get Started']"]


def test_spdx_is_read_by_the_published_model():
    model = pytest.importorskip("spdx_python_model", reason="needs spdx-python-model").v3_0_1
    content = {
        "model_overview": {"model_name": "fraud", "model_owner": "Risk", "model_artifact": ["sha256:" + "ab" * 32]},
        "intended_uses": {"risk_rating": "High", "purpose_of_model": "Stop fraud."},
        "training_details": {
            "training_job_details": {
                "training_datasets": ["october"],
                "hyper_parameters": [{"name": "depth", "value": "7"}],
                "training_metrics": [{"name": "auc", "value": 0.9}],
            }
        },
    }
    objects = model.SHACLObjectSet()

    model.JSONLDDeserializer().deserialize_data(json.loads(written("spdx", content).data), objects)

    (package,) = objects.foreach_type("ai_AIPackage")
    assert package.name == "fraud"
    assert package.ai_safetyRiskAssessment.endswith("/high")
    assert [(each.key, each.value) for each in package.ai_hyperparameter] == [("depth", "7")]
    assert len(list(objects.foreach_type("dataset_DatasetPackage"))) == 1
    for each in objects.objects:
        for _ in each.property_keys():
            pass
    model.JSONLDSerializer().serialize_data(objects)


def test_a_card_of_the_toolkit_becomes_ours():
    document = {
        "schema_version": "0.0.2",
        "model_details": {
            "name": "Fraud",
            "overview": "Scores.",
            "owners": [{"name": "Risk", "contact": "risk@example.com"}],
            "version": {"name": "v2", "date": "2026-01-01"},
            "licenses": [{"identifier": "MIT"}],
        },
        "model_parameters": {"data": [{"name": "cards", "link": "https://x.example", "graphics": {"collection": [1]}}]},
        "quantitative_analysis": {
            "performance_metrics": [
                {"type": "accuracy", "value": "0.91", "slice": "all", "confidence_interval": {"lower_bound": "0.9"}}
            ],
            "graphics": {"collection": [{"name": "roc", "image": "aGk="}]},
        },
        "considerations": {
            "users": [{"description": "Tellers"}],
            "ethical_considerations": [{"name": "Age", "mitigation_strategy": "Call"}],
        },
    }

    back = import_card(ImportFormat.MODEL_CARD_TOOLKIT, json.dumps(document).encode())

    assert back.content["model_overview"]["model_owner"] == "Risk <risk@example.com>"
    assert back.content["additional_information"]["ethical_considerations"] == "Age: Call"
    assert back.content["evaluation_details"][0]["metric_groups"][0]["metric_data"][0]["value"] == 0.91
    assert {each.path for each in back.dropped} == {
        "$.quantitative_analysis.graphics",
        "$.model_parameters.data[0].graphics",
    }


def test_a_foreign_bom_becomes_a_card_and_what_it_lacks_is_told():
    card = {
        "modelParameters": {"task": "tagging", "approach": {"type": "supervised"}, "inputs": [{"format": "text"}]},
        "quantitativeAnalysis": {
            "performanceMetrics": [{"type": "f1", "value": "0.8", "slice": "en"}, {"type": "none"}],
            "graphics": {"collection": [{"name": "roc"}]},
        },
        "considerations": {"users": ["Clerks"], "fairnessAssessments": [{"groupAtRisk": "old", "harms": "refusal"}]},
    }
    model = {"type": "machine-learning-model", "name": "tagger", "version": "1.2", "modelCard": card}
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "components": [{"type": "library", "name": "torch"}, model],
        "dependencies": [{"ref": "a"}],
    }

    back = import_card(ImportFormat.CYCLONEDX, json.dumps(bom).encode())

    assert back.content["model_overview"]["model_name"] == "tagger"
    assert back.content["business_details"]["business_stakeholders"] == "Clerks"
    assert "Group at risk: old; harms: refusal" in back.content["additional_information"]["ethical_considerations"]
    assert [each.path for each in back.dropped] == [
        "$.components[1].modelCard.quantitativeAnalysis.performanceMetrics[1]",
        "$.components[1].modelCard.quantitativeAnalysis.graphics",
        "$.dependencies",
    ]


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_left_out_with_its_metric_and_told(token):
    metrics = f'[{{"name":"a","type":"number","value":{token}}},{{"name":"b","type":"number","value":1}}]'
    data = f'{{"evaluation_details":[{{"name":"q","metric_groups":[{{"name":"g","metric_data":{metrics}}}]}}]}}'

    back = import_card(ImportFormat.AWS_JSON, data.encode())

    assert [each["name"] for each in back.content["evaluation_details"][0]["metric_groups"][0]["metric_data"]] == ["b"]
    assert [each.path for each in back.dropped] == ["$.evaluation_details[0].metric_groups[0].metric_data[0]"]


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]"


@pytest.mark.parametrize(
    "format, data, told",
    [
        ("aws-json", b"[1]", "JSON object"),
        ("aws-json", b'{"a":1,"a":2}', "twice"),
        ("aws-json", b"[" * 100_000, "cannot be read"),
        ("aws-json", b'{"unknown": 1}', "unknown"),
        ("aws-json", b'{"model_overview": {"model_version": 0}}', "model_version"),
        ("json", b"{}", "format"),
        ("hugging-face", f"---\n{BOMB}\n---\n".encode(), "aliases"),
        ("hugging-face", b"---\na: !!python/object/apply:os.system ['id']\n---\n", "cannot be read"),
        ("hugging-face", b"---\n" + b"[" * 5000 + b"\n---\n", "cannot be read"),
        ("hugging-face", b"---\n- 1\n---\n", "no object"),
        ("hugging-face", b"\xff\xfe", "UTF-8"),
        ("hugging-face", b"---\nmodelward: {model_overview: [1]}\n---\n", "model_overview"),
        ("model-card-toolkit", b"{}", "no model card"),
        ("cyclonedx", b'{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}', "no component"),
        ("cyclonedx", b'{"bomFormat":"CycloneDX","specVersion":"1.1"}', "version"),
        ("aws-json", b" " * (DOCUMENT_BYTES_MAX + 1), "at most"),
    ],
)  # fmt: skip
def test_a_document_that_is_none_is_refused_in_words(format, data, told):
    with pytest.raises(Invalid, match=told):
        import_card(ImportFormat(format), data)


@pytest.mark.parametrize("format", list(ImportFormat))
@pytest.mark.parametrize("text", HOSTILE_LEGAL)
def test_hostile_text_comes_back_as_it_was(format, text):
    content = {"intended_uses": {"intended_uses": text}, "additional_information": {"ethical_considerations": text}}

    back = there_and_back(format, content).content

    assert back["intended_uses"] == content["intended_uses"]
    assert back["additional_information"]["ethical_considerations"] == text
