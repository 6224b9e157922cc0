"""What models there are: models, their versions, artifacts by digest, and the approval status of each version."""
