"""The laboratory: a real Asterisk, real SIP traffic, recorded streams and a simulator.

For development, the demo and the tests; nothing the portal needs in production lives here.
"""
