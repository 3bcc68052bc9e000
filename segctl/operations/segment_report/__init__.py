"""What `report segments` says."""
