"""CodeDeploy's rules for Lambda: what a deployment is told to do."""

import json
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError


def test_an_appspec_may_be_yaml(bench: Any) -> None:
    """An AppSpec for Lambda is written in YAML or JSON.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release("LambdaAllAtOnce")
    deployment = release.create(yaml.safe_dump(release.spec()))
    bench.cloud.advance()
    assert bench.info(deployment)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "value"),
    [("CurrentVersion", "$LATEST"), ("TargetVersion", "0"), ("Alias", ""), ("TargetVersion", "1")],
)
def test_an_appspec_must_be_complete(bench: Any, name: str, value: str) -> None:
    """Name, alias and two positive version numbers are required.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release()
    spec = release.spec()
    spec["Resources"][0]["served"]["Properties"][name] = value
    with pytest.raises(ClientError) as error:
        release.create(json.dumps(spec))
    assert error.value.response["Error"]["Code"] == "InvalidRevisionException"


def test_a_deployment_fails_if_the_alias_is_elsewhere(bench: Any) -> None:
    """currentversion is the version that traffic currently points to.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
    """
    release = bench.release("LambdaAllAtOnce")
    release.deploy()
    deployment = release.deploy()
    error = bench.info(deployment)["errorInformation"]
    assert error["code"] == "INVALID_LAMBDA_CONFIGURATION"
    # In AWS's own words, as https://github.com/aws/serverless-application-model/issues/291 quotes them.
    assert "alias version does not match the current version in AppSpec file" in error["message"]


def test_revisions_in_s3_are_refused_by_name(bench: Any) -> None:
    """Revisions may lie in S3 or GitHub on AWS; here AppSpecContent is what can be deployed.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RevisionLocation.html
    """
    release = bench.release()
    revision = {"revisionType": "S3", "s3Location": {"bucket": "b", "key": "k", "bundleType": "YAML"}}
    with pytest.raises(ClientError, match="does not model CodeDeploy revisions of type S3"):
        bench.codedeploy.create_deployment(
            applicationName="app", deploymentGroupName=release.name, revision=revision
        )
