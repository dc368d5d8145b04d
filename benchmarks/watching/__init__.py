"""Months of simulated traffic, watched by the monitor's own clocks, and by other tools."""
