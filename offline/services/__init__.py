"""One folder an AWS service: implemented here where moto lacks it or is wrong."""
