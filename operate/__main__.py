"""The command `python -m operate`."""

from __future__ import annotations

from operate.app import main

if __name__ == "__main__":
    main()
