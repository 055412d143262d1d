"""The functions (data sources), a module per AWS service; every one in it is served."""
