"""A Docker engine and a registry for the local stack, and the program in the sample image.

Owns: starting, finding and stopping both in folders of this clone (`local_containers`), and building the
stand-in for FileFlow that `local/sample` packs into an image (`sample`). Deliberately doesn't own how images
are built and pushed (`local.plugins.docker`), nor how ECS tasks run as containers (`local.emulator`). Never
stops or changes an engine that it didn't start. Only the standard library, because `make docker` may come
before `make up`.
"""
