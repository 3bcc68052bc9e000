"""What `report ab` says of an experiment."""
