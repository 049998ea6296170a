"""The Lambda function in front of a SageMaker endpoint."""
