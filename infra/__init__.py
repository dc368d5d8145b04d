"""Deploy time: settings and bundles become CloudFormation templates."""
