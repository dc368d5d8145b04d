"""The AWS clients that hooks share, made once an environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from serinus.lambda_handlers.hooks.deployment import CodeDeploy
from serinus.lambda_handlers.hooks.pending_hook import ParameterStore
from serinus.lambda_handlers.hooks.publish import Events
from serinus.lambda_handlers.hooks.version import Invoker

if TYPE_CHECKING:
    from serinus.lambda_handlers.hooks.metrics import CloudWatch

#: Seconds that a probed version may take: API Gateway's own limit.
ANSWER_LIMIT_S = 29


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS services that a hook calls."""

    functions: Invoker
    codedeploy: CodeDeploy
    cloudwatch: "CloudWatch"
    events: Events
    ssm: ParameterStore


@dataclass(frozen=True, slots=True)
class HookContext:
    """A hook's input beside its event: AWS clients and environment variables."""

    clients: Clients
    environ: Mapping[str, str]


@lru_cache(maxsize=1)
def hook_context() -> HookContext:
    """This environment's variables and clients. Probes are never retried by the client: each is an observation."""
    probing = Config(retries={"total_max_attempts": 1}, read_timeout=ANSWER_LIMIT_S, connect_timeout=5)
    clients = Clients(
        functions=boto3.client("lambda", config=probing),
        codedeploy=boto3.client("codedeploy"),
        cloudwatch=boto3.client("cloudwatch"),
        events=boto3.client("events"),
        ssm=boto3.client("ssm"),
    )
    return HookContext(clients, os.environ)
