"""Storyteller: a small language model of stories, dense or with experts, trained from scratch."""
