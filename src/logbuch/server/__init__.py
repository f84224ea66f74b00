"""The server: decode, call the store, encode."""
