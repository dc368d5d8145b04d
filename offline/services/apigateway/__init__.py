"""API Gateway REST APIs: the control plane. `offline.gateway` serves what is kept here over HTTP."""

from offline.services.apigateway.service import ApiGateway

__all__ = ["ApiGateway"]
