"""LicenseSpring: its Management API as Tenure uses it."""
