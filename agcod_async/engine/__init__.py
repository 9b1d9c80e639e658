"""The only place that awaits and retries: it does what the core decides."""
