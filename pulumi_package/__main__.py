"""The components as a Pulumi package: what the engine starts for a program in another language.

Owns the start alone. The components are those of this repository, which the engine has fetched as a whole.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

    from pulumi.provider import main

    from pulumi_package.provider import ComponentPackage

    main(ComponentPackage(), sys.argv[1:])
