"""NetLicensing: licensees, and licenses of them by templates. What it is and leaves open: `decisions/0009`."""
