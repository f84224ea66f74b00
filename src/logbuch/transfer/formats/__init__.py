"""The file formats of other trackers, read without their packages."""
