"""API Gateway REST APIs: the control plane. `serving` is the data plane."""

from serinus.offline.services.apigateway.service import ApiGateway

__all__ = ["ApiGateway"]
