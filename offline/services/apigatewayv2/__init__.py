"""API Gateway's HTTP APIs: routes, integrations, JWT authorizers, stages. WebSocket APIs are rejected by name."""

from serinus.offline.services.apigatewayv2.service import ApiGatewayV2

__all__ = ["ApiGatewayV2"]
