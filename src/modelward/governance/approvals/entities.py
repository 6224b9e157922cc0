"""Reviews of versions, the facts they are judged by, and what happens to them. Frozen; no I/O."""

from datetime import datetime
from enum import StrEnum

import msgspec

from modelward.governance.evaluations.entities import Limit
from modelward.kernel.actors import ActorKind
from modelward.kernel.events import Happening
from modelward.kernel.outcome import Outcome
from modelward.kernel.refs import CardRef, Digest, EvaluationRef, ReviewRef, VersionRef


class ReviewState(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a person says at the end of a review."""

    APPROVE = "approve"
    REJECT = "reject"


class VersionFact(msgspec.Struct, frozen=True, kw_only=True):
    """What a review knows of the version."""

    ref: VersionRef
    problem_type: str
    artifact: Digest | None
    artifact_stored: bool
    registered_by: str


class BoundFact(msgspec.Struct, frozen=True, kw_only=True):
    """What a review knows of a field of the card that is bound to evidence. ``stale`` says why it is, as far as it is noted."""

    path: str
    evidence: str
    digest: Digest
    at: datetime
    days_max: int | None = None
    stale: str = ""


class CardFact(msgspec.Struct, frozen=True, kw_only=True):
    """What a review knows of the version's card."""

    name: CardRef
    number: int
    digest: Digest
    status: str
    risk_rating: str
    authors: list[str]
    complete_share: float
    missing: list[str]
    shows: list[Digest]
    bound: list[BoundFact] = []


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a review knows of one evaluation: the newest of its kind that finished or failed."""

    evaluation: EvaluationRef
    kind: str
    state: str
    outcome: Outcome | None
    reason: str
    dataset: Digest
    report: Digest | None
    metrics: dict[str, float]
    findings: list[str]
    problem_type: str
    requested_by: str
    finished_at: datetime | None


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All facts of a review, gathered once, with the policy that judges them. Its digest is what a person saw."""

    version: VersionFact
    card: CardFact | None
    evidence: list[Evidence]
    running: list[EvaluationRef]
    policy: Digest


class Decider(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides a review: the actor, the persona they act as (None: none), and who made the key they use."""

    id: str
    name: str
    kind: ActorKind
    persona: str | None
    key_made_by: str = ""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: three-valued, with a reason. A blocking one must have passed before an approval."""

    check: str
    outcome: Outcome
    reason: str
    blocking: bool


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What an approval holds for: exactly these bytes, this card version, this evidence, this policy.

    ``card_evidence`` is what fields of the card are bound to.
    """

    artifact: Digest | None
    card: CardRef | None
    card_number: int | None
    card_digest: Digest | None
    evidence: list[Digest]
    card_evidence: list[Digest] = []
    policy: Digest


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A review of a version. ``dossier`` is the digest of the facts that the checks were judged on."""

    id: ReviewRef
    version: VersionRef
    state: ReviewState = ReviewState.OPEN
    because: str
    checks: list[CheckResult] = []
    dossier: Digest
    opened_at: datetime
    checked_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    note: str = ""
    bound: Binding | None = None


class FullReview(Review, frozen=True, kw_only=True):
    """A review with the facts as they are now, judged now, and what stands against an approval by the one who asks.

    ``seen`` is the digest to send with a decision; ``hindrances`` is empty when the reader may approve;
    ``to_justify`` names the checks that an approval must answer in its note.
    """

    facts: Dossier
    seen: Digest
    hindrances: list[str]
    to_justify: list[str]


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a policy: a check, whether it blocks, for which problem types (none named: all), what it asks for.

    A check that does not block and did not pass asks the decider for a written justification instead. ``metrics`` are
    limits by problem type and measure.
    """

    check: str
    blocking: bool = True
    problem_types: list[str] = []
    share_min: float | None = None
    days_max: int | None = None
    metrics: dict[str, dict[str, Limit]] = {}


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an approval needs: the checks, whether four eyes must see it, and which personas may decide."""

    name: str
    four_eyes: bool = True
    approvers: list[str] = []
    checks: list[Requirement]


class PolicyInForce(msgspec.Struct, frozen=True, kw_only=True):
    """The policy with the digest of its text, where the text came from, and since when it counts."""

    policy: Policy
    digest: Digest
    source: str
    text: str
    at: datetime


class PolicyAdopted(Happening, frozen=True, kw_only=True):
    """Another approval policy came into force; open reviews are judged by it from now on."""

    policy: Digest
    source: str
    before: Digest | None


class ReviewOpened(Happening, frozen=True, kw_only=True):
    """A review of a version was opened."""

    review: ReviewRef
    version: VersionRef
    because: str


class ReviewChecked(Happening, frozen=True, kw_only=True):
    """The checks of a review were judged anew and came out differently."""

    review: ReviewRef
    version: VersionRef
    outcomes: dict[str, Outcome]
    dossier: Digest


class ReviewDecided(Happening, frozen=True, kw_only=True):
    """A person decided a review; an approval is bound to what it was given for."""

    review: ReviewRef
    version: VersionRef
    verdict: Verdict
    note: str
    bound: Binding
    outcomes: dict[str, Outcome]


class ReviewWithdrawn(Happening, frozen=True, kw_only=True):
    """A review was closed without a verdict."""

    review: ReviewRef
    version: VersionRef
    reason: str


class ApprovalLapsed(Happening, frozen=True, kw_only=True):
    """Something an approval was bound to has changed, so the approval no longer holds."""

    review: ReviewRef
    version: VersionRef
    reason: str
