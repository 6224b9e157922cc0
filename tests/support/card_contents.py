"""Legal contents of cards, drawn from the limits of the schema; and the facts of a document made of one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from modelward.governance.cards import rules
from modelward.governance.cards.documents.facts import BoundEvidence, CardFacts, Signature
from modelward.kernel.refs import CardRef, ModelRef, VersionRef

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
# What has meaning in typst, HTML, Markdown, YAML and for a terminal or a reader's eye.
HOSTILE = (
    '#eval("1") #import "/etc/passwd" $x^2$ @label <label> *bold* _it_ `raw` \\ // /* */ [x](y) = Heading',
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;&#60;",
    "\u202egnp.exe\u2066 right\u2069 \u200f",
    "---\nmodelward: {a: &a [*a]}\n---\n# Uses\n| a | b |\n```\n## x",
    "{{ 7*7 }} {% raw %} ${jndi:x} %s %n",
    "\x1b[31mred\x07 \x00? \ufffe \U0001f600 \u65e5\u672c \u0627\u0644\u0639 zal\u0300\u0301\u0302\u0303go",
    "]]> <!-- --> javascript:alert(1) https://evil.example/?q=1 http://a b",
    "  two blanks at the end  \n\n\n- item\n1. one\n> quote\n***\n=====",
)
HOSTILE_LEGAL = tuple(text.replace("\x00", "") for text in HOSTILE)
letters = st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00")


def texts(most: int) -> st.SearchStrategy[str]:
    """Texts of at most so many characters, some of them hostile."""
    plain = st.text(letters, min_size=1, max_size=min(most, 60))
    return st.one_of(plain, st.sampled_from(HOSTILE_LEGAL).map(lambda text: text[:most]))


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53),
)
lists = st.lists(texts(1024), max_size=3)
names = texts(60).filter(lambda text: bool(text.replace("\n", "")))


def sections(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Any subset of some fields."""
    return st.fixed_dictionaries({}, optional=fields)


def metrics() -> st.SearchStrategy[dict[str, Any]]:
    """A metric of any kind."""
    notes, axis, axes = texts(1024), texts(63), st.lists(texts(63), max_size=5)
    number = st.fixed_dictionaries(
        {"name": names, "type": st.sampled_from(["number"]), "value": numbers}, optional={"notes": notes}
    )
    text = st.fixed_dictionaries({"name": names, "type": st.just("string"), "value": texts(63)})
    boolean = st.fixed_dictionaries({"name": names, "type": st.just("boolean"), "value": st.booleans()})
    line = st.fixed_dictionaries(
        {
            "name": names,
            "type": st.just("linear_graph"),
            "value": st.lists(st.tuples(numbers, numbers).map(list), min_size=1, max_size=5),
        },
        optional={"x_axis_name": axis, "y_axis_name": axis, "notes": notes},
    )
    bars = st.fixed_dictionaries(
        {"name": names, "type": st.just("bar_chart"), "value": st.lists(numbers, min_size=1, max_size=5)},
        optional={"x_axis_name": axes, "y_axis_name": axis},
    )
    matrix = st.fixed_dictionaries(
        {
            "name": names,
            "type": st.just("matrix"),
            "value": st.lists(st.lists(numbers, min_size=1, max_size=4), min_size=1, max_size=4),
        },
        optional={"x_axis_name": axes, "y_axis_name": axes},
    )
    return st.one_of(number, text, boolean, line, bars, matrix)


def evaluations() -> st.SearchStrategy[dict[str, Any]]:
    """An evaluation."""
    group = st.fixed_dictionaries({"name": names, "metric_data": st.lists(metrics(), max_size=3)})
    return st.fixed_dictionaries(
        {"name": names},
        optional={
            "evaluation_observation": texts(2096),
            "evaluation_job_arn": texts(256),
            "datasets": lists,
            "metadata": st.dictionaries(names, texts(1024), max_size=3),
            "metric_groups": st.lists(group, max_size=2),
        },
    )


def contents() -> st.SearchStrategy[dict[str, Any]]:
    """A legal content of a card."""
    text, long = texts(1024), texts(2048)
    trained = st.fixed_dictionaries({"name": names, "value": numbers}, optional={"notes": text})
    parameter = st.fixed_dictionaries({"name": names}, optional={"value": texts(200)})
    function = sections(
        function=st.sampled_from(["Maximize", "Minimize"]), facet=texts(63), condition=texts(63), notes=text
    )
    job = sections(
        training_arn=text,
        training_datasets=lists,
        training_environment=sections(container_image=lists),
        training_metrics=st.lists(trained, max_size=3),
        hyper_parameters=st.lists(parameter, max_size=3),
        user_provided_hyper_parameters=st.lists(parameter, max_size=2),
    )
    return sections(
        model_overview=sections(
            model_id=text,
            model_name=text,
            model_description=text,
            model_version=st.integers(1, 10**6),
            problem_type=text,
            algorithm_type=text,
            model_creator=text,
            model_owner=text,
            model_artifact=lists,
            inference_environment=sections(container_image=lists),
        ),
        intended_uses=sections(
            purpose_of_model=long,
            intended_uses=long,
            factors_affecting_model_efficiency=long,
            risk_rating=st.sampled_from(["High", "Medium", "Low", "Unknown"]),
            explanations_for_risk_rating=long,
        ),
        business_details=sections(business_problem=long, business_stakeholders=long, line_of_business=long),
        training_details=sections(
            objective_function=st.one_of(function, text), training_observations=text, training_job_details=job
        ),
        evaluation_details=st.lists(evaluations(), max_size=2),
        additional_information=sections(
            ethical_considerations=long,
            caveats_and_recommendations=long,
            custom_details=st.dictionaries(names, text, max_size=3),
        ),
    )


def facts_of(content: dict[str, Any], **chosen: Any) -> CardFacts:
    """The facts of a document whose card says this."""
    return CardFacts(
        **{
            "name": CardRef("fraud-v3"),
            "model": ModelRef("fraud"),
            "version": VersionRef("fraud@3"),
            "status": "approved",
            "number": 4,
            "current": 4,
            "digest": rules.digest_of(content),
            "content": content,
            "origins": {"$.model_overview.model_description": "registration of fraud@3"},
            "at": NOON,
            "by": "ana",
            "note": "Numbers of October.",
            "risk_rating": "High",
            "complete_share": 0.5,
            "missing": ["$.intended_uses.purpose_of_model"],
            "signatures": [
                Signature(by="maria", at=NOON + timedelta(days=2), meaning="Approved fraud@3 for use.", note="Agreed.")
            ],
            "evidence": [
                BoundEvidence(
                    path="$.evaluation_details[0]", source="evaluation e-1", at=NOON - timedelta(days=9), value="0.94",
                    state="current",
                )
            ],
            "link": "https://models.example.com/cards/fraud-v3",
            **chosen,
        }
    )  # fmt: skip
