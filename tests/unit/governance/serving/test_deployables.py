"""Deployables: made once, of approved versions only, removed for good."""

import pytest

from modelward.governance.serving import deployables
from modelward.governance.serving.deployable import Container
from modelward.governance.serving.deployables import DeployableExists, VersionFact, VersionNotApproved
from modelward.kernel.browsing import Browse
from modelward.kernel.errors import Invalid, NotFound
from modelward.kernel.refs import VersionRef
from support.workshops import ANA

FIRST = VersionRef("fraud@1")
CONTAINER = Container(image="xgb:1", model_data="s3://m", environment={"A": "b"}, version=FIRST)


def make(workshop, name="served", approved=True, containers=(CONTAINER,)):
    facts = [VersionFact(ref=FIRST, approved=approved)]
    return workshop.write(
        ANA, lambda work: deployables.make_deployable(work, name=name, containers=list(containers), versions=facts)
    )


def test_a_deployable_comes_back_as_it_was_made_and_a_name_is_given_once(workshop):
    made = make(workshop)

    assert workshop.read(ANA, lambda work: deployables.get_deployable(work, "served")) == made
    with pytest.raises(DeployableExists):
        make(workshop)


def test_a_version_that_is_not_approved_is_not_made_ready(workshop):
    with pytest.raises(VersionNotApproved, match="fraud@1"):
        make(workshop, approved=False)

    assert workshop.read(ANA, lambda work: deployables.browse_deployables(work, Browse())).items == []


@pytest.mark.parametrize("count", [0, 16])
def test_a_deployable_has_one_to_fifteen_containers(workshop, count):
    with pytest.raises(Invalid, match="1 to 15"):
        make(workshop, containers=[CONTAINER] * count)


def test_a_removed_deployable_is_gone_and_its_name_is_free(workshop):
    make(workshop)

    workshop.write(ANA, lambda work: deployables.remove_deployable(work, "served"))

    with pytest.raises(NotFound):
        workshop.write(ANA, lambda work: deployables.remove_deployable(work, "served"))
    make(workshop)
