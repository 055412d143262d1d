"""The components as a Pulumi package: what the engine starts for a program in another language.

Owns the start alone. The components are those of this repository, which the engine has fetched as a whole.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # This folder's modules have names that a library's could have.
    sys.path = [str(here.parent), *(path for path in sys.path if Path(path).resolve() != here)]

    from pulumi.provider import main

    from pulumi_package.provider import ComponentPackage

    main(ComponentPackage(), sys.argv[1:])
