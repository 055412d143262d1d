"""The functions (data sources), a module per AWS service, each with a tuple FUNCTIONS."""
