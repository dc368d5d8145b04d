"""After traffic: the alias answers as the new version, or the deployment fails; blue_green waits for the judge."""

import json

from lambda_handlers.hooks.after_traffic import respond


def test_an_alias_that_answers_as_the_new_version_is_confirmed(release):
    assert respond(release.hook_event, release.around)["status"] == "Succeeded"
    assert {qualifier for qualifier, _ in release.functions.events} == {release.alias}


def test_an_alias_that_still_answers_as_the_old_version_fails(release):
    release.functions.answers[release.alias] = release.functions.answers[release.stable]
    assert respond(release.hook_event, release.around)["status"] == "Failed"
    assert release.codedeploy.reports[0]["status"] == "Failed"


def test_a_blue_green_deployment_is_held_for_the_judge(release):
    release.environ["SERINUS_STRATEGY"] = "blue_green"
    assert respond(release.hook_event, release.around) == {"status": "InProgress"}
    assert not release.codedeploy.reports
    (held,) = release.ssm.values.values()
    assert json.loads(held) == {"deployment_id": release.deployment, "execution_id": "hook-1"}
