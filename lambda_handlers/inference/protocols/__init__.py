"""The protocols that existing clients speak, beside the endpoint's own: they read rows and write outputs, and
leave validating and scoring to `scoring`."""
