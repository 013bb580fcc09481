"""Rows in time: index and frequency, panels, calendar features."""
