"""What `report health` finds."""
