"""The reasons for each finding of cdk-nag's rule packs (AwsSolutions, Serverless) that the endpoint's stack keeps.

Each finding is acknowledged at its own construct and nowhere else, so that the same finding elsewhere is reported.
A test runs the packs: a finding without its acknowledgement fails it, and so does the opposite.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

_FUNCTIONS = ("Inference", "Hooks/Before", "Hooks/After", "Hooks/First", "Hooks/Judge", "Retention/Retire")
_RELEASE_FUNCTIONS = _FUNCTIONS[1:]
_MONITORING = ("Monitoring/Collector", "Monitoring/Monitor")
#: As cdk-nag writes the monitor's bucket, which has no name before it exists.
_BUCKET = "<MonitoringBucket6E99F8B2.Arn>"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A finding of ``pack``'s ``rule`` at each of ``constructs`` (paths below the stack), and why it is accepted.

    ``finding`` distinguishes findings of one rule; ``{function}`` in it is the ARN of the endpoint's function.
    """

    pack: str
    rule: str
    constructs: Sequence[str]
    reason: str
    finding: str = ""

    def identity(self, function_arn: str) -> str:
        """As cdk-nag names it."""
        finding = f"[{self.finding.format(function=function_arn)}]" if self.finding else ""
        return f"{self.pack}::{self.pack}-{self.rule}{finding}"


def _solutions(rule: str, constructs: Sequence[str], reason: str, finding: str = "") -> Acknowledgement:
    return Acknowledgement("AwsSolutions", rule, constructs, reason, finding)


def _serverless(rule: str, constructs: Sequence[str], reason: str) -> Acknowledgement:
    return Acknowledgement("Serverless", rule, constructs, reason)


_ACCESS_LOGS = (
    "`access_logs = true` writes them, with callers' addresses; for a REST API the account must have a role for "
    "it, which one endpoint must not set. Without it the function logs the requests that reach it, and the API "
    "counts those that it rejects."
)
_OPEN_ROUTES = (
    "`auth` sets how callers authenticate: by a signature or a token, which the rule accepts, by a key, which it "
    "does not, or not at all with `public`. Also open are the documentation with `docs = true`, and preflights "
    "of `cors_origins`, for which browsers send no credentials."
)
_TRACING = (
    "X-Ray is billed by trace; the function's metrics and logs hold route, time and version of each request. "
    "`tracing = true` traces the endpoint's function and its REST API."
)
_XRAY = "With `tracing = true`, Lambda sends traces under the function's role; X-Ray's actions have no resources."
_STAR = (
    "AWS numbers versions, so their ARNs are not known before a release; the star covers one function's versions. "
    "The other star is for actions that have no resources."
)
_NO_RESOURCES = "codedeploy:ListDeploymentTargets and BatchGetDeploymentTargets have no resources."
_VERSIONS = "Any version of this one function: a release's versions are known only while it runs."
_RUNTIME = "The default is the newest Python with SnapStart and wheels for every layer; `runtime` sets another."

