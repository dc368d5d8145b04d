"""A custom domain of an API: its certificate, its mapping, and the DNS record.

REST and HTTP APIs have different kinds of domains: only a REST API's supports the newer TLS policies.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
"""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_route53 as route53
from constructs import Construct

from serinus.infra.constructs.front import TLS_POLICIES
from serinus.infra.settings import DomainSettings, Tls


class RestDomain(Construct):
    """``domain`` in front of the stage of ``api``, with ``minimum_tls`` or later."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain: DomainSettings,
        api: apigateway.RestApi,
        minimum_tls: Tls,
    ) -> None:
        super().__init__(scope, construct_id)
        resource = apigateway.CfnDomainName(
            self,
            "Name",
            domain_name=domain.name,
            regional_certificate_arn=domain.certificate_arn,
            endpoint_configuration={"types": ["REGIONAL"]},
            security_policy=TLS_POLICIES[minimum_tls],
            endpoint_access_mode="STRICT",
        )
        apigateway.CfnBasePathMapping(
            self,
            "Mapping",
            domain_name=resource.ref,
            rest_api_id=api.rest_api_id,
            stage=api.deployment_stage.stage_name,
        )
        _add_record(self, domain, resource.attr_regional_domain_name, resource.attr_regional_hosted_zone_id)


class HttpDomain(Construct):
    """``domain`` in front of ``stage`` of ``api``, with TLS 1.2 or later."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        domain: DomainSettings,
        api: apigatewayv2.HttpApi,
        stage: apigatewayv2.HttpStage,
    ) -> None:
        super().__init__(scope, construct_id)
        configuration = apigatewayv2.CfnDomainName.DomainNameConfigurationProperty(
            certificate_arn=domain.certificate_arn, endpoint_type="REGIONAL", security_policy="TLS_1_2"
        )
        resource = apigatewayv2.CfnDomainName(
            self, "Name", domain_name=domain.name or "", domain_name_configurations=[configuration]
        )
        mapping = apigatewayv2.CfnApiMapping(
            self, "Mapping", api_id=api.api_id, domain_name=resource.ref, stage=stage.stage_name
        )
        mapping.node.add_dependency(stage)
        _add_record(self, domain, resource.attr_regional_domain_name, resource.attr_regional_hosted_zone_id)


def _add_record(scope: Construct, domain: DomainSettings, target: str, target_zone_id: str) -> None:
    """The DNS record of the domain, if its zone is set."""
    if domain.hosted_zone_id is None:
        return
    alias = route53.CfnRecordSet.AliasTargetProperty(
        dns_name=target, hosted_zone_id=target_zone_id, evaluate_target_health=False
    )
    route53.CfnRecordSet(
        scope,
        "Record",
        name=f"{domain.name}.",
        type="A",
        hosted_zone_id=domain.hosted_zone_id,
        alias_target=alias,
    )
