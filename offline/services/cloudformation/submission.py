"""Turns an API call's parameters into a checked `Revision`."""

from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.tags import from_pairs
from serinus.offline.services.cloudformation import validation
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.lookup import PSEUDO_PARAMETERS, ForeseenResources, evaluator_for
from serinus.offline.services.cloudformation.parameters import resolve_parameters
from serinus.offline.services.cloudformation.rules import check_rules
from serinus.offline.services.cloudformation.state import Revision, Stack, State, ValidationFailure
from serinus.offline.services.cloudformation.template import MAX_BODY_BYTES, MAX_URL_BYTES, StackTemplate, parse

#: Members that would change an operation's behaviour and are not modelled.
REFUSED = (
    "NotificationARNs",
    "ResourceTypes",
    "ResourcesToImport",
    "StackPolicyBody",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "StackPolicyURL",
)
MAX_TAGS = 50


class Submissions:
    """Reads and checks callers' submissions."""

    def __init__(self, context: CloudContext, state: State) -> None:
        self.context = context
        self.state = state

    def template(
        self, params: dict[str, Any], region: str, previous: StackTemplate | None = None
    ) -> StackTemplate:
        """A call's template: its body, from its S3 URL, or the stack's own."""
        body, url = params.get("TemplateBody"), params.get("TemplateURL")
        if params.get("UsePreviousTemplate"):
            if previous is None:
                raise invalid("Cannot use the previous template: there is none.")
            return previous
        if (body is None) == (url is None):
            raise invalid("Either Template URL or Template Body must be specified.")
        if body is not None:
            return parse(_within(body, MAX_BODY_BYTES, "templateBody"))
        return parse(_within(self._from_s3(str(url), region), MAX_URL_BYTES, "templateUrl"))

    def _from_s3(self, url: str, region: str) -> str:
        bucket, key = bucket_and_key(url)
        try:
            content = self.context.client("s3", region).get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            message = error.response.get("Error", {}).get("Message", str(error))
            raise invalid(
                f"S3 error: {message}\nFor more information check "
                "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ) from error
        text: str = content["Body"].read().decode()
        return text

    def revision(self, params: dict[str, Any], stack: Stack) -> Revision:
        """The revision that a call requests; raises ValidationError and the like where AWS does at once."""
        self._refuse(params)
        try:
            return self._revision(params, stack)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise invalid(f"Template format error: {type(error).__name__}: {error}") from error

    def _revision(self, params: dict[str, Any], stack: Stack) -> Revision:
        old = stack.revision
        template = self.template(params, stack.region, old.template if old else None)
        validation.check_structure(template, set(PSEUDO_PARAMETERS))
        capabilities = list(params.get("Capabilities") or [])
        validation.check_capabilities(template, capabilities)
        values = resolve_parameters(
            template,
            list(params.get("Parameters") or []),
            old.parameters if old else {},
            lambda name: self._ssm_value(name, stack.region),
        )
        revision = Revision(
            template=template,
            parameters=values,
            tags=self._tags(params, old),
            capabilities=tuple(capabilities),
            role_arn=params.get("RoleARN") or (old.role_arn if old else None),
        )
        check_rules(self._evaluator(revision, stack))
        return revision

    def checked(self, params: dict[str, Any], stack: Stack, *, validate: bool = True) -> Revision:
        """A revision that has passed every check, for operations that report errors at once."""
        revision = self.revision(params, stack)
        failures = self.early_failures(revision, stack) if validate else []
        if failures:
            content = "; ".join(f"{failure.message} (at {failure.path})" for failure in failures)
            raise invalid(
                f"The following validation failed: [AWS::EarlyValidation::PropertyValidation]. {content}"
            )
        self.check_modelled(revision, stack)
        return revision

    def check_modelled(self, revision: Revision, stack: Stack) -> None:
        """Raise `NotModelled` for parameters that this cloud does not model."""
        validation.check_modelled(revision.template, self._evaluator(revision, stack))

    def early_failures(self, revision: Revision, stack: Stack) -> list[ValidationFailure]:
        """The errors of AWS's validation before deployment."""
        return validation.property_failures(revision.template, self._evaluator(revision, stack))

    def _evaluator(self, revision: Revision, stack: Stack) -> Any:
        lookup = ForeseenResources(self.state, stack)
        return evaluator_for(revision, stack, self.context.config.account_id, lookup)

    def _refuse(self, params: dict[str, Any]) -> None:
        for name in REFUSED:
            if params.get(name):
                raise NotModelled(f"{name} of a stack")
        if (params.get("RollbackConfiguration") or {}).get("RollbackTriggers"):
            raise NotModelled("RollbackConfiguration with RollbackTriggers of a stack")
        if (params.get("DeploymentConfig") or {}).get("Mode", "STANDARD") != "STANDARD":
            raise NotModelled("DeploymentConfig with Mode EXPRESS of a stack")
        if params.get("DeploymentMode"):
            raise NotModelled(f"DeploymentMode {params['DeploymentMode']} of a change set")

    def _tags(self, params: dict[str, Any], old: Revision | None) -> dict[str, str]:
        if params.get("Tags") is None:
            return dict(old.tags) if old else {}
        tags = from_pairs(params["Tags"])
        if len(tags) > MAX_TAGS:
            raise invalid(f"1 validation error detected: {len(tags)} tags given; a stack has at most {MAX_TAGS}")
        return tags

    def _ssm_value(self, name: str, region: str) -> str:
        try:
            content = self.context.client("ssm", region).get_parameter(Name=name)
        except ClientError as error:
            raise invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.") from error
        value: str = content["Parameter"]["Value"]
        return value


def bucket_and_key(url: str) -> tuple[str, str]:
    """Bucket and key of an S3 URL in path style or virtual-hosted style."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    bucket, dot, rest = host.partition(".s3")
    if dot and rest[:1] in (".", "-"):
        return bucket, path
    bucket, _, key = path.partition("/")
    if parts.scheme not in ("http", "https") or not bucket or not key:
        raise invalid("TemplateURL must be a supported URL.")
    return bucket, key


def _within(body: str, limit: int, member: str) -> str:
    size = len(body.encode())
    if not 1 <= size <= limit:
        raise invalid(
            f"1 validation error detected: Value of {size} bytes at '{member}' failed to satisfy constraint: "
            f"Member must have length between 1 and {limit}"
        )
    return body
