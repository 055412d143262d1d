"""The resource types, a module or a package per AWS service; every class that has a token is served."""
