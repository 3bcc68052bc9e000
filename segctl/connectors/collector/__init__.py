"""What `segctl listen` is made of: requests of tracking libraries and webhooks in, durable lines out."""
