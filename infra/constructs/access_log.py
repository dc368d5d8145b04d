"""The access log of an API: one line for each call, also for those that never reach the function.

Lines hold no body, no query, no header and no credential: of an API key only its id. API Gateway's error messages
are left out because they repeat a malformed Authorization header.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import json
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from serinus.infra.names import access_log_name

_BOTH = {
    "time": "$context.requestTime",
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "functionLatencyMs": "$context.integrationLatency",
    "responseType": "$context.error.responseType",
}
#: Formats of REST and HTTP APIs, of which only a REST API has keys and a web ACL. Every value is quoted, since an
#: unset one is "-".
REST_FORMAT = json.dumps(
    {
        **_BOTH,
        # A client can set the other id: https://docs.aws.amazon.com/apigateway/latest/developerguide/
        # api-gateway-variables-for-access-logging.html
        "extendedRequestId": "$context.extendedRequestId",
        "apiKeyId": "$context.identity.apiKeyId",
        "callerArn": "$context.identity.userArn",
        "wafStatus": "$context.waf.status",
    }
)
HTTP_FORMAT = json.dumps(
    {
        **_BOTH,
        "callerArn": "$context.identity.userArn",
    }
)


class AccessLog(Construct):
    """``group``, whose name AWS's services may write to without a statement of its own in the account's policy."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        retention_days: int,
        encryption_key: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.group = logs.LogGroup(
            self, "Logs", log_group_name=access_log_name(stack_name), removal_policy=RemovalPolicy.DESTROY
        )
        resource = cast(logs.CfnLogGroup, self.group.node.default_child)
        resource.retention_in_days, resource.kms_key_id = retention_days, encryption_key
