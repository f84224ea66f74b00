"""Files that runs produce: where each lies, and the disks that hold them."""
