"""The meter's frames in both modes."""
