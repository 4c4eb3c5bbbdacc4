"""The rules of a contact centre, pure: no Django, no network, no clock. Times are PBX epoch seconds (UTC)."""
