"""An AMI server that behaves like Asterisk's, with people and calls of its own, and no telephone anywhere.

For machines where a real Asterisk cannot run, and for loads no two-core machine could make with real calls.
"""
