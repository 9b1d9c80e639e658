"""The report of a batch as one HTML file that needs nothing else."""

from agcod_async.cli.page.page import html_page
from agcod_async.cli.page.written import write_whole

__all__ = ["html_page", "write_whole"]
