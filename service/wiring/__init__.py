"""From the settings to the pieces of a process, one concern per file; `service.bootstrap` puts them together."""
