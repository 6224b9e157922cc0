"""Cards for the tests of their pages: one that was approved and edited again, and one whose texts are hostile."""

from typing import Any

import modelward

APPROVED, HOSTILE, EMPTY = "pages-approved", "pages-hostile", "pages-empty"
RTL = "safe \u202egnp.exe\u202c text"
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
METRICS = 1500


def tell_cards(served: Any) -> None:
    """Make the cards once for a served house; later calls find them there."""
    if "cards told" in served.made:
        return
    served.made["cards told"] = "yes"
    with modelward.connect(served.url, token=served.tokens["ana"]) as ana:
        rita = ana.as_(served.tokens["rita"])
        ana.cards.create(APPROVED, content=_whole())
        rita.cards.change_status(APPROVED, "approved", reason="Read with the team.")
        ana.cards.edit(APPROVED, patch={"business_details": {"business_problem": "Fraud costs 0.07 % of turnover."}})
        ana.cards.create(EMPTY)
        ana.cards.create(HOSTILE, content=_hostile())


def _whole() -> dict[str, Any]:
    return {
        "model_overview": {"model_name": APPROVED, "model_description": "Scores a payment.", "model_owner": "ana"},
        "intended_uses": {
            "purpose_of_model": "Find payments that a person should look at.",
            "intended_uses": "A second look.",
            "risk_rating": "Medium",
            "explanations_for_risk_rating": "A blocked payment hurts a customer at once.",
        },
        "business_details": {"business_problem": "Fraud costs 0.08 % of turnover."},
        "training_details": {
            "objective_function": {"function": {"function": "Maximize", "facet": "AUC"}, "notes": "On holdout."},
            "training_job_details": {
                "training_metrics": [{"name": "auc", "value": 0.91}],
                "hyper_parameters": [{"name": "depth", "value": "4"}, {"name": "empty", "value": ""}],
            },
        },
        "evaluation_details": [
            {
                "name": "by hand",
                "metric_groups": [
                    {
                        "name": "drawn",
                        "metric_data": [
                            {"name": "curve", "type": "linear_graph", "value": [[0, 1], [1, 3.5], [2, 2]]},
                            {"name": "bars", "type": "bar_chart", "value": [1, 2], "x_axis_name": ["a", "b"]},
                            {"name": "square", "type": "matrix", "value": [[1, 2], [3, 4]]},
                        ],
                    }
                ],
            }
        ],
        "additional_information": {
            "ethical_considerations": "Rates by sex are watched.",
            "caveats_and_recommendations": "Not for transfers.",
            "custom_details": {"a name with blanks": "and its text"},
        },
    }


def _hostile() -> dict[str, Any]:
    numbers = [{"name": f"m{place}", "type": "number", "value": place / 7} for place in range(METRICS)]
    return {
        "model_overview": {"model_description": SCRIPT, "model_owner": RTL, "problem_type": "x" * 1024},
        "intended_uses": {"purpose_of_model": "W" * 2048, "intended_uses": RTL * 50},
        "evaluation_details": [
            {
                "name": SCRIPT[:60],
                "evaluation_observation": SCRIPT,
                "metric_groups": [{"name": RTL, "metric_data": numbers}],
                "metadata": {SCRIPT[:40]: SCRIPT},
            }
        ],
        "additional_information": {"custom_details": {SCRIPT: "y" * 1024, RTL: SCRIPT}},
    }


def say(served: Any, card: str) -> None:
    """Comments, a request and a document on a card, all with hostile texts; once for a served house."""
    if f"said on {card}" in served.made:
        return
    served.made[f"said on {card}"] = "yes"
    with modelward.connect(served.url, token=served.tokens["rita"]) as rita:
        post = rita.cards._sender.post
        text = f"{SCRIPT} {RTL} {'z' * 3000} @ana"
        post(f"/cards/{card}/comments", {"text": text, "path": "$.intended_uses"})
        post(f"/cards/{card}/review-requests", {"reviewer": "ana", "note": SCRIPT})
        post(f"/cards/{card}/exports", {"format": "json"})
