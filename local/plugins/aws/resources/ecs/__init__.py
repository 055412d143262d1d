"""ECS: clusters, their capacity providers, task definitions, services."""
