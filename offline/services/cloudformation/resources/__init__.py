"""The resource types that this cloud models, one file a service."""

from offline.services.cloudformation.provider import ResourceType
from offline.services.cloudformation.resources import cdk, ecr, iam, kms, s3, ssm

RESOURCE_TYPES: tuple[type[ResourceType], ...] = (
    cdk.Metadata,
    ecr.Repository,
    iam.ManagedPolicy,
    iam.Policy,
    iam.Role,
    kms.Alias,
    kms.Key,
    s3.Bucket,
    s3.BucketPolicy,
    ssm.Parameter,
)
