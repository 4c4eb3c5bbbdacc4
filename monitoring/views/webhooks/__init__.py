"""The company's webhooks: make, look at what was sent, pause, try out."""
