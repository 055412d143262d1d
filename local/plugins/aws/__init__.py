"""A stand-in for the `aws` resource provider plugin, for machines that can't download the real one.

It answers the engine's `ResourceProvider` protocol over boto3's core and works on the emulated AWS only.
"""

VERSION = "7.51.1"
