"""Where CodeDeploy runs hooks in a deployment that undoes another, they let it through, wherever it goes."""

import pytest

from serinus.lambda_handlers.hooks import after_traffic, before_traffic

UNDOING = {
    "by CodeDeploy": {"creator": "codeDeployRollback"},
    "by CloudFormation": {"creator": "CloudFormationRollback"},
    "by what it names": {"rollback": True},
    # As CloudFormation may start it: like any release, but to the version before.
    "by where it goes": {"versions": ("7", "6")},
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


@pytest.fixture
def unreadable(monkeypatch):
    """Takes the permission to read the deployment's creator."""

    def refuse(release):
        def denied(**_parameters):
            raise release.codedeploy.error("GetDeployment", "AccessDenied")

        monkeypatch.setattr(release.codedeploy, "get_deployment", denied)

    return refuse


@pytest.mark.parametrize("hook", ["before", "after"])
def test_without_the_permission_to_read_it_a_deployment_back_still_passes(disliked, unreadable, hook):
    unreadable(disliked)
    disliked.codedeploy.versions = ("7", "6")
    assert ask(hook, disliked)["status"] == "Succeeded"
    assert not disliked.functions.events


@pytest.mark.parametrize("hook", ["before", "after"])
def test_without_that_permission_a_release_is_asked_as_ever(disliked, unreadable, hook):
    unreadable(disliked)
    assert ask(hook, disliked)["status"] == "Failed"


@pytest.mark.parametrize("hook", ["before", "after"])
def test_a_deployment_of_which_nothing_can_be_read_fails(release, unreadable, monkeypatch, hook):
    def denied(**_parameters):
        raise release.codedeploy.error("BatchGetDeploymentTargets", "AccessDenied")

    release.shift_all()
    unreadable(release)
    monkeypatch.setattr(release.codedeploy, "batch_get_deployment_targets", denied)
    assert ask(hook, release)["status"] == "Failed"


def test_the_version_before_ten_is_nine(disliked):
    disliked.codedeploy.versions = ("9", "10")
    assert ask("before", disliked)["status"] == "Failed"
