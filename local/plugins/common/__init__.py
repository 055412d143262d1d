"""What the stand-in plugins share: how a plugin starts and ends. No provider's behaviour."""
