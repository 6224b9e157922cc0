"""What the people of the demo's story write: descriptions, card texts, what is evaluated, notes of decisions."""

from typing import Any, NamedTuple


class ModelStory(NamedTuple):
    """The words around one model of the story."""

    description: str
    version_description: str
    problem_type: str
    objective: str
    content: dict[str, Any]
    evaluations: dict[str, dict[str, Any]]
    approval_note: str = ""


_FLIGHT_QUALITY = {
    "problem_type": "binary",
    "label": "label",
    "prediction": "prediction",
    "probability": "probability",
    "positive": 1,
    "limits": {"auc": {"at_least": 0.65}},
}
_LOAN_QUALITY = {**_FLIGHT_QUALITY, "limits": {"auc": {"at_least": 0.75}}}
_LOAN_BIAS = {"label": "label", "prediction": "prediction", "facets": ["race", "sex"], "favourable": 1}

DELAY = ModelStory(
    description="Will a flight from New York arrive more than 15 minutes late? Told before departure.",
    version_description="Gradient boosting on schedule, plane and weather; trained on January to March 2013.",
    problem_type="binary",
    objective="Log loss",
    content={
        "model_overview": {"model_owner": "Ana Costa, operations analytics"},
        "intended_uses": {
            "purpose_of_model": "Warn gate planning of flights that will probably arrive late.",
            "intended_uses": "Advice to gate planners two hours before departure. Not for compensation or staffing decisions.",
            "factors_affecting_model_efficiency": "Trained on one winter: warm weather and summer schedules are new to it.",
            "risk_rating": "Medium",
            "explanations_for_risk_rating": "A wrong warning costs a gate change; no decision about a person rests on it.",
        },
        "business_details": {
            "business_problem": "Late arrivals block gates.",
            "business_stakeholders": "Gate planning, airport operations",
            "line_of_business": "Airport operations",
        },
        "additional_information": {
            "ethical_considerations": "No personal data is used.",
            "caveats_and_recommendations": "Watch the inputs from April on; retrain with a full year before relying on it in summer.",
        },
    },
    evaluations={
        "quality": _FLIGHT_QUALITY,
        "bias": {"label": "label", "prediction": "prediction", "facets": ["origin"], "favourable": 0},
    },
    approval_note="Approved for gate planning until the monitor on its inputs says otherwise.",
)

MORTGAGE = ModelStory(
    description="Should a mortgage application be approved? A recommendation to the underwriter.",
    version_description="Logistic regression on the application's figures and record.",
    problem_type="binary",
    objective="Log loss",
    content={
        "model_overview": {"model_owner": "Ana Costa, retail credit"},
        "intended_uses": {
            "purpose_of_model": "Recommend approval or closer reading of a mortgage application.",
            "intended_uses": "A second opinion to the underwriter, who decides. Never an automatic refusal.",
            "factors_affecting_model_efficiency": "1,989 applications in Boston, 1990: small, old, one city.",
            "risk_rating": "High",
            "explanations_for_risk_rating": "It bears on people's access to credit; the selection rates of groups differ.",
        },
        "business_details": {
            "business_problem": "Reading every application twice takes days.",
            "business_stakeholders": "Underwriting, compliance, applicants",
            "line_of_business": "Retail credit",
        },
        "additional_information": {
            "ethical_considerations": "Race and sex are not inputs; outputs are compared across both. The historical decisions "
            "that it learned from differ by race.",
            "caveats_and_recommendations": "Read the bias evidence before each use in a new setting.",
        },
    },
    evaluations={"quality": _LOAN_QUALITY, "bias": _LOAN_BIAS},
    approval_note="Approved as a second opinion only. The disparity by race is known, written in the card, and every "
    "recommendation against approval is read by a person.",
)

CANDIDATE = MORTGAGE._replace(
    version_description="Boosted trees; without marital status, dependents and the tract's composition.",
    content={
        "intended_uses": {
            "factors_affecting_model_efficiency": "The same 1,989 applications; three inputs fewer than version 1.",
        },
        "additional_information": {
            "ethical_considerations": "Race and sex are not inputs; the selection rates of groups still differ: see the bias "
            "evidence.",
            "caveats_and_recommendations": "Waits for a reviewer to weigh the disparity against the gain.",
        },
    },
    approval_note="",
)

PRESCREEN = ModelStory(
    description="A first look at an application from six figures, before the file is complete.",
    version_description="A small decision tree.",
    problem_type="binary",
    objective="Gini impurity",
    content={"intended_uses": {"intended_uses": "To be written."}},
    evaluations={},
)

AIR_TIME = ModelStory(
    description="Minutes in the air, for crew planning.",
    version_description="Gradient boosting regression on route, plane and weather.",
    problem_type="regression",
    objective="Squared error",
    content={
        "model_overview": {"model_owner": "Ana Costa, operations analytics"},
        "intended_uses": {
            "purpose_of_model": "Estimate minutes in the air for crew planning.",
            "intended_uses": "Planning of crew rotations a week ahead.",
            "risk_rating": "Low",
            "explanations_for_risk_rating": "An error costs minutes of slack.",
        },
        "business_details": {
            "business_problem": "Rotations are planned with too much slack.",
            "business_stakeholders": "Crew planning",
            "line_of_business": "Airport operations",
        },
        "additional_information": {
            "ethical_considerations": "No personal data is used.",
            "caveats_and_recommendations": "Nobody watches its inputs yet.",
        },
    },
    evaluations={
        "quality": {
            "problem_type": "regression",
            "label": "label",
            "prediction": "prediction",
            "limits": {"r2": {"at_least": 0.8}},
        }
    },
    approval_note="Approved for crew planning; low risk.",
)
