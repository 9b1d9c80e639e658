"""An asyncio client for the Amazon Incentives API (AGCOD)."""
