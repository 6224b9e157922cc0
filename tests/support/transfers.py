"""A model that tells which transfers a person should look at: what its card says, its facts, and what it got right."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq

# Enough of a card for an approval.
CARD = {
    "intended_uses": {
        "purpose_of_model": "Tell which transfers a person should look at.",
        "risk_rating": "High",
        "explanations_for_risk_rating": "A wrong stop costs a customer a day.",
    },
    "business_details": {"business_problem": "Transfers made by thieves."},
    "additional_information": {"ethical_considerations": "Seen by a person before anything is stopped."},
}
FACTS = {"algorithm": "forest", "problem_type": "binary", "training_datasets": ["transfers-2025"]}


def judged_transfers(rows: int = 600, seed: int = 0, *, scored: bool = False) -> bytes:
    """Transfers as Parquet: the label ``y``, the prediction ``p``, right four times in five, the ``team``, and a ``score``."""
    chance = random.Random(seed)
    y = [chance.randint(0, 1) for _ in range(rows)]
    p = [each if chance.random() < 0.8 else 1 - each for each in y]
    score = {"score": [0.3 * each + 0.5 * chance.random() for each in p]} if scored else {}
    written = io.BytesIO()
    pq.write_table(pa.table({"y": y, "p": p, **score, "team": [chance.choice("ab") for _ in y]}), written)
    return written.getvalue()
