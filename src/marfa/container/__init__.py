"""The doors: the same answers under our own server, SageMaker and Lambda."""