ACKNOWLEDGEMENTS = (
    _solutions("APIG1", ["Rest", "Http"], _ACCESS_LOGS),
    _serverless("APIGWAccessLogging", ["Rest", "Http"], _ACCESS_LOGS),
    _solutions(
        "APIG2",
        ["Rest"],
        "The function validates every request against the model's signature, which is stricter than a JSON "
        "schema, and returns the errors.",
    ),
    _solutions(
        "APIG3",
        ["Rest"],
        "A web ACL is billed monthly (`[endpoint.NAME.waf]` creates one); `auth`, throttles and size limits apply "
        "without it.",
    ),
    _solutions("APIG4", ["Rest", "Http"], _OPEN_ROUTES),
    _solutions(
        "COG4",
        ["Rest"],
        "Callers are programs with keys or signatures, not people with accounts of a user pool; an HTTP API with "
        '`auth = "jwt"` accepts tokens of any issuer.',
    ),
    _solutions(
        "APIG6", ["Rest"], "Execution logs need the account's role as access logs do, and can hold request data."
    ),
    _serverless(
        "APIGWDefaultThrottling",
        ["Rest"],
        "With keys, the usage plan throttles each (`rate_limit_per_s`, `burst_limit`); preflights and "
        "documentation, which need no key, have only the account's throttle: `reserved_concurrency` bounds "
        "them. Without keys, the stage is throttled.",
    ),
    _serverless("APIGWXrayEnabled", ["Rest"], _TRACING),
    _serverless("LambdaTracing", _FUNCTIONS, _TRACING),
    _serverless(
        "LambdaTracing",
        _MONITORING,
        "Nobody waits for them; their logs say what each run did, and alarms watch them.",
    ),
    _solutions("IAM5", ["Inference"], _XRAY, "Resource::*"),
    _serverless("LambdaStarPermissions", ["Inference"], _XRAY),
    _solutions("L1", (*_FUNCTIONS, *_MONITORING), _RUNTIME),
    _serverless("LambdaLatestVersion", (*_FUNCTIONS, *_MONITORING), _RUNTIME),
    _serverless(
        "LambdaDLQ",
        _FUNCTIONS,
        "Nothing is lost: predictions are synchronous, CodeDeploy and CloudFormation wait for their hooks and "
        "fail without a report, and judge and retention run again with the next minute or release.",
    ),
    *(
        _serverless(
            rule,
            _MONITORING,
            "The monitor's next look reads what a failed one has not. A batch that the collector fails to keep "
            "three times is lost: an alarm reports it, and missing counts are reported as coverage.",
        )
        for rule in ("LambdaDLQ", "LambdaAsyncFailureDestination")
    ),
    _serverless(
        "LambdaAsyncFailureDestination",
        _RELEASE_FUNCTIONS,
        "CodeDeploy and CloudFormation wait for their functions and count silence as failure; the judge is called "
        "again every minute, the clean-up after the next release.",
    ),
    _serverless(
        "EventBusDLQ",
        ["Hooks/EveryMinute", "Retention", "Notifications", "Monitoring/EveryHour"],
        "An event that could not be delivered is stale: the next minute's, hour's or release's replaces it, and "
        "alarms publish to the topic directly.",
    ),
    _solutions("IAM5", ["Hooks/Before", "Retention/Retire"], _NO_RESOURCES, "Resource::*"),
    _solutions("IAM5", ["Hooks/After"], _NO_RESOURCES + " Nor does GetMetricData.", "Resource::*"),
    _solutions(
        "IAM5",
        ["Hooks/Judge"],
        _NO_RESOURCES + " Nor do GetMetricData and PutMetricData; the latter is restricted to our namespace.",
        "Resource::*",
    ),
    _solutions(
        "IAM5",
        ["Hooks/Before", "Hooks/First", "Hooks/Judge"],
        _VERSIONS,
        "Resource::{function}:*",
    ),
    _solutions(
        "IAM5",
        ["Retention/Retire"],
        "Any version. The function's own ARN is granted too, because no page says on which of them IAM checks the "
        "deletion of a version; the code deletes by number only, and never a version that is needed.",
        "Resource::{function}:*",
    ),
    _solutions(
        "IAM5", ["Rollout"], "CodeDeploy describes alarms by name in one call, without ARNs.", "Resource::*"
    ),
    _solutions(
        "S1",
        ["Monitoring/Bucket"],
        "An access log is a bucket of its own, and is billed. This one holds counts, and what baselines say of "
        "samples, but no row; only two functions and the account's own people reach it.",
    ),
    *(
        _solutions(
            "IAM5",
            [function],
            "The objects of one prefix of the monitor's own bucket, whose keys follow from time and content.",
            f"Resource::{_BUCKET}/{prefix}",
        )
        for function, prefixes in (
            ("Monitoring/Collector", ("lines/*", "references/*")),
            ("Monitoring/Monitor", ("*", "hours/*", "state/*", "reports/*")),
        )
        for prefix in prefixes
    ),
    _solutions("IAM5", ["Monitoring/Monitor"], "cloudwatch:GetMetricData has no resources.", "Resource::*"),
    _serverless(
        "LambdaStarPermissions",
        ["Monitoring/Monitor"],
        "cloudwatch:GetMetricData, the only such action, has no resources.",
    ),
    _serverless(
        "LambdaStarPermissions", ["Hooks/Before", "Hooks/After", "Hooks/Judge", "Retention/Retire"], _STAR
    ),
    _serverless(
        "SNSRedrivePolicy",
        ["Notifications"],
        "SNS itself retries mail for hours; a later delivery would be stale.",
    ),
)


def acknowledge_findings(stack: cdk.Stack, function: str) -> None:
    """Add the acknowledgements to the constructs that ``stack`` has; ``function`` is the endpoint's."""
    arn = _function_arn(stack, function)
    for acknowledgement in ACKNOWLEDGEMENTS:
        for path in acknowledgement.constructs:
            construct = _find(stack, path)
            if construct is not None:
                noted = cdk.Acknowledgment(id=acknowledgement.identity(arn), reason=acknowledgement.reason)
                cdk.Validations.of(construct).acknowledge(noted)


def _find(stack: cdk.Stack, path: str) -> Construct | None:
    construct: Construct | None = stack
    for part in path.split("/"):
        construct = construct.node.try_find_child(part) if construct is not None else None  # type: ignore[assignment]
    return construct


def _function_arn(stack: cdk.Stack, function: str) -> str:
    """As cdk-nag writes it: values that only AWS knows in angle brackets."""
    known = {"AWS::Partition": stack.partition, "AWS::Region": stack.region, "AWS::AccountId": stack.account}
    partition, region, account = (
        f"<{name}>" if cdk.Token.is_unresolved(value) else value for name, value in known.items()
    )
    return f"arn:{partition}:lambda:{region}:{account}:function:{function}"
