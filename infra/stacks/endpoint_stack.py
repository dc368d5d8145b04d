"""An endpoint: its layers, its function behind alias `live`, the API in front, and the guards of its releases."""

import aws_cdk as cdk
from constructs import Construct

from serinus.infra.alarm_plan import plan_alarms
from serinus.infra.constructs.access_log import AccessLog
from serinus.infra.constructs.alarm_topic import topic_arn
from serinus.infra.constructs.alarms import ReleaseAlarms
from serinus.infra.constructs.custom_domain import HttpDomain, RestDomain
from serinus.infra.constructs.front import Access, Front
from serinus.infra.constructs.hooks import HookPlatform, ReleaseHooks
from serinus.infra.constructs.http_api import HttpFront
from serinus.infra.constructs.inference_function import InferenceFunction
from serinus.infra.constructs.model_layers import ModelLayers
from serinus.infra.constructs.monitored_endpoint import MonitoredEndpoint
from serinus.infra.constructs.permissions import ReleasePermissions
from serinus.infra.constructs.provisioned_scaling import ProvisionedScaling
from serinus.infra.constructs.rest_api import RestFront
from serinus.infra.constructs.retained_logs import retain_log_groups
from serinus.infra.constructs.rollout import Guards, Rollout
from serinus.infra.constructs.shift_order import shift_last
from serinus.infra.constructs.steady_alarms import SteadyAlarms
from serinus.infra.constructs.version_retention import VersionRetention
from serinus.infra.constructs.web_acl import WebAcl
from serinus.infra.nag import acknowledge_findings
from serinus.infra.names import (
    ALIAS,
    COLLECTOR,
    DEPLOYMENT_GROUP,
    OUTPUTS,
    STAGE,
    TAG_ENDPOINT,
    TAG_ENVIRONMENT,
    TAG_PROJECT,
    UNBOUND_ENVIRONMENTS,
    shared_function_name,
)
from serinus.infra.release import Release
from serinus.infra.settings import Endpoint, Settings, function_environment, release_environment
from serinus.infra.steady_alarm_plan import API_NAMESPACE, SteadyMetric, plan_steady_alarms
from serinus.infra.traffic_shift import shift_of


