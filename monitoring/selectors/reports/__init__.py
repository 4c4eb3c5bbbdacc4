"""Reports as pages, print and e-mail show them: what is asked, figures against norms, tables, charts.

``ask`` reads an address, ``pages`` makes a report of it; templates only draw what they find.
"""
