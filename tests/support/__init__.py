"""What several tests need: databases, servers, clients."""
