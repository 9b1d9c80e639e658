"""Amazon's Incentives API, AGCOD: gift cards on demand."""
