"""Pages of figures: reports, their explanation, print, and reports that come by e-mail by themselves."""
