"""What every server of the project has in common: guarded requests, capped bodies, a socket, several processes."""
