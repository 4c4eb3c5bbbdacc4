"""The billing staff's pages on the platform's host: parse, call a service or a selector, render."""
