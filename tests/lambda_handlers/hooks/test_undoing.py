"""Where CodeDeploy runs hooks in a deployment that undoes another, they let it through, wherever it goes."""

import pytest

from serinus.lambda_handlers.hooks import after_traffic, before_traffic

UNDOING = {
    "by CodeDeploy": {"creator": "codeDeployRollback"},
    "by CloudFormation": {"creator": "CloudFormationRollback"},
    "by what it names": {"rollback": True},
}


def ask(hook, release):
    if hook == "before":
        return before_traffic.respond(release.hook_event, release, release.context)
    return after_traffic.respond(release.hook_event, release.context)


@pytest.fixture
def disliked(release):
    """A release that both hooks refuse: neither version nor alias answers, and the judge has objected."""
    release.shift_all()
    for qualifier in (release.canary, release.alias):
        release.functions.answers[qualifier] = lambda _event: {"errorMessage": "gone"}
    return release


@pytest.mark.parametrize("hook", ["before", "after"])
@pytest.mark.parametrize("kind", UNDOING)
@pytest.mark.parametrize("strategy", ["canary", "linear", "blue_green", "all_at_once"])
def test_what_undoes_a_release_passes_unasked(disliked, hook, kind, strategy):
    disliked.environ["SERINUS_STRATEGY"] = strategy
    for name, value in UNDOING[kind].items():
        setattr(disliked.codedeploy, name, value)
    assert ask(hook, disliked)["status"] == "Succeeded"
    assert [one["status"] for one in disliked.codedeploy.reports] == ["Succeeded"]
    assert not disliked.functions.events
    assert not disliked.ssm.values


@pytest.mark.parametrize("hook", ["before", "after"])
@pytest.mark.parametrize("creator", ["user", "CodeDeploy", "CloudFormation"])
def test_any_other_deployment_is_asked(disliked, hook, creator):
    disliked.codedeploy.creator = creator
    assert ask(hook, disliked)["status"] == "Failed"


@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_deployment_of_which_that_cannot_be_read_fails(release, monkeypatch, hook):
    def refuse(**_parameters):
        raise release.codedeploy.error("GetDeployment", "AccessDenied")

    release.shift_all()
    monkeypatch.setattr(release.codedeploy, "get_deployment", refuse)
    assert ask(hook, release)["status"] == "Failed"
