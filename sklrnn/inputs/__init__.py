"""Whatever a user passes becomes checked samples."""
