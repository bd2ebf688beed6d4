"""The words of which reports consist: those in the source of the modules that write them."""

import inspect
from functools import cache

from afpanel.core.forbidden import words_of
from afpanel.io import chart_parts, html_page, page_charts, page_style
from afpanel.stages import (
    report,
    report_changes,
    report_checks,
    report_cohorts,
    report_data,
    report_disclosure,
    report_inputs,
    report_overview,
    report_populations,
    report_variants,
)

_SPEAKING = (
    chart_parts, html_page, page_charts, page_style, report, report_changes, report_checks, report_cohorts, report_data,
    report_disclosure, report_inputs, report_overview, report_populations, report_variants,
)  # fmt: skip


@cache
def words_of_reports() -> frozenset[str]:
    """List the words that a report says whatever the panel is; none of them tells of anybody.

    A sample whose ID is one of them could not be told from the report, and is not looked for. All words of
    the modules are listed, so that none of the page's is forgotten.
    """
    return frozenset(words_of(map(inspect.getsource, _SPEAKING)))
