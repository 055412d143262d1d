"""FileFlow's policy pack: rules that keep schedulers on Amazon ECS single, private and predictable.

Importing this package, or any module of it, has no side effect: only `policies/__main__.py` starts an
analyser.
"""
