"""What the stand-in plugins share: how a plugin starts and ends, and its values. No provider's behaviour."""
