"""The function in front of a SageMaker endpoint; needs the standard library and boto3 alone."""
