"""Python processes of a preview that start with their libraries imported already (Linux only).

A preview runs seven Python processes, and each would spend most of its life on importing the same packages:
together more than half of a preview's processor time. Here one process, the server, imports them once; each
of the others is a fork of it.

`server` holds the libraries and forks. `client` is what stands in a command's place: it has a fork run the
command, or becomes the command itself where there is no server. `process` starts the server beside the
emulated AWS. Nothing of the checkout is imported before a fork, so an edited file counts at once.
"""
