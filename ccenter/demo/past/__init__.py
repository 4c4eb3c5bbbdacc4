"""A believable past for the demo's companies, so that no report is empty and each tells something.

``habits`` says how such a company lives, ``shift`` who is there when, ``day`` plays one day of calls through the
people who were there, ``write`` stores it the way a collector would.
"""
