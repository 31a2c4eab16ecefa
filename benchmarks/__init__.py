"""Speed measured against peers, one folder a subject; all report in the one shape of report.py."""
