"""Sending messages: webhooks and mail."""