class EndpointStack(cdk.Stack):
    """The stack of ``endpoint`` in one environment, serving ``release``; outputs as in `serinus.infra.names`.

    ``hotfix`` releases this once without a bake, and notes it in an output. The stack of a named environment is
    protected from deletion; the CDK CLI turns that on with each deploy.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        settings: Settings,
        endpoint: Endpoint,
        release: Release,
        hotfix: bool = False,
    ) -> None:
        super().__init__(
            scope,
            endpoint.stack_name,
            stack_name=endpoint.stack_name,
            description=f"Serinus endpoint {endpoint.name} ({settings.environment})",
            env=cdk.Environment(account=settings.account, region=settings.region),
            termination_protection=settings.environment not in UNBOUND_ENVIRONMENTS,
            tags={
                TAG_PROJECT: settings.project,
                TAG_ENVIRONMENT: settings.environment,
                TAG_ENDPOINT: endpoint.name,
                **endpoint.settings.tags,
            },
        )
        config = endpoint.settings
        described = f"{release.model.name} {release.model.short_version}"
        self.layers = ModelLayers(
            self,
            "Layers",
            name=endpoint.stack_name,
            runtime_zip=release.runtime_layer,
            model_zip=release.model_layer,
            runtime=config.runtime,
            architecture=config.architecture,
            model_description=described,
        )
        self.inference = InferenceFunction(
            self,
            "Inference",
            name=endpoint.stack_name,
            description=described,
            runtime=config.runtime,
            architecture=config.architecture,
            memory_mb=config.memory_mb,
            timeout_s=config.timeout_s,
            environment=function_environment(settings.environment, endpoint.name, config),
            layers=self.layers.layers,
            layer_hashes=self.layers.hashes,
            reserved_concurrency=config.reserved_concurrency,
            log_retention_days=config.log_retention_days,
            retain_logs=config.retain_logs,
            alias_name=ALIAS,
            code_root=release.code_root,
            snap_start=config.cold_start == "snapstart",
            provisioned=config.provisioned.environments if config.cold_start == "provisioned" else None,
            tracing=config.tracing,
            encryption_key=config.encryption_key,
        )
        scaling = self._scale(endpoint)
        self.front = self._create_front(endpoint)
        topic = topic_arn(self, settings)
        collector = (
            shared_function_name(settings.project, settings.environment, COLLECTOR)
            if config.monitor.enabled
            else None
        )
        self._guard_releases(endpoint, hotfix, topic, collector)
        if collector:
            MonitoredEndpoint(
                self,
                "Monitored",
                stack_name=endpoint.stack_name,
                log_group=self.inference.log_group,
                collector=collector,
                topic_arn=topic,
            )
        self._watch_what_serves(endpoint, topic)
        self._add_outputs(endpoint, release, hotfix)
        if config.retain_logs:
            retain_log_groups(self)
        shift_last(self, self.inference.alias, after=[scaling] if scaling else [])
        acknowledge_findings(self, endpoint.stack_name)

    def _create_front(self, endpoint: Endpoint) -> Front:
        config, name = endpoint.settings, endpoint.stack_name
        access = Access(
            auth=config.auth,
            docs=config.docs,
            cors_origins=config.cors_origins,
            rate_limit_per_s=config.rate_limit_per_s,
            burst_limit=config.burst_limit,
            quota_requests=config.quota_requests,
            quota_period=config.quota_period,
            jwt=config.jwt,
        )
        access_log = (
            AccessLog(
                self,
                "AccessLog",
                stack_name=name,
                retention_days=config.log_retention_days,
                encryption_key=config.encryption_key,
            )
            if config.access_logs
            else None
        )
        # Each has its own construct id: CloudFormation cannot change a resource's type in place.
        if config.front == "http":
            http = HttpFront(
                self,
                "Http",
                name=name,
                backend=self.inference.live,
                access=access,
                default_host=not config.domain.closes_default_host,
                access_log=access_log,
            )
            if config.domain.name:
                HttpDomain(self, "HttpDomain", domain=config.domain, api=http.api, stage=http.stage)
            return http
        rest = RestFront(
            self,
            "Rest",
            name=name,
            stage=STAGE,
            backend=self.inference.live,
            access=access,
            tracing=config.tracing,
            minimum_tls=config.minimum_tls,
            default_host=not config.domain.closes_default_host,
            access_log=access_log,
        )
        if config.waf.enabled:
            WebAcl(self, "WebAcl", name=name, stage_arn=rest.stage_arn, rules=config.waf)
        if config.domain.name:
            RestDomain(self, "RestDomain", domain=config.domain, api=rest.api, minimum_tls=config.minimum_tls)
        return rest

    def _scale(self, endpoint: Endpoint) -> ProvisionedScaling | None:
        provisioned = endpoint.settings.provisioned
        if endpoint.settings.cold_start != "provisioned" or not provisioned.scales:
            return None
        scaling = ProvisionedScaling(
            self,
            "Scaling",
            function=endpoint.stack_name,
            alias=ALIAS,
            least=provisioned.environments,
            most=provisioned.most,
            target_percent=provisioned.target_percent,
            schedule=provisioned.schedule,
            timezone=provisioned.timezone,
        )
        scaling.node.add_dependency(self.inference.alias)
        return scaling

    def _guard_releases(self, endpoint: Endpoint, hotfix: bool, topic: str | None, collector: str | None) -> None:
        """Checks, alarms and retention of every new version, whose baselines go to the function ``collector``."""
        config, rollout, name = endpoint.settings, endpoint.settings.rollout, endpoint.stack_name
        shift = shift_of(rollout)
        permissions = ReleasePermissions(self, name, ALIAS, application=name, group=DEPLOYMENT_GROUP)
        self.alarms = ReleaseAlarms(
            self,
            "Alarms",
            planned=plan_alarms(config),
            function=name,
            alias=ALIAS,
            version=self.inference.version.version,
            version_hash=self.inference.version_hash,
            topic_arn=topic,
        )
        hooks = ReleaseHooks(
            self,
            "Hooks",
            platform=HookPlatform(
                stack_name=name,
                runtime=config.runtime,
                architecture=config.architecture,
                layers=self.layers.layers,
                environment=release_environment(
                    name,
                    config,
                    judged_minutes=shift.judged_minutes,
                    share_percent=shift.first_share_percent,
                    hotfix=hotfix,
                ),
                log_retention_days=config.log_retention_days,
                permissions=permissions,
                encryption_key=config.encryption_key,
                collector=collector,
            ),
            version=self.inference.version.version,
            judged=rollout.strategy != "all_at_once",
            held=rollout.strategy == "blue_green",
        )
        self.rollout = Rollout(
            self,
            "Rollout",
            alias=self.inference.alias,
            shift=shift,
            hotfix=hotfix,
            guards=Guards(hooks, self.alarms.alarms),
            permissions=permissions,
        )
        VersionRetention(
            self,
            "Retention",
            stack_name=name,
            runtime=config.runtime,
            architecture=config.architecture,
            keep_versions=rollout.keep_versions,
            log_retention_days=config.log_retention_days,
            permissions=permissions,
            encryption_key=config.encryption_key,
        )

    def _watch_what_serves(self, endpoint: Endpoint, topic: str | None) -> None:
        """Alarms that no release waits for."""
        api = self.front.metrics
        failed_calls = SteadyMetric(API_NAMESPACE, api.server_errors, api.dimensions)
        SteadyAlarms(
            self,
            "SteadyAlarms",
            stack_name=endpoint.stack_name,
            planned=plan_steady_alarms(endpoint.stack_name, endpoint.settings, failed_calls),
            topic_arn=topic,
        )

    def _add_outputs(self, endpoint: Endpoint, release: Release, hotfix: bool) -> None:
        described = f"{release.model.name} {release.model.short_version}"
        domain = endpoint.settings.domain
        domain_url = f"https://{domain.name}"
        values = {
            OUTPUTS.url: domain_url if domain.closes_default_host else self.front.url,
            OUTPUTS.front: endpoint.settings.front,
            OUTPUTS.auth: endpoint.settings.auth,
            **({OUTPUTS.domain_url: domain_url} if domain.name else {}),
            **({OUTPUTS.api_key_id: self.front.key.key_id} if self.front.key else {}),
            OUTPUTS.function_name: self.inference.function.function_name,
            OUTPUTS.function_version: self.inference.version.version,
            OUTPUTS.alias: self.inference.alias.alias_name,
            OUTPUTS.model: release.model.name,
            OUTPUTS.model_version: release.model.version,
            # Not the alias' description: whether CloudFormation applies it beside a new version is not documented.
            **({OUTPUTS.hotfix: f"{described} was released without a bake"} if hotfix else {}),
        }
        for key, value in values.items():
            cdk.CfnOutput(self, key, value=value)
