"""A stand-in for the docker 4.11.2 provider plugin: images, tags and registry images.

Owns what these resources check, compare, make and answer. Where the images are is behind one interface: in a
Docker engine with a registry, or "on paper" in the emulated ECR where there is neither.
"""
