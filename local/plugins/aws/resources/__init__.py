"""The resource types, a module per AWS service, each with a tuple RESOURCES of its types."""
