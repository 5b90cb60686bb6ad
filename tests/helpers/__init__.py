"""What several tests share: cells, problems, strategies, and the peers that are installed."""
