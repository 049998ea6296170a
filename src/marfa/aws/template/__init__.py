"""CloudFormation templates, as values: pure functions of names and settings."""
