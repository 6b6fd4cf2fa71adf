"""A demonstration: a vendor's customers at a simulated Stripe, Tenure, and a LicenseSpring sandbox, over real HTTP."""
