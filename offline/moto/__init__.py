"""Every patch of moto."""
